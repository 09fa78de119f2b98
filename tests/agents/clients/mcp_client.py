#!/usr/bin/env python3
"""Runs checks with the official MCP client, whichever generation is installed, and prints each result as a line of JSON."""

import argparse
import json
import sys
import time
import traceback

import anyio
from mcp_checks import CHECKS

try:
    import mcp_kind_2 as kind  # the 2.x SDK
except ImportError:
    import mcp_kind_1 as kind

WATCHDOG = 60  # Only ends a check that hangs.


def say(name, ok, detail, start):
    print(json.dumps({"check": name, "ok": ok, "detail": detail, "seconds": round(time.monotonic() - start, 3)}), flush=True)


def reason(error):
    """The innermost cause; task groups wrap it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


async def run(url, mode, names):
    name, start = "connect", time.monotonic()
    try:
        with anyio.fail_after(WATCHDOG * (2 + len(names))):
            async with kind.connect(url, mode) as client:
                say(name, True, client.protocol, start)
                for name in names:
                    await run_one(name, client)
                name, start = "close", time.monotonic()
            say(name, True, None, start)
    except Exception as error:  # pylint: disable=broad-except  # each kind of failure is a result
        traceback.print_exc()
        say(name, False, reason(error), start)


async def run_one(name, client):
    start = time.monotonic()
    try:
        with anyio.fail_after(WATCHDOG):
            detail = await CHECKS[name](client)
        say(name, True, detail, start)
    except Exception as error:  # pylint: disable=broad-except
        traceback.print_exc()
        say(name, False, reason(error), start)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--mode", default="auto", help="of the 2.x client: auto, legacy or a revision")
    parser.add_argument("--checks", required=True)
    options = parser.parse_args()
    print(json.dumps({"python": sys.version.split()[0], "sdk": kind.VERSION}), flush=True)
    anyio.run(run, options.url, options.mode, options.checks.split(","))


if __name__ == "__main__":
    main()
