"""Numbers of many nodes made into one."""

from __future__ import annotations

import asyncio
import fnmatch
import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ._native import Asked

if TYPE_CHECKING:
    from typing import SupportsFloat, SupportsIndex

    Number = SupportsFloat | SupportsIndex
    #: One number, one for each of some groups, or nothing.
    Values = Number | Mapping[str, Number] | None

#: ``count``: how many nodes put something in. ``sum`` is exact. ``top``: the highest, and the nodes they are from.
Operation = Literal["count", "sum", "min", "max", "mean", "top"]


@dataclass(frozen=True)
class Question:
    """What somebody asks of all nodes. ``operation`` may also be ``custom``, of nodes in other languages."""

    name: str
    operation: str
    timeout: float
    tell_all: bool


@dataclass(frozen=True)
class Ranked:
    """One of the highest values."""

    value: int | float
    node: str


@dataclass(frozen=True)
class Aggregate:
    """What came of one group. ``count`` nodes put something in; ``top``, highest first, is of that operation."""

    group: str
    count: int
    value: int | float
    top: tuple[Ranked, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of a question: right for the nodes that are in it, each of them once.

    ``contributed`` nodes put something in, ``abstained`` had nothing to say, ``missing`` did not answer in time or could
    not, each with all below it; ``missing_keys`` are the first of them. ``settling``: the tree has changed of late, and
    nodes may have been in nobody's account. ``truncated``: there were more groups.
    """

    groups: Mapping[str, Aggregate]
    contributed: int
    abstained: int
    missing: int
    missing_keys: tuple[str, ...]
    settling: bool
    truncated: bool

    @property
    def complete(self) -> bool:
        """Every node of the tree is in it."""
        return not (self.missing or self.settling or self.truncated)

    @property
    def values(self) -> dict[str, int | float]:
        """The value of each group."""
        return {name: one.value for name, one in self.groups.items()}

    @property
    def value(self) -> int | float | None:
        """That of the group without a name, which single numbers are in; None: nobody put one in."""
        only = self.groups.get("")
        return None if only is None else only.value

    @property
    def top(self) -> tuple[Ranked, ...]:
        """The same of operation ``top``."""
        only = self.groups.get("")
        return () if only is None else only.top


class Contributor(Protocol):
    """A function of the question, or a coroutine function. It may return nothing: the node abstains."""

    def __call__(self, question: Question, /) -> Values | Awaitable[Values]: ...


OutcomeHook = Callable[[Question, Outcome], None]


class Contribution:
    """What a node has to say to questions of some name, until ``close()`` or the end of the ``with`` block."""

    def __init__(self, contributions: Contributions, name: str | re.Pattern[str], value: Values | Contributor) -> None:
        self._contributions = contributions
        self.name = name
        self._matches: Callable[[str], object] = re.compile(fnmatch.translate(name)).match if isinstance(name, str) else name.fullmatch
        self._value = value

    def close(self) -> None:
        self._contributions.remove(self)

    def __enter__(self) -> Contribution:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Contributions:
    """Answers what a node is asked. Does not keep the node."""

    def __init__(self) -> None:
        self._list: list[Contribution] = []  # the newest first
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_change: Callable[[bool], None] = lambda anything: None
        self.on_told: OutcomeHook | None = None

    def add(self, name: str | re.Pattern[str], value: Values | Contributor) -> Contribution:
        contribution = Contribution(self, name, value)
        self._list.insert(0, contribution)
        self.on_change(True)
        return contribution

    def remove(self, contribution: Contribution) -> None:
        if contribution in self._list:
            self._list.remove(contribution)
            self.on_change(bool(self._list))

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _changed(self) -> None:
        pass

    def _arrived(self, value: Any) -> None:
        if isinstance(value, Asked):
            try:
                self._answer(value)
            except Exception as error:
                value.answer([])
                _report("a contributor of an axl.Node failed: the node abstains", error)
        elif self.on_told is not None:
            try:
                self.on_told(Question(**value[0]), _outcome(value[1]))
            except Exception as error:
                _report("a hook of an axl.Node failed", error)

    # The node abstains when `asked` is let go.
    def _answer(self, asked: Asked) -> None:
        question = Question(**asked.question)
        found = next((one for one in self._list if one._matches(question.name)), None)
        if found is None:
            return
        value = found._value
        if callable(value):
            answer = value(question)
            if inspect.isawaitable(answer):
                task = asyncio.get_running_loop().create_task(self._wait(asked, answer))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                return
            value = answer
        asked.answer(_groups(value))

    async def _wait(self, asked: Asked, answer: Awaitable[Values]) -> None:
        try:
            asked.answer(_groups(await answer))
        except Exception as error:
            asked.answer([])
            _report("a contributor of an axl.Node failed: the node abstains", error)


def _report(message: str, error: Exception) -> None:
    asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error})


def _groups(values: Any) -> list[tuple[str, Any]]:
    if values is None:
        return []
    return list(values.items()) if isinstance(values, Mapping) else [("", values)]


def _outcome(values: Mapping[str, Any]) -> Outcome:
    groups = {one["group"]: Aggregate(one["group"], one["count"], one["value"], tuple(Ranked(*pair) for pair in one["top"]))
              for one in values["groups"]}
    return Outcome(**{**values, "groups": groups, "missing_keys": tuple(values["missing_keys"])})
