"""What differs in the 2.x SDK: questions are parameters that it fills in by whatever way the client's revision has."""

from typing import Annotated

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Elicit, Resolve, Sample
from mcp_types import CreateMessageResult, SamplingMessage, TextContent
from pydantic import BaseModel


class Answer(BaseModel):
    colour: str


def make(_name, _modes=None):
    return MCPServer("axl-test-2")


def app(server, modes):
    return server.streamable_http_app(**modes)


def headers_of(ctx):
    return ctx.headers


def _sample(question: str) -> Sample:
    message = SamplingMessage(role="user", content=TextContent(type="text", text=question))
    return Sample([message], max_tokens=10)


def _elicit(question: str) -> Elicit[Answer]:
    return Elicit(question, Answer)


def add_questions(server):
    @server.tool()
    async def ask_model(question: str, result: Annotated[CreateMessageResult, Resolve(_sample)]) -> str:
        """Asks the client's model."""
        return result.content.text

    @server.tool()
    async def ask_user(question: str, answer: Annotated[Answer, Resolve(_elicit)]) -> str:
        """Asks the client's user."""
        return f"accept {answer.colour}"

    @server.tool()
    async def announce(ctx: Context) -> str:
        """Tells the client, beside this call, that the resources have changed."""
        await ctx.notify_resources_changed()  # those who listen, of the 2026 revision
        await ctx.session.send_resource_list_changed()  # the session's own stream, before it
        return "announced"
