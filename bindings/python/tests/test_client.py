"""`axl.Client` and the local API that a node serves."""

import asyncio
import contextlib

import axl
import pytest
from conftest import until


@contextlib.asynccontextmanager
async def beside(nodes, **options):
    """Two nodes, and a client of each."""
    far, near = await nodes.pair(**options)
    token = options.get("api_token")
    async with axl.Client(f"http://127.0.0.1:{await far.serve_api()}", token=token) as at_far:
        async with axl.Client(f"http://127.0.0.1:{await near.serve_api()}", token=token) as at_near:
            yield far, near, at_far, at_near


def test_messages_go_out_and_come_in(run):
    async def test(nodes):
        async with beside(nodes) as (far, near, at_far, at_near):
            assert await at_far.receive() is None
            receipt = await at_near.send(far.key, b"hello", id="mine")
            assert receipt == axl.Receipt("mine", "queued")
            await at_near.send(far.key, bytearray(1_000_000), topic="jobs")
            message = await at_far.receive(wait=30)
            assert (message.sender, message.id, message.body) == (near.key, "mine", b"hello")
            job = await at_far.receive("jobs", sender=near.key)
            assert job.topic == "jobs" and len(job) == 1_000_000
            assert (await at_near.send(far.key, "x", receipt=False)).delivery == "handed_over"
            assert (await at_near.send("ab" * 32, "x", retry_for=60)).delivery == "kept"

    run(test)


def test_an_iterator_takes_what_it_hands_out_and_no_more(run):
    async def test(nodes):
        async with beside(nodes) as (far, near, at_far, _):
            for number in range(300):
                await near.send(far.key, str(number), topic="t")
            async with at_far.messages("t") as messages:
                for number in range(100):
                    assert int(bytes((await messages.__anext__()).body)) == number

            async def left():
                return (await far.statistics()).queue.leased == 0

            await until(left)
            assert int(bytes((await far.receive("t")).body)) == 100
            async for message in at_far.messages("t"):
                assert message.body == b"101"
                break
            del message
            await until(left)
            assert int(bytes((await far.receive("t")).body)) == 102

    run(test)


def test_a_lease_is_confirmed_or_comes_again(run):
    async def test(nodes):
        async with beside(nodes) as (far, near, at_far, _):
            await near.send(far.key, "work")
            leases = at_far.leases(seconds=20)
            lease = await leases.__anext__()
            with pytest.raises(ZeroDivisionError):
                async with lease:
                    raise ZeroDivisionError
            await leases.aclose()  # what is not confirmed is free
            async with at_far.leases() as leases:
                async with await leases.__anext__() as message:
                    assert message.body == b"work"

                async def gone():
                    return (await far.statistics()).queue.messages == 0

                await until(gone)

    run(test)


def test_the_neighbourhood_is_seen_as_by_the_node(run):
    async def test(nodes):
        async with beside(nodes) as (far, near, _, at_near):
            assert await at_near.key() == near.key
            topology = await at_near.topology()
            assert topology.peers[0].public_key == far.key
            assert topology.root == (await near.topology()).root
            assert await at_near.ping(far.key) > 0
            assert (await at_near.known_node(far.key)).link
            assert far.key in [known.public_key for known in await at_near.known_nodes()]
            assert (await at_near.health())["status"] == "ok"
            assert "axl_" in await at_near.metrics()
            third = await nodes.node()
            await at_near.add_peer(third.listeners[0])
            await at_near.remove_peer(third.listeners[0])
            with pytest.raises(axl.NotFound):
                await at_near.remove_peer(third.listeners[0])
            with pytest.raises(axl.NotFound):
                await at_near.known_node("ab" * 32)

    run(test)


def test_failures_are_the_same_exceptions(run, tmp_path):
    async def test(nodes):
        async with beside(nodes, max_message_size=1_000, dial_timeout=0.3) as (far, _, _, at_near):
            with pytest.raises(axl.TooLarge):
                await at_near.send(far.key, bytes(1_001))
            with pytest.raises(axl.InvalidArgument):
                await at_near.send("no key", b"")
            with pytest.raises(axl.Unreachable):
                await at_near.send("ab" * 32, b"")
            with pytest.raises(ValueError):
                await at_near.send(far.key, b"", topic="a\r\nX-Evil: 1")
        with pytest.raises(OSError):
            await axl.Client(f"unix:{tmp_path}/nobody").topology()
        with pytest.raises(ValueError):
            axl.Client("ftp://127.0.0.1")

    run(test)


def test_a_token_is_sent_with_everything(run):
    async def test(nodes):
        async with beside(nodes, api_token="0123456789abcdef-token") as (far, near, at_far, at_near):
            await at_near.send(far.key, "x")
            async with at_far.messages() as messages:
                assert (await messages.__anext__()).body == b"x"
            stranger = axl.Client(f"http://127.0.0.1:{await near.serve_api()}")
            with pytest.raises(axl.Error):
                await stranger.topology()
            with pytest.raises(axl.Error):
                await stranger.messages().__anext__()
            await stranger.close()

    run(test)


def test_a_unix_socket_serves_as_well(run, tmp_path):
    async def test(nodes):
        node = await nodes.node()
        path = f"unix:{tmp_path}/api"
        await node.serve_api(path, 0)
        async with axl.Client(path) as client:
            assert await client.key() == node.key
            await client.send(node.key, "to myself")
            async with client.messages() as messages:
                assert (await messages.__anext__()).body == b"to myself"

    run(test)


def test_idle_connections_that_the_node_has_closed_are_replaced(run):
    async def test(nodes):
        identity = axl.PrivateKey.generate()
        first = await nodes.node(identity=identity)
        port = await first.serve_api()
        client = axl.Client(f"http://127.0.0.1:{port}")
        assert await client.key() == first.key
        await first.close()
        second = await nodes.node(identity=identity)
        await second.serve_api("127.0.0.1", port)
        assert await client.key() == second.key
        waiting = asyncio.ensure_future(client.messages().__anext__())
        await asyncio.sleep(0)
        await second.send(second.key, "here")
        assert (await waiting).body == b"here"
        await client.close()

    run(test)
