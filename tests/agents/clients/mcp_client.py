#!/usr/bin/env python3
"""Runs checks with the official MCP client, whichever generation is installed."""

import argparse
import json

import anyio
import runner
from mcp_checks import CHECKS

try:
    import mcp_kind_2 as kind  # the 2.x SDK
except ImportError:
    import mcp_kind_1 as kind


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--mode", default="auto", help="of the 2.x client: auto, legacy or a revision")
    parser.add_argument("--checks", required=True)
    options = parser.parse_args()
    print(json.dumps({"sdk": kind.VERSION}), flush=True)
    checks = [(name, CHECKS[name]) for name in options.checks.split(",")]
    anyio.run(runner.run, kind.connect(options.url, options.mode), checks)


if __name__ == "__main__":
    main()
