"""Services in the program: an MCP server of the official SDK, and ASGI applications, called across the mesh."""

import asyncio

import axl
import pytest
from conftest import until

mcp = pytest.importorskip("mcp")


def greeter():
    """A server of whichever generation of the SDK is here."""
    try:
        from mcp.server.fastmcp import Context, FastMCP as Server
    except ImportError:
        from mcp.server.mcpserver import Context, MCPServer as Server
    server = Server("greeter")

    @server.tool()
    async def greet(name: str, ctx: Context) -> str:
        """Greets."""
        headers = getattr(ctx, "headers", None)
        if headers is None:
            headers = ctx.request_context.request.headers
        return f"hello {name}, {headers['x-from-peer-id']}"

    @server.tool()
    async def fail() -> str:
        """Fails."""
        raise RuntimeError("broken")

    return server


async def call(url, tool, arguments):
    """With a client of the SDK."""
    if hasattr(mcp, "Client"):
        async with mcp.Client(url) as client:
            return await client.call_tool(tool, arguments)
    from mcp.client.streamable_http import streamablehttp_client

    async with streamablehttp_client(url) as (read, write, _), mcp.ClientSession(read, write) as session:
        await session.initialize()
        return await session.call_tool(tool, arguments)


def test_an_mcp_server_is_called_across_the_mesh(run):
    async def test(nodes):
        server, caller = await nodes.pair()
        service = await server.serve_mcp("greeter", greeter())
        url = f"http://127.0.0.1:{await caller.serve_api()}/mcp/{server.key}/greeter"
        result = await call(url, "greet", {"name": "Bob"})
        assert result.content[0].text == f"hello Bob, {caller.key}"
        failed = await call(url, "fail", {})
        assert getattr(failed, "is_error", getattr(failed, "isError", None))
        (info,) = await server.services()
        assert (info.name, info.kind) == ("greeter", "handler") and info.requests > 0
        await service.close()
        await service.close()
        assert await server.services() == []

    run(test)


def test_only_those_allowed_may_call(run):
    async def test(nodes):
        server, caller = await nodes.pair()
        await server.serve_mcp("greeter", greeter(), allow=["ab" * 32])
        port = await caller.serve_api()
        assert (await http(port, "POST", f"/mcp/{server.key}/greeter"))[0] == 403

    run(test)


async def http(port, method, path, body=b"", headers=()):
    """One request; returns status, headers and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close", f"Content-Length: {len(body)}", *headers]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    head, _, rest = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return int(head.split()[1]), head.decode().lower(), rest


def test_an_asgi_application_gets_the_request_and_answers_whole_or_in_pieces(run):
    scopes = []

    async def application(scope, receive, send):
        if scope["type"] == "lifespan":
            raise NotImplementedError
        scopes.append(scope)
        body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 201, "headers": [(b"x-mine", b"yes")]})
        if scope["query_string"] == b"pieces":
            for _ in range(3):
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": body})

    async def test(nodes):
        server, caller = await nodes.pair()
        await server.serve_asgi("echo", application, path="/base")
        port = await caller.serve_api()
        path = f"/mcp/{server.key}/echo/a%20b"
        status, head, body = await http(port, "PUT", path, b"hello")
        assert (status, body) == (201, b"hello") and "x-mine: yes" in head
        status, _, body = await http(port, "PUT", path + "?pieces", b"hello")
        assert status == 201 and body.count(b"hello") == 4
        scope = scopes[0]
        assert (scope["method"], scope["path"], scope["raw_path"]) == ("PUT", "/base/a b", b"/base/a%20b")
        assert scope["extensions"]["axl"] == {"caller": caller.key, "service": "echo"}
        assert dict(scope["headers"])[b"x-from-peer-id"].decode() == caller.key

    run(test)


def test_an_application_that_fails_is_a_500_and_the_next_call_works(run):
    async def application(scope, receive, send):
        if scope["type"] == "http" and scope["path"] == "/fail":
            raise ValueError("broken")
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    async def test(nodes):
        server, caller = await nodes.pair()
        await server.serve_asgi("app", application)
        port = await caller.serve_api()
        assert (await http(port, "GET", f"/mcp/{server.key}/app/fail"))[0] == 500
        assert (await http(port, "GET", f"/mcp/{server.key}/app/fine"))[0] == 204

    run(test)


def test_an_application_hears_that_its_caller_has_gone(run):
    heard = asyncio.Event()

    async def application(scope, receive, send):
        if scope["type"] != "http":
            return
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        assert (await receive())["type"] == "http.disconnect"
        heard.set()

    async def test(nodes):
        server, caller = await nodes.pair()
        await server.serve_asgi("stream", application)
        port = await caller.serve_api()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /mcp/{server.key}/stream HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await reader.readuntil(b"data: 1\n\n")
        writer.close()
        await heard.wait()

    run(test)


def test_an_application_starts_and_ends_with_its_service(run):
    seen = []

    async def application(scope, receive, send):
        if scope["type"] == "lifespan":
            while True:
                event = (await receive())["type"]
                seen.append(event)
                await send({"type": event + ".complete"})
                if event == "lifespan.shutdown":
                    return

    async def failing(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    async def test(nodes):
        server = await nodes.node()
        async with await server.serve_asgi("app", application):
            assert seen == ["lifespan.startup"]
        assert seen == ["lifespan.startup", "lifespan.shutdown"]
        with pytest.raises(RuntimeError, match="no database"):
            await server.serve_asgi("other", failing)
        assert await server.services() == []
        await server.serve_asgi("app", application)

    run(test)
    assert seen == ["lifespan.startup", "lifespan.shutdown"] * 2


def test_servers_at_urls_and_commands_are_registered_too(run):
    async def test(nodes):
        server = await nodes.node()
        await server.serve_url("web", "http://127.0.0.1:8000/mcp", allow=[server.key], health_path="/", health_interval=3600)
        await server.serve_command("tool", ["cat"], allow=[server.key], environment={"A": "b"})
        assert [(info.name, info.kind) for info in await server.services()] == [("tool", "command"), ("web", "url")]
        assert await server.remove_service("web") is True
        assert await server.remove_service("web") is False
        with pytest.raises(axl.InvalidArgument):
            await server.serve_url("", "http://127.0.0.1:8000/mcp")
        with pytest.raises(TypeError):
            await server.serve_mcp("no", object())
        assert await server.serve_router() > 0
        await until(lambda: True)

    run(test)
