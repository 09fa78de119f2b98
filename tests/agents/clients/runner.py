"""Runs checks by name against a connected client and prints each result as a line of JSON."""

import json
import time
import traceback

import anyio

WATCHDOG = 60  # Only ends a check that hangs.


def equal(value, expected, what):
    if value != expected:
        raise AssertionError(f"{what}: {str(value)[:300]!r} instead of {str(expected)[:300]!r}")


def say(name, ok, detail, start):
    print(json.dumps({"check": name, "ok": ok, "detail": detail, "seconds": round(time.monotonic() - start, 3)}), flush=True)


def reason(error):
    """The innermost cause; task groups wrap it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


async def run(connecting, checks):
    """`connecting` is an async context manager that yields a client with a `protocol`; `checks` are (name, function)."""
    name, start = "connect", time.monotonic()
    try:
        with anyio.fail_after(WATCHDOG * (2 + len(checks))):
            async with connecting as client:
                say(name, True, client.protocol, start)
                for one in checks:
                    await _run_one(*one, client)
                name, start = "close", time.monotonic()
            say(name, True, None, start)
    except Exception as error:  # pylint: disable=broad-except  # each kind of failure is a result
        traceback.print_exc()
        say(name, False, reason(error), start)


async def _run_one(name, function, client):
    start = time.monotonic()
    try:
        with anyio.fail_after(WATCHDOG):
            detail = await function(client)
        say(name, True, detail, start)
    except Exception as error:  # pylint: disable=broad-except
        traceback.print_exc()
        say(name, False, reason(error), start)
