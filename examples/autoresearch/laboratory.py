"""Tries a train.py: runs it in a process of its own, confined, and measures how well it predicts.

The program never sees the answers. It hands back predictions, and the measure is taken here: a finding's val_bpb means
something to whoever has run its train_py, whatever that program says about itself.
"""
import asyncio
import contextlib
import dataclasses
import os
import pathlib
import signal
import stat
import sys
import tempfile

import numpy as np

CONFINED = pathlib.Path(__file__).with_name("confined.py")
CPU_SECONDS = 60
PATIENCE = 900  # seconds; only for a program that sleeps: one that computes is ended by its processor time
FILE_BYTES = 16 << 20
MEMORY_BYTES = {"numpy": 2 << 30, "torch": 16 << 30}
MOST_BITS = 1000  # of a val_bpb: eight is to know nothing
PROCESSES = {"numpy": 0, "torch": 256}  # PyTorch has threads of its own


@dataclasses.dataclass(frozen=True)
class Outcome:
    """`val_bpb` is None when the program failed; `error` says how."""

    val_bpb: float | None
    memory_gb: float = 0.0
    error: str = ""


class Laboratory:
    """Room for so many trials at a time as there are processors."""

    def __init__(self, corpus, steps, backend="numpy", places=os.cpu_count() or 1):
        self._corpus = corpus
        self._steps = steps
        self._backend = backend
        self._places = asyncio.Semaphore(places)

    async def try_out(self, source, seed):
        """What this source text gets to within the budget; the same seed gives the same result."""
        async with self._places:
            with tempfile.TemporaryDirectory(prefix="axl-trial-", ignore_cleanup_errors=True) as name:
                folder = pathlib.Path(name)
                folder.joinpath("train.py").write_text(source, encoding="utf-8")
                folder.joinpath("train.bin").write_bytes(self._corpus.training)
                folder.joinpath("contexts.bin").write_bytes(self._corpus.contexts)
                status = await self._run(folder, seed)
                return await asyncio.to_thread(self._outcome, folder, status)

    async def _run(self, folder, seed):
        limits = (CPU_SECONDS, MEMORY_BYTES[self._backend], FILE_BYTES, PROCESSES[self._backend])
        with open(folder / "said", "wb") as said:
            program = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-B", str(CONFINED), *map(str, (*limits, self._steps, seed)),
                cwd=folder, env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}, start_new_session=True,
                stdin=asyncio.subprocess.DEVNULL, stdout=said, stderr=said)
        try:
            return await asyncio.wait_for(program.wait(), PATIENCE)
        except asyncio.TimeoutError:
            return -signal.SIGALRM
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            await program.wait()

    def _outcome(self, folder, status):
        try:
            if status != 0:
                raise ValueError(signal.Signals(-status).name if status < 0 else last_line(read(folder / "said")))
            shape = (len(self._corpus.answers), 256)
            logits = np.frombuffer(read(folder / "logits.bin", 4 * shape[0] * shape[1]), "<f4").reshape(shape)
            if not np.isfinite(logits).all():
                raise ValueError("its predictions are not finite")
            val_bpb = self._corpus.bits_per_byte(logits)
            if val_bpb > MOST_BITS:
                raise ValueError(f"its predictions are off by {val_bpb:.3g} bits per byte")
            return Outcome(val_bpb, int(read(folder / "memory")[:16]) / 2**20)
        except (OSError, ValueError) as error:
            return Outcome(None, error=str(error)[:200])


def read(path, size=None):
    """A file that somebody else's program has left: nothing but a plain file, of this size, and never a place to wait at."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode) or (size is not None and state.st_size != size) or state.st_size > FILE_BYTES:
            raise ValueError(f"{path.name} is not what it should be")
        return file.read(FILE_BYTES)


def last_line(text):
    lines = text.decode("utf-8", "replace").strip().splitlines()
    return "".join(c if c.isprintable() else "?" for c in lines[-1]) if lines else "it failed and said nothing"
