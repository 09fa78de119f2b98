"""The 2.x SDK's client, as the checks want it."""

import contextlib
import importlib.metadata

import anyio
import mcp
import mcp_types as types
from mcp.client.streamable_http import streamable_http_client
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

VERSION = importlib.metadata.version("mcp")


class Client:
    def __init__(self):
        self.client = None
        self._announced = anyio.Event()

    @property
    def protocol(self):
        return self.client.protocol_version

    async def tools(self):
        return [tool.name for tool in (await self.client.list_tools()).tools]

    async def call(self, name, progress=None, **arguments):
        result = await self.client.call_tool(name, arguments, progress_callback=progress)
        if result.is_error:
            raise AssertionError(f"{name}: {result.content}")
        return result.content[0].text

    async def failure(self, name, **arguments):
        result = await self.client.call_tool(name, arguments)
        if not result.is_error:
            raise AssertionError(f"{name} worked")
        return result.content[0].text

    async def structured(self, name, **arguments):
        return (await self.client.call_tool(name, arguments)).structured_content

    @contextlib.asynccontextmanager
    async def announcements(self):
        if self.protocol in MODERN_PROTOCOL_VERSIONS:
            async with self.client.listen(resources_list_changed=True) as events:
                yield events.__anext__
        else:
            self._announced = anyio.Event()
            yield self._announced.wait

    async def start_and_cancel(self, started, name, **arguments):
        async with anyio.create_task_group() as group:
            group.start_soon(self.client.call_tool, name, arguments)
            await started()
            group.cancel_scope.cancel()

    async def on_message(self, message):
        if isinstance(message, types.ResourceListChangedNotification):
            self._announced.set()

    @staticmethod
    async def on_sampling(_context, params):
        text = f"model: {params.messages[0].content.text}"
        return types.CreateMessageResult(role="assistant", content=types.TextContent(type="text", text=text), model="test")

    @staticmethod
    async def on_elicitation(_context, _params):
        return types.ElicitResult(action="accept", content={"colour": "green"})


@contextlib.asynccontextmanager
async def connect(url, mode):
    client = Client()
    # The SDK's limit for one event, 1 MiB, is not what these tests are about.
    transport = streamable_http_client(url, max_sse_event_size=None)
    async with mcp.Client(transport, mode=mode, sampling_callback=client.on_sampling, message_handler=client.on_message,
                          elicitation_callback=client.on_elicitation) as client.client:
        yield client
