"""An agent with the 1.x SDK: protocol 1.0 as JSON-RPC and as REST, and 0.3 beside them."""

from a2a.helpers import new_task_from_user_message, new_text_message, new_text_part
from a2a.server.agent_execution import AgentExecutor  # noqa: F401  # for the agent
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes, create_rest_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types.a2a_pb2 import AgentCapabilities, AgentCard, AgentInterface, AgentSkill
from starlette.applications import Starlette


def message(text, _context):
    return new_text_message(text)


class Task:
    def __init__(self, updater):
        self._updater = updater

    async def working(self, text):
        await self._updater.start_work(self._updater.new_agent_message([new_text_part(text)]))

    async def finish(self, text):
        await self._updater.add_artifact([new_text_part(text)], name="result")
        await self._updater.complete()


async def start(context, event_queue):
    task = context.current_task or new_task_from_user_message(context.message)
    await event_queue.enqueue_event(task)
    return Task(TaskUpdater(event_queue, task.id, task.context_id))


async def canceled(context, event_queue):
    await TaskUpdater(event_queue, context.task_id, context.context_id).cancel()


def app(executor, url):
    interfaces = [AgentInterface(url=f"{url}/rpc", protocol_binding="JSONRPC", protocol_version="1.0"),
                  AgentInterface(url=f"{url}/rpc", protocol_binding="JSONRPC", protocol_version="0.3"),
                  AgentInterface(url=f"{url}/rest", protocol_binding="HTTP+JSON", protocol_version="1.0")]
    card = AgentCard(name="axl-test-2", description="An agent of tests", version="1", supported_interfaces=interfaces,
                     capabilities=AgentCapabilities(streaming=True), default_input_modes=["text"], default_output_modes=["text"],
                     skills=[AgentSkill(id="echo", name="Echo", description="Says it again", tags=["test"])])
    handler = DefaultRequestHandler(agent_executor=executor, task_store=InMemoryTaskStore(), agent_card=card)
    return Starlette(routes=[*create_agent_card_routes(card),
                             *create_jsonrpc_routes(handler, "/rpc", enable_v0_3_compat=True),
                             *create_rest_routes(handler, path_prefix="/rest")])
