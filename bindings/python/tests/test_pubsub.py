"""Publish and subscribe among three nodes in a line."""

import asyncio
import gc
import json
import logging

import axl
import pytest
from conftest import until


async def line(nodes):
    """The ends have no link with each other."""
    middle = await nodes.node()
    return await nodes.node(middle), middle, await nodes.node(middle)


async def meshed(*members, topic="news"):
    for node in members:
        await until(lambda node=node: node.pubsub.mesh(topic))


def test_what_one_publishes_the_others_get_with_the_key_that_published_it(run):
    async def test(nodes):
        members = await line(nodes)
        subscriptions = [node.subscribe("news") for node in members]
        await meshed(*members)
        await members[0].publish("news", "from the left")
        for subscription in subscriptions[1:]:
            message = await subscription.__anext__()
            assert (message.topic, message.origin, message.signer) == ("news", members[0].key, members[0].key)
            assert message.proved and message.hops >= 1 and len(message.id) == 32
            assert message.body == b"from the left" and message.body.readonly and len(message) == 13
        ids = set()
        for number in range(200):
            for node in members:
                await node.publish("news", f"{number} of {node.key}")
        for subscription, node in zip(subscriptions, members, strict=True):
            bodies = []
            async for message in subscription:
                ids.add(message.id)
                bodies.append(bytes(message.body).decode())
                if len(bodies) == 400:
                    break
            expected = {f"{number} of {other.key}" for number in range(200) for other in members if other is not node}
            assert set(bodies) == expected and subscription.dropped == 0
        assert len(ids) == 600
        statistics = await members[1].pubsub.statistics()
        assert (statistics.published, statistics.delivered, statistics.refused) == (200, 401, 0)
        assert members[0].key in await members[1].pubsub.peers()
        (topic,) = await members[1].pubsub.topics()
        assert topic.name == "news" and topic.peers >= 2 and set(topic.mesh) <= {node.key for node in members}

    run(test)


def test_validators_of_both_kinds_decide_what_is_delivered_and_handed_on(run):
    seen = []

    def plain(message):
        return "reject" if message.body == b"wrong" else "accept"

    async def slow(message):
        await asyncio.sleep(0)
        seen.append(bytes(message.body))
        return "ignore" if message.body == b"dull" else "accept"

    async def test(nodes):
        left, middle, right = await line(nodes)
        first, second = middle.subscribe("news", plain), middle.subscribe("news", slow)
        left.subscribe("elsewhere")
        await until(lambda: middle.pubsub.peers())
        for text in ("wrong", "dull", "good"):
            await left.publish("news", text)
        for subscription in (first, second):
            assert (await subscription.__anext__()).body == b"good"
        await until(lambda: {b"dull", b"good"} <= set(seen))
        assert (await middle.pubsub.statistics()).delivered == 1
        assert (await right.pubsub.topics()) == []

    run(test)


def test_a_validator_that_fails_ignores_the_message_and_is_reported(run):
    def failing(message):
        if message.body == b"fail":
            raise ValueError("broken")
        return "accept" if message.body == b"good" else "perhaps"

    async def later(message):
        return failing(message)

    async def test(nodes):
        left, right = await nodes.pair()
        reports = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: reports.append(context["exception"]))
        first, second = right.subscribe("news", failing), right.subscribe("news", later)
        for text in ("fail", "neither", "good"):
            await left.publish("news", text)
        assert (await first.__anext__()).body == (await second.__anext__()).body == b"good"
        await until(lambda: len(reports) == 4)
        assert {type(report) for report in reports} == {ValueError, axl.InvalidArgument}

    run(test)


def test_a_slow_reader_loses_the_oldest_messages_and_is_told_how_many(run, caplog):
    async def test(nodes):
        left, right = await nodes.pair()
        slow, quick = right.subscribe("news", max_waiting=10), right.subscribe("news")
        for number in range(50):
            await left.publish("news", str(number))
        got = {int(bytes((await quick.__anext__()).body)) for _ in range(50)}
        assert got == set(range(50))
        assert slow.dropped == 40
        with caplog.at_level(logging.WARNING, "axl.pubsub"):
            rest = {int(bytes((await slow.__anext__()).body)) for _ in range(10)}
        assert len(rest) == 10 and rest <= got
        assert len([record for record in caplog.records if "news" in record.getMessage()]) == 1
        with pytest.raises(ValueError):
            right.subscribe("news", max_waiting=0)

    run(test)


def test_a_subscription_ends_with_its_block_its_program_or_its_node(run):
    async def test(nodes):
        node = await nodes.node()
        async with node.subscribe("one") as subscription:
            assert [topic.name for topic in await node.pubsub.topics()] == ["one"]
        assert await node.pubsub.topics() == []
        with pytest.raises(StopAsyncIteration):
            await subscription.__anext__()
        dropped = node.subscribe("two")
        del dropped
        gc.collect()
        assert await node.pubsub.topics() == []
        waiting = asyncio.ensure_future(node.subscribe("three").__anext__())
        await asyncio.sleep(0)
        await node.close()
        with pytest.raises(axl.Closed):
            await waiting
        with pytest.raises(axl.Closed):
            node.subscribe("four")

    run(test)


def test_programs_that_send_json_take_part_if_wished(run):
    async def test(nodes):
        ours = await nodes.node(pubsub={"legacy": True})
        theirs = await nodes.node(ours)
        subscription = ours.subscribe("news")

        async def say(kind, **members):
            await theirs.send(ours.key, json.dumps({"type": "gossipsub", "msg_type": kind, "topic": "news", **members}))

        await say("GRAFT")
        await until(lambda: ours.pubsub.mesh("news"))
        await say("MESSAGE", msg_id="00000000:000001", origin=theirs.key, hop=0, data="b2xk", **{"from": theirs.key})
        message = await subscription.__anext__()
        assert (message.body, message.origin, message.signer, message.proved) == (b"old", theirs.key, ours.key, False)
        await ours.publish("news", "new")
        said = {"msg_type": ""}
        while said["msg_type"] != "MESSAGE":  # others come before
            said = json.loads(bytes((await theirs.receive()).body))
        assert said["data"] == "bmV3"

    run(test)


def test_what_cannot_be_published_raises(run):
    async def test(nodes):
        node = await nodes.node(pubsub={"max_body": 100})
        with pytest.raises(axl.InvalidArgument):
            await node.publish("", "no topic")
        with pytest.raises(axl.TooLarge):
            await node.publish("news", bytes(101))
        with pytest.raises(TypeError):
            await node.publish("news", 5)
        with pytest.raises(axl.InvalidArgument):
            node.subscribe("new\nline")
        with pytest.raises(TypeError):
            axl.Node(pubsub={"no_such": 1})

    run(test)
