"""One agent: changes its train.py, keeps what is better, and takes over what others have found when that holds here."""
import dataclasses
import logging
import random
import time

from findings import Finding, commit_of
from proposer import propose

log = logging.getLogger("autoresearch")
MARGIN = 0.002  # bits per byte that a peer's source must be better by


@dataclasses.dataclass(frozen=True)
class Experiment:
    """What one round came to: `best` is the agent's own best so far, measured by itself."""

    round: int
    val_bpb: float | None
    best: float | None
    status: str
    description: str


class Agent:
    """`exchange`: how it hears of others; without one it works alone.

    `run_code_of`: keys whose source texts it runs. It is empty unless you say so: findings of others are then read, and never
    run.
    """

    def __init__(self, name, source, laboratory, seed, exchange=None, run_code_of=()):
        self.name = name
        self.source = source
        self.best = None
        self.history = []
        self._laboratory = laboratory
        self._seed = seed
        self.exchange = exchange
        self._run_code_of = frozenset(run_code_of)
        self._tried = set()

    async def round(self):
        """One experiment: first the text as it is, then either the best that a peer has told of, or an idea of one's own."""
        number = len(self.history)
        told = None
        if number == 0:
            source, description = self.source, "as it is"
        elif told := self._better_of_a_peer():
            source, description = told.train_py, f"{commit_of(told.train_py)} of {told.sender_id[:8]}"
        else:
            idea = propose(random.Random(f"{self._seed} {self.name} {number}"), self.source, self._was_tried)
            source, description = idea or (self.source, "nothing new to try")
        self._tried.add(commit_of(source))
        outcome = await self._laboratory.try_out(source, self._seed)
        await self._conclude(number, source, description, outcome, MARGIN if told else 0.0)

    def _better_of_a_peer(self):
        """The best finding that may be run, would be an adoption, and has not been tried here."""
        for finding in self.exchange.board.best() if self.exchange else ():
            if finding.sender_id in self._run_code_of and commit_of(finding.train_py) not in self._tried:
                if self.best is None or finding.val_bpb <= self.best - MARGIN:
                    return finding
        return None

    def _was_tried(self, source):
        commit = commit_of(source)
        return commit in self._tried or (self.exchange is not None and self.exchange.board.was_tried(commit))

    async def _conclude(self, number, source, description, outcome, margin):
        status = "discard"
        if outcome.val_bpb is None:
            status, description = "crash", f"{description}: {outcome.error}"
        elif self.best is None or outcome.val_bpb < self.best - margin:
            status, self.best, self.source = "keep", outcome.val_bpb, source
        self.history.append(Experiment(number, outcome.val_bpb, self.best, status, description))
        log.info("%s %2d %-7s %6.4f  %s", self.name, number, status, outcome.val_bpb or 0, description)
        if self.exchange:
            await self.exchange.publish(Finding(
                round=number, val_bpb=outcome.val_bpb or 0.0, memory_gb=round(outcome.memory_gb, 3), status=status,
                description=description[:1000], commit=commit_of(source), timestamp=time.time(), sender_id=self.exchange.key,
                train_py=source if status == "keep" else None))
