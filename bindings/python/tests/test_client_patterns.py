"""Publish and subscribe, and aggregation, of `axl.Client`."""

import asyncio
import gc
import logging
import os

import axl
import numpy
import pytest
from conftest import until
from test_client import beside


def test_messages_are_published_and_heard_at_either_node(run):
    async def test(nodes):
        async with beside(nodes) as (far, near, at_far, at_near):
            assert await at_near.pubsub.topics() == [] and await at_near.pubsub.peers() == []
            async with at_near.subscribe("a/b") as subscription, at_far.subscribe("a/b") as theirs:
                await until(lambda: at_near.pubsub.mesh("a/b"))
                assert await at_near.pubsub.mesh("a/b") == (far.key,)
                bodies = {b"", b"text", bytes(range(256)), os.urandom(1_000_000)}
                for body in bodies:
                    await at_far.publish("a/b", body)
                got = [await subscription.__anext__() for _ in bodies]
                assert {bytes(message.body) for message in got} == bodies
                assert {len(message) for message in got} == {len(body) for body in bodies}
                for message in got:
                    assert (message.topic, message.origin, message.signer, message.proved) == ("a/b", far.key, far.key, True)
                    assert message.relay == far.key and message.hops == 1 and len(message.id) == 32 and message.body.readonly
                # What the node's programs publish comes too, and a node in Python hears what its clients publish.
                assert {(await theirs.__anext__()).id for _ in bodies} == {message.id for message in got}
                in_process = far.subscribe("a/b")
                await at_far.publish("a/b", "from beside")
                assert (await in_process.__anext__()).body == (await theirs.__anext__()).body == b"from beside"
            statistics = await at_far.pubsub.statistics()
            assert (statistics.peers, statistics.published) == (1, 5)
            assert await at_near.pubsub.peers() == [far.key]

    run(test)


def test_a_slow_reader_is_told_how_many_messages_it_has_lost(run, caplog):
    async def test(nodes):
        node = await nodes.node()
        async with axl.Client(f"http://127.0.0.1:{await node.serve_api()}") as client:
            body = os.urandom(200_000)
            async with client.subscribe("bulk") as slow, client.subscribe("bulk") as quick:
                for _ in range(150):  # 30 MB; eight are kept
                    await client.publish("bulk", body)
                    assert (await quick.__anext__()).body == body
                await client.publish("bulk", "last")
                seen = 0
                with caplog.at_level(logging.WARNING, "axl.pubsub"):
                    async for message in slow:
                        seen += 1
                        if message.body == b"last":
                            break
                assert slow.dropped > 0 and seen + slow.dropped == 151 and quick.dropped == 0
                assert len([record for record in caplog.records if "bulk" in record.getMessage()]) == 1

    run(test)


def test_a_subscription_ends_with_its_block_its_program_or_its_node(run):
    async def test(nodes):
        node = await nodes.node()
        async with axl.Client(f"http://127.0.0.1:{await node.serve_api()}") as client:

            async def streams():
                return (await client._json("GET", "/pubsub"))["topics"][0]["streams"]

            async with client.subscribe("t") as subscription:
                waiting = asyncio.ensure_future(subscription.__anext__())
                await asyncio.sleep(0)
            with pytest.raises(StopAsyncIteration):
                await waiting
            with pytest.raises(StopAsyncIteration):
                await subscription.__anext__()
            dropped = client.subscribe("t")
            waiting = asyncio.ensure_future(dropped.__anext__())
            await until(streams)
            waiting.cancel()  # what is cancelled has taken nothing
            await asyncio.gather(waiting, return_exceptions=True)
            await client.publish("t", "x")
            assert (await dropped.__anext__()).body == b"x"
            del dropped, waiting
            gc.collect()

            async def none():
                return not await streams()

            await until(none)
            async with client.subscribe("t") as subscription:
                await node.close()
                with pytest.raises(axl.Closed):
                    await subscription.__anext__()

    run(test)


def test_numbers_of_the_mesh_are_asked_for_and_given(run):
    async def whole(client, name, operation="sum", **options):
        while True:
            outcome = await client.aggregate(name, operation, timeout=5, **options)
            if outcome.contributed + outcome.abstained == 2:
                return outcome

    async def test(nodes):
        async with beside(nodes) as (far, near, at_far, at_near):
            async with await at_far.contribute("load", 3) as given:
                await at_near.contribute("load", {"": numpy.int64(4), "disk": numpy.float64(0.5)}, ttl=60)
                outcome = await whole(at_near, "load", tell_all=True)
                assert outcome.values == {"": 7, "disk": 0.5} and outcome.value == 7 and outcome.missing == 0
                assert (outcome.groups[""].count, outcome.groups["disk"].count, outcome.truncated) == (2, 1, False)

                async def told():
                    heard = await given.told()
                    return heard and heard.contributed == 2 and heard.value == 7

                await until(told)
                # The node in the process asks the same nodes, and says what its programs have left.
                assert (await whole(far, "load")).values == outcome.values
                assert (await whole(at_far, "load", "top", limit=1)).top == (axl.Ranked(4, near.key),)
                assert (await whole(at_far, "load", "count", value=1)).value == 2
                assert (await whole(at_far, "load", "mean", values={"": 6})).value == 5
                assert (await whole(at_far, "load", "max", value=2.5)).value == 4
                near.contribute("local", 8)
                assert (await whole(at_far, "local")).value == 8
            assert (await whole(at_near, "load")).abstained == 1
            await given.aclose()  # it is gone already

            async def complete():
                return (await at_near.aggregate("load")).complete

            await until(complete)

    run(test)


def test_what_cannot_be_done_raises_as_at_a_node(run):
    async def test(nodes):
        node = await nodes.node(pubsub={"max_body": 100}, aggregation=False)
        other = await nodes.node()
        assert await node.serve_api() != await node.serve_api()  # on two ports
        async with axl.Client(f"http://127.0.0.1:{await node.serve_api()}") as client:
            await node.publish("t", bytes(100))
            await client.publish("t", bytes(100))
            with pytest.raises(axl.TooLarge):
                await client.publish("t", bytes(101))
            for topic in ("", " t", "t" * 129, "new\nline", "ü"):
                with pytest.raises(axl.InvalidArgument):
                    await client.publish(topic, b"x")
                with pytest.raises(axl.InvalidArgument):
                    await client.subscribe(topic).__anext__()
            with pytest.raises(axl.NotSupported):
                await client.aggregate("load")
            with pytest.raises(axl.NotSupported):
                await client.contribute("load", 1)
        async with axl.Client(f"http://127.0.0.1:{await other.serve_api()}") as client:
            for arguments, options in ((("",), {}), (("load", "median"), {}), (("load",), {"timeout": 100}), (("load", "top"), {"limit": 65})):
                with pytest.raises(axl.InvalidArgument):
                    await client.aggregate(*arguments, **options)
            for value in (2**63, float("nan"), float("inf"), None, {}):
                with pytest.raises(axl.InvalidArgument):
                    await client.contribute("load", value)
            for value in ("text", [1]):
                with pytest.raises((TypeError, ValueError)):
                    await client.contribute("load", value)

    run(test)
