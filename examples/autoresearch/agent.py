"""One agent: changes its train.py, keeps what is better, and takes over what others have found when that holds here."""
import collections
import dataclasses
import logging
import random
import time

from findings import Finding, commit_of
from proposer import Experience, propose

log = logging.getLogger("autoresearch")
MARGIN = 0.002  # bits per byte that a peer's source must be better by
CREDIBLE = 0.25  # bits per byte that seeds may differ by
LIES = 3  # after so many that were more than that, nothing of a peer's is run any more


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
    run. `first_round`: more than what its key has told before, which peers hear once for each round.
    """

    def __init__(self, name, source, laboratory, seed, exchange=None, run_code_of=(), first_round=0):
        self.name = name
        self.source = source
        self.best = None
        self.history = []
        self._laboratory = laboratory
        self._seed = seed
        self.exchange = exchange
        self._run_code_of = frozenset(run_code_of)
        self._first_round = first_round
        self._experience = Experience(source)
        self._best_of = {}  # each peer's own, by what it has told
        self._lies = collections.Counter()
        self._tried = set()
        self._followed = False  # in the last round

    async def round(self):
        """One experiment: first the text as it is, then either the best that a peer has told of or an idea of one's own,
        whichever promises more. After each of the former comes one of the latter: a team that only follows finds nothing."""
        number = len(self.history)
        self._read_news()
        told = self._better_of_a_peer() if number > 0 and not self._followed else None
        idea = propose(random.Random(f"{self._seed} {self.name} {number}"), self.source, self._was_tried, self._experience)
        promise, source, description = idea or (0.0, self.source, "nothing new to try")
        if number == 0:
            source, description = self.source, "as it is"
        elif told and (self.best is None or self.best - told.val_bpb >= promise):
            source, description = told.train_py, f"{commit_of(told.train_py)} of {told.sender_id[:8]}"
        else:
            told = None
        self._followed = told is not None
        self._tried.add(commit_of(source))
        outcome = await self._laboratory.try_out(source, self._seed)
        if told and (outcome.val_bpb is None or outcome.val_bpb > told.val_bpb + CREDIBLE):
            self._lies[told.sender_id] += 1
        await self._conclude(number, source, description, outcome, MARGIN if told else 0.0)

    def _read_news(self):
        for finding in self.exchange.board.news() if self.exchange else ():
            before = self._best_of.get(finding.sender_id)
            measured = finding.val_bpb if finding.status != "crash" else None
            self._learn(finding.description, before, measured)
            if finding.status == "keep":
                self._best_of[finding.sender_id] = finding.val_bpb

    def _learn(self, description, before, measured):
        if before is not None:
            self._experience.learn(description, before - measured if measured is not None else -1.0)

    def _better_of_a_peer(self):
        """The best finding that may be run, would be an adoption, and has not been tried here."""
        for finding in self.exchange.board.best() if self.exchange else ():
            believed = finding.sender_id in self._run_code_of and self._lies[finding.sender_id] < LIES
            if believed and commit_of(finding.train_py) not in self._tried:
                if self.best is None or finding.val_bpb <= self.best - MARGIN:
                    return finding
        return None

    def _was_tried(self, source):
        commit = commit_of(source)
        return commit in self._tried or (self.exchange is not None and self.exchange.board.was_tried(commit))

    async def _conclude(self, number, source, description, outcome, margin):
        status = "discard"
        self._learn(description, self.best, outcome.val_bpb)
        if outcome.val_bpb is None:
            status, description = "crash", f"{description}: {outcome.error}"
        elif self.best is None or outcome.val_bpb < self.best - margin:
            status, self.best, self.source = "keep", outcome.val_bpb, source
        self.history.append(Experiment(number, outcome.val_bpb, self.best, status, description))
        log.info("%s %2d %-7s %6.4f  %s", self.name, number, status, outcome.val_bpb or 0, description)
        if self.exchange:
            await self.exchange.publish(Finding(
                round=self._first_round + number, val_bpb=outcome.val_bpb or 0.0, memory_gb=round(outcome.memory_gb, 3), status=status,
                description=description[:1000], commit=commit_of(source), timestamp=time.time(), sender_id=self.exchange.key,
                train_py=source if status == "keep" else None))
