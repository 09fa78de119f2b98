"""Never run: mypy --strict reads it as a program of a user's."""

from __future__ import annotations

from typing import Literal

import axl
import numpy
import numpy.typing


async def use(node: axl.Node, peer: str, array: numpy.typing.NDArray[numpy.float64]) -> float:
    receipt: axl.Receipt = await node.send(peer, array, topic="arrays", retry_for=5)
    name: str = receipt.id
    async for message in node.messages("arrays"):
        body: memoryview = message.body
        name += message.sender + str(len(body))
        break
    async for lease in node.leases("jobs", seconds=60):
        async with lease as job:
            name += job.topic
    async with await node.connect(peer, 4000) as session:
        session.write(name)
        await session.drain()
        line: bytes = await session.readline()
        await session.send_message(line)
    async for accepted in node.listen(4000):
        async for part in accepted.messages():
            name += str(numpy.frombuffer(part, dtype="<f8").sum())
    topology: axl.Topology = await node.topology()
    try:
        return await node.ping(topology.peers[0].public_key, timeout=1)
    except axl.TimedOut as error:
        code: axl.Errc = error.code
        return float(code)


async def beside() -> str:
    async with axl.Client(token="0123456789abcdef") as client:
        await client.send(await client.key(), b"x")
        message = await client.receive("topic", wait=5)
        async with client.subscribe("metrics") as subscription:
            await client.publish("metrics", "1")
            async for published in subscription:
                name: str = published.origin + str(len(published.body) + subscription.dropped)
                break
        async with await client.contribute("load", {"cpu": numpy.float64(1)}, ttl=60) as given:
            outcome: axl.Outcome = await client.aggregate("load", "mean", timeout=5)
            told: axl.Outcome | None = await given.told()
            name += str(outcome.values) + str(told)
        statistics: axl.PubSubStatistics = await client.pubsub.statistics()
        return name + str(statistics.peers) if message is None else message.sender


def make() -> axl.Node:
    options: axl.NodeOptions = {"listen": ["tls://[::]:9001"], "identity": axl.PrivateKey.generate(),
                                "log_level": axl.LogLevel.debug, "bulk_thread": axl.BulkThread.never}
    return axl.Node(log=axl.log_to_logging, **options)


async def patterns(node: axl.Node) -> float:
    await node.publish("metrics", b"1")

    async def judge(message: axl.Published) -> Literal["accept", "reject"]:
        return "accept" if message.proved else "reject"

    async for message in node.subscribe("metrics", judge):
        body: memoryview = message.body
        mesh: tuple[str, ...] = await node.pubsub.mesh(message.topic)
        return float(len(body) + len(mesh))
    with node.contribute("load.*", lambda question: {"cpu": 1.5, "disk": numpy.float64(2)}):
        outcome: axl.Outcome = await node.aggregate("load.all", "mean", values={"cpu": 1}, timeout=5)
    node.contribute("users", 5)
    return outcome.values["cpu"] + (outcome.value or 0) + sum(one.count for one in outcome.groups.values())
