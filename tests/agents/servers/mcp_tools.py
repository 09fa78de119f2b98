"""The tools of every MCP server of these tests, written once for both SDKs.

Where a test must know that something has passed through while a call was still running, the tool waits for another call
to say so: no clock decides."""

import hashlib
import time

import anyio
from gates import Gates

BIG = 8 << 20


def add_tools(server, context_type, headers_of):
    """`server` is a FastMCP or an MCPServer; `headers_of(context)` are those of the HTTP request behind a call."""
    gates = Gates()

    @server.tool()
    def echo(text: str) -> str:
        """The text itself."""
        return text

    @server.tool()
    def fail() -> str:
        """Never works."""
        raise ValueError("on purpose")

    @server.tool(structured_output=False)
    def big() -> str:
        """8 MiB of text that says its own SHA-256 in front."""
        text = ("0123456789abcdefghijklmnopqrstuvwxyz-_äöü€" * (BIG // 40))[:BIG]
        return hashlib.sha256(text.encode()).hexdigest() + text

    @server.tool()
    def release(gate: str) -> str:
        """Lets a waiting tool go one step further."""
        gates.open(gate)
        return gate

    @server.tool()
    def seen_headers(ctx: context_type) -> dict[str, str]:
        """The headers with which this call came."""
        return dict(headers_of(ctx) or {})

    @server.tool()
    async def count(gate: str, steps: int, ctx: context_type) -> str:
        """Reports progress; each report but the first waits until the one before is known to have come."""
        for step in range(1, steps + 1):
            await gates.wait(gate, step - 1)
            await ctx.report_progress(step, steps, f"{time.time():.6f}")
        await gates.wait(gate, steps)
        return f"{steps} steps"

    @server.tool()
    async def hurry(steps: int, ctx: context_type) -> str:
        """Reports progress without waiting for anyone."""
        for step in range(1, steps + 1):
            await ctx.report_progress(step, steps, f"{time.time():.6f}")
        return f"{steps} steps"

    @server.tool()
    async def hang(label: str) -> str:
        """Runs until someone ends it; `passed` tells how far it is."""
        gates.open(f"started {label}")
        try:
            await anyio.Event().wait()  # until it is cancelled
        finally:
            gates.open(f"ended {label}")

    @server.tool()
    async def passed(gate: str) -> str:
        """Returns once the gate is open."""
        await gates.wait(gate, 1)
        return gate

    @server.tool()
    async def interrupted(gate: str, ctx: context_type) -> str:
        """Closes its own stream on the way: what it says afterwards is for the client to fetch again."""
        await ctx.report_progress(1, 2, "before")
        await gates.wait(gate, 1)
        await ctx.close_sse_stream()
        await ctx.report_progress(2, 2, "after")
        return "resumed"
