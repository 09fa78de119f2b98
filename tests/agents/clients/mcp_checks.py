"""The fixed list of checks, written once for both MCP SDKs. Each takes a connected client (see mcp_kind_1, mcp_kind_2)."""

import functools
import hashlib
import time

import anyio
from runner import equal

CHECKS = {}
_numbers = iter(range(1 << 30))


def check(function):
    CHECKS[function.__name__] = function
    return function


def fresh(word):
    """A name that no other call uses; the server may have other clients."""
    return f"{word}-{time.time_ns()}-{next(_numbers)}"


@check
async def tools(client):
    names = await client.tools()
    equal({"echo", "count", "ask_model"} <= set(names), True, "the listed tools")
    return f"{len(names)} tools by {client.protocol}"


@check
async def echo(client):
    for text in ("plain", "<&> \u2028 \u00e4\u00f6\u00fc \U0001f9ed", "x" * 100_000, '{"n": 12345678901234567890.1234567890}'):
        equal(await client.call("echo", text=text), text, "the echo")


@check
async def error(client):
    """A tool that fails is a result of its own kind; the session goes on."""
    failure = await client.failure("fail")
    equal("Error executing tool fail" in failure, True, f"the tool's error {failure!r}")
    equal(await client.call("echo", text="after"), "after", "the echo after an error")


@check
async def headers(client):
    """What the server saw; the caller judges."""
    return await client.structured("seen_headers")


@check
async def progress(client):
    """Every report comes while the call that makes it still runs: the tool does not go on before."""
    gate, steps, latencies = fresh("count"), 5, []
    send, receive = anyio.create_memory_object_stream(steps)

    async def on_progress(number, _total, message):
        latencies.append(time.time() - float(message))
        await send.send(number)

    async def release():
        for step in range(1, steps + 1):
            equal(await receive.receive(), step, "the order of progress")
            await client.call("release", gate=gate)

    async with anyio.create_task_group() as group:
        group.start_soon(release)
        equal(await client.call("count", on_progress, gate=gate, steps=steps), f"{steps} steps", "the result")
    return f"slowest report {max(latencies) * 1000:.1f} ms"


@check
async def sampling(client):
    equal(await client.call("ask_model", question="two plus two?"), "model: two plus two?", "the model's answer")


@check
async def elicitation(client):
    equal(await client.call("ask_user", question="which colour?"), "accept green", "the user's answer")


@check
async def announce(client):
    """A notification that belongs to no call: on the GET stream, or on the stream of subscriptions/listen."""
    async with client.announcements() as next_one:
        equal(await client.call("announce"), "announced", "the result")
        await next_one()


@check
async def cancel(client):
    """A call that is given up ends at the server too."""
    label = fresh("hang")

    async def started():
        await client.call("passed", gate=f"started {label}")

    await client.start_and_cancel(started, "hang", label=label)
    await client.call("passed", gate=f"ended {label}")


@check
async def big(client):
    text = await client.call("big")
    equal(hashlib.sha256(text[64:].encode()).hexdigest(), text[:64], "the hash of 8 MiB")
    equal(len(text) - 64, 8 << 20, "the size")


@check
async def beside(client):
    """100 calls at once while the answer of another one stays open."""
    gate, done = fresh("count"), []
    started = anyio.Event()

    async def on_progress(*_):
        started.set()

    async def one(number):
        equal(await client.call("echo", text=str(number)), str(number), "an echo")
        done.append(number)

    async def hold():
        equal(await client.call("count", on_progress, gate=gate, steps=1), "1 steps", "the result of the open call")
        equal(len(done), 100, "calls done before the open one")

    async with anyio.create_task_group() as outer:
        outer.start_soon(hold)
        await started.wait()
        async with anyio.create_task_group() as group:
            for number in range(100):
                group.start_soon(one, number)
        await client.call("release", gate=gate)


@check
async def many(client):
    """As above without a stream, for servers that answer at once."""

    async def one(number):
        equal(await client.call("echo", text=str(number)), str(number), "an echo")

    async with anyio.create_task_group() as group:
        for number in range(100):
            group.start_soon(functools.partial(one, number))


@check
async def resume(client):
    """A stream that the server closes half-way is fetched again by GET with Last-Event-ID."""
    gate, seen = fresh("interrupted"), []
    first = anyio.Event()

    async def on_progress(_number, _total, message):
        seen.append(message)
        first.set()

    async def release():
        await first.wait()
        await client.call("release", gate=gate)

    async with anyio.create_task_group() as group:
        group.start_soon(release)
        equal(await client.call("interrupted", on_progress, gate=gate), "resumed", "the result")
    equal(seen, ["before", "after"], "the progress")
