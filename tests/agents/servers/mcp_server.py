#!/usr/bin/env python3
"""An MCP server of the official SDK, whichever generation is installed, in any of its modes."""

import argparse

import recorder as record_module
import serve
from mcp_events import MemoryEvents
from mcp_tools import add_tools

try:
    import mcp_kind_2 as kind  # the 2.x SDK
except ImportError:
    import mcp_kind_1 as kind


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--stateless", action="store_true", help="no sessions")
    parser.add_argument("--json", action="store_true", help="answers are JSON, not SSE")
    parser.add_argument("--resumable", action="store_true", help="keeps events for Last-Event-ID")
    parser.add_argument("--stdio", action="store_true", help="no HTTP at all")
    options = parser.parse_args()
    if options.stdio:
        server = kind.make("stdio")
        add_tools(server, kind.Context, lambda ctx: {})
        kind.add_questions(server)
        server.run("stdio")
        return
    modes = {"stateless_http": options.stateless, "json_response": options.json}
    if options.resumable:
        modes.update(event_store=MemoryEvents(), retry_interval=100)
    recorder = record_module.Recorder(None)
    server = kind.make("http", modes)
    add_tools(server, kind.Context, kind.headers_of)
    kind.add_questions(server)
    recorder.app = kind.app(server, modes)
    sock, _ = serve.bind(options.port)
    serve.serve(recorder, sock)


if __name__ == "__main__":
    main()
