"""Numbers of many nodes made into one, through a node that runs beside this program."""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from . import errors
from .aggregation import Aggregate, Operation, Outcome, Ranked, _groups

if TYPE_CHECKING:
    from .aggregation import Values
    from .client import Client

# Of a node that takes no part, and when the root of the tree was not heard of.
_FAILURES: dict[int, type[errors.Error]] = {404: errors.NotSupported, 504: errors.TimedOut}


def _target(name: str) -> str:
    return f"/aggregate/{quote(name, safe='')}"


def _number(value: Any) -> int | float:
    """As ``Node`` takes numbers: NumPy's too."""
    if not isinstance(value, float) and hasattr(value, "__index__"):
        whole = operator.index(value)
        if not -(2**63) <= whole < 2**63:
            raise errors.InvalidArgument("a whole number has at most 64 bits; a float may be larger")
        return whole
    if isinstance(value, (str, bytes)):
        raise TypeError(f"not a number: {value!r}")
    return float(value)


def _body(members: Mapping[str, Any], values: Values) -> bytes:
    groups = {} if values is None else {"values": {group: _number(value) for group, value in _groups(values)}}
    try:
        return json.dumps({**members, **groups}, allow_nan=False).encode()
    except ValueError:
        raise errors.InvalidArgument("a number is infinite, or not a number") from None


def _outcome(shown: Mapping[str, Any]) -> Outcome:
    groups = {}
    for one in shown["groups"]:
        top = tuple(Ranked(ranked["value"], ranked["node"]) for ranked in one.get("top", ()))
        groups[one["group"]] = Aggregate(one["group"], one["count"], one.get("value", 0), top)
    return Outcome(groups, shown["contributed"], shown["abstained"], shown["missing"], tuple(shown["missing_keys"]),
                   shown["settling"], shown["truncated"])


async def ask(client: Client, name: str, operation: Operation, values: Values, limit: int, timeout: float, tell_all: bool) -> Outcome:
    question = {"operation": operation, "time": timeout, "tell_all": tell_all, **({"limit": limit} if operation == "top" else {})}
    answer = await client._ask("POST", _target(name), body=_body(question, values), failures=_FAILURES)
    return _outcome(json.loads(answer.body))


class ClientContribution:
    """What the node says to questions of a name, until ``aclose()``, the end of the ``async with`` block, or of its time."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self.name = name

    async def told(self) -> Outcome | None:
        """The last outcome that was told to all; None: there was none yet."""
        shown = await self._client._json("GET", _target(self.name))
        return None if shown["told"] is None else _outcome(shown["told"])

    async def aclose(self) -> None:
        try:
            await self._client._ask("DELETE", _target(self.name))
        except errors.NotFound:
            pass  # its time was over

    async def __aenter__(self) -> ClientContribution:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


async def contribute(client: Client, name: str, values: Values, ttl: float | None) -> ClientContribution:
    members = {} if ttl is None else {"ttl": ttl}
    await client._ask("PUT", _target(name), body=_body(members, values), failures=_FAILURES)
    return ClientContribution(client, name)
