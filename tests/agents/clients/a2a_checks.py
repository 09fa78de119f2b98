"""The fixed list of checks, written once for both A2A SDKs. The agent is servers/a2a_agent.py.

A client has `send(text)` and `send_and_wait(text)`, which yield events: ("message", text), ("task", id, state),
("status", state, text) and ("artifact", text)."""

import json
import time

import anyio
from runner import equal

CHECKS = {}


def check(function):
    CHECKS[function.__name__] = function
    return function


async def collect(events):
    return [event async for event in events]


@check
async def card(client):
    equal(client.card.name.startswith("axl-test-"), True, "the name in the card")
    return client.urls()


@check
async def send(client):
    for text in ("plain", "<&> \u2028 \u00e4 \U0001f9ed", "x" * 100_000):
        equal(await collect(client.send_and_wait(f"echo {text}")), [("message", text)], "the answer")


@check
async def stream(client):
    """Every step comes while the task goes on: it does not continue before."""
    gate, seen = f"count-{time.time_ns()}", []
    async for event in client.send(f"count {gate} 5"):
        seen.append(event)
        if event[0] == "status" and event[2].startswith("step"):
            equal(await collect(client.send_and_wait(f"release {gate}")), [("message", "released")], "the release")
    steps = [event[2] for event in seen if event[0] == "status" and event[2]]
    equal(steps, [f"step {number}" for number in range(1, 6)], "the steps")
    equal([event for event in seen if event[0] == "artifact"], [("artifact", "5 steps")], "the artifact")
    equal(seen[-1][:2], ("status", "completed"), "the end")


@check
async def tasks(client):
    """A task outlives its call; GetTask, ListTasks where there is such a thing, and an unknown one is an error."""
    gate = f"count-{time.time_ns()}"
    await collect(client.send_and_wait(f"release {gate}"))
    number = [event[1] async for event in client.send(f"count {gate} 1") if event[0] == "task"][0]
    equal(await client.state(number), "completed", "the state of the task")
    listed = await client.list()
    equal(listed is None or number in listed, True, "the task is listed")
    try:
        await client.state("no-such-task")
    except client.not_found as error:
        return str(error)
    raise AssertionError("a task that does not exist was found")


async def cancel_hanging(client, to_the_end):
    send, receive = anyio.create_memory_object_stream(10)

    async def follow():
        seen = []
        async for event in client.send("hang"):
            seen.append(event)
            if event[0] == "task":
                await send.send(event[1])
        equal(seen[-1][:2], ("status", "canceled"), "the end of the stream")

    async with anyio.create_task_group() as group:
        group.start_soon(follow)
        number = await receive.receive()
        equal(await client.cancel(number), "canceled", "the state after CancelTask")
        if not to_the_end:
            group.cancel_scope.cancel()


@check
async def cancel(client):
    """CancelTask ends a running task."""
    await cancel_hanging(client, to_the_end=False)


@check
async def cancel_seen(client):
    """And those who follow it see that."""
    await cancel_hanging(client, to_the_end=True)


@check
async def subscribe(client):
    """A second stream of a task that goes on until it is told, by who has seen something of it there."""
    gate = f"drip-{time.time_ns()}"
    send, receive = anyio.create_memory_object_stream(10)

    async def follow():
        async for event in client.send(f"drip {gate}"):
            if event[0] == "task":
                await send.send(event[1])

    async with anyio.create_task_group() as group:
        group.start_soon(follow)
        number = await receive.receive()
        seen = []
        async for event in client.subscribe(number):
            if not seen:
                await collect(client.send_and_wait(f"release {gate}"))
            seen.append(event)
        equal(seen[-1][:2], ("status", "completed"), "the end of the second stream")


# The agent that is a node itself: its skills are MCP services, and a message is {"service", "request"}.
CALL = json.dumps({"service": "notes", "request": {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                                                   "params": {"name": "echo", "arguments": {"text": "by a skill"}}}})


@check
async def skills(client):
    return [skill.id for skill in client.card.skills]


@check
async def skill(client):
    events = await collect(client.send_and_wait(CALL))
    equal(len(events), 1, f"the events {events}")
    kind, number, state = events[0]
    equal((kind, state), ("task", "completed"), "the result")
    equal(await client.state(number), "completed", "the state of the task")
    equal("by a skill" in await client.artifact(number), True, "the answer of the tool is in the artifact")


@check
async def skill_streamed(client):
    events = await collect(client.send(CALL))
    equal([event[0] for event in events][0], "task", "the first event")
    equal(len([event for event in events if event[0] == "artifact" and "by a skill" in event[1]]), 1, "the artifacts")
    equal(events[-1][:2], ("status", "completed"), "the last event")
