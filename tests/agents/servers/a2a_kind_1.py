"""An agent with the 0.3 SDK."""

from a2a.server.agent_execution import AgentExecutor  # noqa: F401  # for the agent
from a2a.server.apps import A2AStarletteApplication
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, AgentSkill, Part, TaskState, TextPart
from a2a.utils import new_agent_text_message, new_task


def message(text, context):
    return new_agent_text_message(text, context.context_id)


class Task:
    def __init__(self, updater):
        self._updater = updater

    async def working(self, text):
        await self._updater.update_status(TaskState.working, self._updater.new_agent_message([Part(TextPart(text=text))]))

    async def finish(self, text):
        await self._updater.add_artifact([Part(TextPart(text=text))], name="result")
        await self._updater.complete()


async def start(context, event_queue):
    task = context.current_task or new_task(context.message)
    await event_queue.enqueue_event(task)
    return Task(TaskUpdater(event_queue, task.id, task.context_id))


async def canceled(context, event_queue):
    await TaskUpdater(event_queue, context.task_id, context.context_id).cancel()


def app(executor, url):
    card = AgentCard(name="axl-test-1", description="An agent of tests", version="1", url=f"{url}/rpc",
                     capabilities=AgentCapabilities(streaming=True), default_input_modes=["text"], default_output_modes=["text"],
                     skills=[AgentSkill(id="echo", name="Echo", description="Says it again", tags=["test"])])
    handler = DefaultRequestHandler(agent_executor=executor, task_store=InMemoryTaskStore())
    return A2AStarletteApplication(agent_card=card, http_handler=handler).build(rpc_url="/rpc")
