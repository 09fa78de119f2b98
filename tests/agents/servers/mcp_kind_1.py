"""What differs in the 1.x SDK: FastMCP, and questions to the client in the middle of a call."""

from mcp import types
from mcp.server.fastmcp import Context, FastMCP  # noqa: F401  # Context is for the tools
from pydantic import BaseModel


class Answer(BaseModel):
    colour: str


def make(_name, modes=None):
    return FastMCP("axl-test-1", **(modes or {}))


def app(server, _modes):
    return server.streamable_http_app()


def headers_of(ctx):
    return ctx.request_context.request.headers


def add_questions(server):
    @server.tool()
    async def ask_model(question: str, ctx: Context) -> str:
        """Asks the client's model."""
        message = types.SamplingMessage(role="user", content=types.TextContent(type="text", text=question))
        result = await ctx.session.create_message([message], max_tokens=10, related_request_id=ctx.request_id)
        return result.content.text

    @server.tool()
    async def ask_user(question: str, ctx: Context) -> str:
        """Asks the client's user."""
        result = await ctx.elicit(question, Answer)
        return f"{result.action} {result.data.colour}"

    @server.tool()
    async def announce(ctx: Context) -> str:
        """Tells the client, beside this call, that the resources have changed."""
        await ctx.session.send_resource_list_changed()
        return "announced"
