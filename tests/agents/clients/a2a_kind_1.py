"""The 0.3 SDK's client, as the checks want it."""

import contextlib
import importlib.metadata

import httpx
from a2a.client import ClientConfig, ClientFactory
from a2a.client.errors import A2AClientError
from a2a.client.helpers import create_text_message_object
from a2a.types import Message, TaskArtifactUpdateEvent, TaskIdParams, TaskQueryParams, TaskStatusUpdateEvent
from a2a.utils import get_artifact_text, get_message_text

VERSION = importlib.metadata.version("a2a-sdk")


async def _events(responses):
    async for response in responses:
        if isinstance(response, Message):
            yield "message", get_message_text(response)
            continue
        task, update = response
        if isinstance(update, TaskStatusUpdateEvent):
            text = get_message_text(update.status.message) if update.status.message else ""
            yield "status", update.status.state.value, text
        elif isinstance(update, TaskArtifactUpdateEvent):
            yield "artifact", get_artifact_text(update.artifact)
        else:
            yield "task", task.id, task.status.state.value


class Client:
    not_found = A2AClientError

    def __init__(self, card, streaming, waiting):
        self.card, self._streaming, self._waiting = card, streaming, waiting
        self.protocol = card.protocol_version

    def urls(self):
        return [self.card.url, *(other.url for other in self.card.additional_interfaces or [])]

    def send(self, text):
        return _events(self._streaming.send_message(create_text_message_object(content=text)))

    def send_and_wait(self, text):
        return _events(self._waiting.send_message(create_text_message_object(content=text)))

    async def state(self, number):
        return (await self._streaming.get_task(TaskQueryParams(id=number))).status.state.value

    async def artifact(self, number):
        return get_artifact_text((await self._streaming.get_task(TaskQueryParams(id=number))).artifacts[0])

    async def list(self):
        return None  # 0.3 has no such method

    async def cancel(self, number):
        return (await self._streaming.cancel_task(TaskIdParams(id=number))).status.state.value

    def subscribe(self, number):
        return _events(self._streaming.resubscribe(TaskIdParams(id=number)))


@contextlib.asynccontextmanager
async def connect(url, _binding):
    async with httpx.AsyncClient(timeout=60) as http:
        streaming, waiting = [
            await ClientFactory.connect(url, ClientConfig(streaming=way, httpx_client=http)) for way in (True, False)]
        yield Client(await streaming.get_card(), streaming, waiting)
