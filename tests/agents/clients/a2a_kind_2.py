"""The 1.x SDK's client, as the checks want it."""

import contextlib
import importlib.metadata

import httpx
from a2a.client import ClientConfig, ClientFactory
from a2a.helpers import get_artifact_text, get_message_text, new_text_message
from a2a.types.a2a_pb2 import (CancelTaskRequest, GetTaskRequest, ListTasksRequest, Role, SendMessageRequest,
                               SubscribeToTaskRequest, TaskState)
from a2a.utils.errors import TaskNotFoundError

VERSION = importlib.metadata.version("a2a-sdk")


def _state(number):
    return TaskState.Name(number).removeprefix("TASK_STATE_").lower()


async def _events(responses):
    async for response in responses:
        kind = response.WhichOneof("payload")
        part = getattr(response, kind)
        if kind == "message":
            yield "message", get_message_text(part)
        elif kind == "task":
            yield "task", part.id, _state(part.status.state)
        elif kind == "status_update":
            yield "status", _state(part.status.state), get_message_text(part.status.message)
        else:
            yield "artifact", get_artifact_text(part.artifact)


class Client:
    not_found = TaskNotFoundError

    def __init__(self, card, streaming, waiting):
        self.card, self._streaming, self._waiting = card, streaming, waiting
        self.protocol = card.supported_interfaces[0].protocol_version

    def urls(self):
        return [interface.url for interface in self.card.supported_interfaces]

    @staticmethod
    def _request(text):
        return SendMessageRequest(message=new_text_message(text, role=Role.ROLE_USER))

    def send(self, text):
        return _events(self._streaming.send_message(self._request(text)))

    def send_and_wait(self, text):
        return _events(self._waiting.send_message(self._request(text)))

    async def state(self, number):
        return _state((await self._streaming.get_task(GetTaskRequest(id=number))).status.state)

    async def artifact(self, number):
        return get_artifact_text((await self._streaming.get_task(GetTaskRequest(id=number))).artifacts[0])

    async def list(self):
        if self.protocol.startswith("0."):
            return None
        return [task.id for task in (await self._streaming.list_tasks(ListTasksRequest())).tasks]

    async def cancel(self, number):
        return _state((await self._streaming.cancel_task(CancelTaskRequest(id=number))).status.state)

    def subscribe(self, number):
        return _events(self._streaming.subscribe(SubscribeToTaskRequest(id=number)))


@contextlib.asynccontextmanager
async def connect(url, binding):
    async with httpx.AsyncClient(timeout=60) as http:
        streaming, waiting = [
            await ClientFactory(ClientConfig(streaming=way, httpx_client=http, supported_protocol_bindings=[binding])).create_from_url(url)
            for way in (True, False)]
        yield Client(streaming._card, streaming, waiting)  # pylint: disable=protected-access
