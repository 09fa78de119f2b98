"""Measures tensors between two processes, each a program of its own: exchange.py, and tensor_link where it is built."""

import json
import os
import statistics
import subprocess
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
PYTHON, CPP = "Python", "C++"


def programs(tensor_link=None):
    """The command of each language that is here. tensor_link is looked for in the build of AXL_BUILD_DIR."""
    found = {PYTHON: [sys.executable, os.path.join(FOLDER, "exchange.py")]}
    path = tensor_link or os.path.join(os.environ.get("AXL_BUILD_DIR", ""), "examples", "distributed_inference", "tensor_link")
    if os.access(path, os.X_OK):
        found[CPP] = [path]
    return found


class Receiver:
    """A process that takes what comes."""

    def __init__(self, language, command, errors=None):
        self._process = subprocess.Popen([*command, "recv", *(["--listen"] if language == PYTHON else []), "tls://127.0.0.1:0"],
                                         stdout=subprocess.PIPE, stderr=errors, text=True)
        self.key, self.uri = self._process.stdout.readline().split()

    def stop(self):
        self._process.terminate()
        self._process.communicate()
        return self._process.returncode


class Links:
    """``rates``: {(from, to, plain): {bytes of a tensor: [MB/s of each run]}}; ``verified``: of so many ``tensors`` those that arrived right,
    ``in_full`` of them compared whole."""

    def __init__(self, commands):
        self._commands = commands
        self._receivers = {}
        self.rates = {}
        self.verified = self.in_full = self.tensors = 0

    def __enter__(self):
        for language, command in self._commands.items():
            self._receivers[language] = Receiver(language, command)
        return self

    def __exit__(self, *_):
        for receiver in self._receivers.values():
            receiver.stop()

    def measure(self, source, target, tests, plain=False):
        """``tests``: (rows of 4 KiB, rounds)."""
        receiver = self._receivers[target]
        where = ["--link", receiver.uri] if source == PYTHON else [receiver.uri]
        command = [*self._commands[source], "bandwidth", *(["--plain"] if plain else []), receiver.key, *where,
                   *(f"{rows}x1024:{rounds}" for rows, rounds in tests)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        if len(lines) != len(tests):
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}")
        for line in lines:
            rate = line["bytes"] * line["rounds"] / line["seconds"] / 1e6
            self.rates.setdefault((source, target, plain), {}).setdefault(line["bytes"], []).append(rate)
            if not plain:
                self.tensors += line["rounds"]
                self.verified += line["rounds"] if line["verified"] else 0
                self.in_full += line["in_full"]

    def median(self, source, target, size, plain=False):
        return statistics.median(self.rates[source, target, plain][size])
