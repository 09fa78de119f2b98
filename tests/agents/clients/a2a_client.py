#!/usr/bin/env python3
"""Runs checks with the official A2A client, whichever generation is installed. It gets nothing but the agent's base URL."""

import argparse
import json

import anyio
import runner
from a2a_checks import CHECKS

try:
    import a2a_kind_2 as kind  # the 1.x SDK
except ImportError:
    import a2a_kind_1 as kind


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--binding", default="JSONRPC", help="JSONRPC or HTTP+JSON")
    parser.add_argument("--checks", required=True)
    options = parser.parse_args()
    print(json.dumps({"sdk": kind.VERSION}), flush=True)
    checks = [(name, CHECKS[name]) for name in options.checks.split(",")]
    anyio.run(runner.run, kind.connect(options.url, options.binding), checks)


if __name__ == "__main__":
    main()
