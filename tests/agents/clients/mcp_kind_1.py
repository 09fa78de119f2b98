"""The 1.x SDK's client, as the checks want it."""

import contextlib
import importlib.metadata

import anyio
from mcp import ClientSession, McpError, types
from mcp.client.streamable_http import streamable_http_client

VERSION = importlib.metadata.version("mcp")


class Client:
    def __init__(self):
        self.session = None
        self.protocol = None
        self._announced = anyio.Event()

    async def tools(self):
        return [tool.name for tool in (await self.session.list_tools()).tools]

    async def _call(self, name, progress, arguments):
        return await self.session.call_tool(name, arguments, progress_callback=progress)

    async def call(self, name, progress=None, **arguments):
        result = await self._call(name, progress, arguments)
        if result.isError:
            raise AssertionError(f"{name}: {result.content}")
        return result.content[0].text

    async def failure(self, name, **arguments):
        result = await self._call(name, None, arguments)
        if not result.isError:
            raise AssertionError(f"{name} worked")
        return result.content[0].text

    async def structured(self, name, **arguments):
        return (await self._call(name, None, arguments)).structuredContent

    @contextlib.asynccontextmanager
    async def announcements(self):
        self._announced = anyio.Event()
        yield self._announced.wait

    async def start_and_cancel(self, started, name, **arguments):
        # This SDK leaves it to its user to tell the server; the number of the next request is the session's own counter.
        number = self.session._request_id  # pylint: disable=protected-access

        async def run():
            with contextlib.suppress(McpError):  # "Request cancelled"
                await self._call(name, None, arguments)

        async with anyio.create_task_group() as group:
            group.start_soon(run)
            await anyio.lowlevel.checkpoint()
            await started()
            await self.session.send_notification(types.ClientNotification(
                types.CancelledNotification(params=types.CancelledNotificationParams(requestId=number, reason="given up"))))
            group.cancel_scope.cancel()

    async def on_message(self, message):
        if isinstance(message, types.ServerNotification) and isinstance(message.root, types.ResourceListChangedNotification):
            self._announced.set()

    @staticmethod
    async def on_sampling(_context, params):
        text = f"model: {params.messages[0].content.text}"
        return types.CreateMessageResult(role="assistant", content=types.TextContent(type="text", text=text), model="test")

    @staticmethod
    async def on_elicitation(_context, _params):
        return types.ElicitResult(action="accept", content={"colour": "green"})


@contextlib.asynccontextmanager
async def connect(url, _mode):
    client = Client()
    async with streamable_http_client(url) as (read, write, _session_id):
        async with ClientSession(read, write, sampling_callback=client.on_sampling, message_handler=client.on_message,
                                 elicitation_callback=client.on_elicitation) as client.session:
            client.protocol = (await client.session.initialize()).protocolVersion
            yield client
