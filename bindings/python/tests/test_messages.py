"""Messages from queue to queue."""

import asyncio
import gc
import sys

import axl
import pytest
from conftest import until


def test_a_message_arrives_with_its_sender_topic_and_name(run):
    async def test(nodes):
        receiver, sender = await nodes.pair()
        receipt = await sender.send(receiver.key, b"do this", topic="jobs", id="first")
        assert receipt == axl.Receipt("first", "queued")
        message = await receiver.receive("jobs")
        assert (message.sender, message.topic, message.id) == (sender.key, "jobs", "first")
        assert message.address == sender.address
        assert message.body == b"do this" and message.body.readonly and len(message) == 7

    run(test)


def test_text_and_every_kind_of_buffer_can_be_sent(run):
    async def test(nodes):
        receiver, sender = await nodes.pair()
        for data in ("tëxt", b"bytes", bytearray(b"array"), memoryview(b"a view")[2:], b"", b"x" * 100_000):
            await sender.send(receiver.key, data)
            expected = data.encode() if isinstance(data, str) else bytes(data)
            assert bytes((await receiver.receive()).body) == expected
        with pytest.raises(TypeError):
            await sender.send(receiver.key, 5)
        with pytest.raises(BufferError):
            await sender.send(receiver.key, memoryview(b"every other")[::2])

    run(test)


def test_a_lent_buffer_is_let_go_when_the_message_has_gone(run):
    async def test(nodes):
        receiver, sender = await nodes.pair()
        data = bytearray(1 << 20)
        before = sys.getrefcount(data)
        sending = asyncio.ensure_future(sender.send(receiver.key, data))
        await asyncio.sleep(0)
        with pytest.raises(BufferError):  # it may not move while the library reads it
            data.append(1)
        await sending
        await until(lambda: sys.getrefcount(data) == before)
        data.append(1)

    run(test)


def test_a_body_outlives_its_message_and_its_node(run):
    async def test(nodes):
        receiver, sender = await nodes.pair()
        await sender.send(receiver.key, b"y" * 50_000)
        body = (await receiver.receive()).body
        await receiver.close()
        return body

    body = run(test)
    gc.collect()
    assert body == b"y" * 50_000


def test_messages_of_one_topic_keep_their_order_and_none_is_lost(run):
    async def test(nodes):
        receiver, sender = await nodes.pair()
        count = 2_000

        async def send_all():
            pending = set()
            for number in range(count):
                pending.add(asyncio.ensure_future(sender.send(receiver.key, str(number))))
                if len(pending) >= 100:
                    _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.gather(*pending)

        sending = asyncio.ensure_future(send_all())
        async with receiver.messages() as messages:
            got = [int(bytes((await messages.__anext__()).body)) for _ in range(count)]
        await sending
        assert got == list(range(count))
        assert (await receiver.statistics()).queue.messages == 0

    run(test)


def test_what_a_reader_did_not_take_is_for_the_next_one(run):
    async def test(nodes):
        receiver, sender = await nodes.pair()
        for number in range(10):
            await sender.send(receiver.key, str(number))
        async for message in receiver.messages():
            assert message.body == b"0"
            break
        assert bytes((await receiver.receive()).body) == b"1"
        reading = receiver.messages()
        assert bytes((await reading.__anext__()).body) == b"2"
        reading.close()
        with pytest.raises(StopAsyncIteration):
            await reading.__anext__()
        rest = [bytes((await receiver.receive()).body) for _ in range(7)]
        assert rest == [b"%d" % number for number in range(3, 10)]

    run(test)


def test_a_reader_that_is_cancelled_loses_nothing(run):
    async def test(nodes):
        receiver, sender = await nodes.pair()
        waiting = asyncio.ensure_future(receiver.receive())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await sender.send(receiver.key, b"still there")
        assert bytes((await receiver.receive()).body) == b"still there"

    run(test)


def test_readers_of_topics_and_senders_take_only_theirs(run):
    async def test(nodes):
        receiver, sender = await nodes.pair()
        other = await nodes.node(receiver)
        await other.ping(receiver.key, 60)
        await sender.send(receiver.key, "a", topic="one")
        await other.send(receiver.key, "b", topic="one")
        await sender.send(receiver.key, "c")
        assert bytes((await receiver.receive("one", sender=other.key)).body) == b"b"
        assert bytes((await receiver.receive()).body) == b"c"
        assert bytes((await receiver.receive("one")).body) == b"a"

    run(test)


def test_a_lease_is_confirmed_by_its_block_and_given_back_by_an_exception(run):
    async def test(nodes):
        receiver, sender = await nodes.pair()
        await sender.send(receiver.key, "work", topic="jobs")
        leases = receiver.leases("jobs")
        with pytest.raises(ZeroDivisionError):
            async with await leases.__anext__() as message:
                assert message.body == b"work"
                raise ZeroDivisionError
        lease = await leases.__anext__()
        assert lease.reading == 2
        assert (await receiver.statistics()).queue.leased == 1
        async with lease as message:
            assert message.body == b"work"
        assert await lease.confirm() is False
        assert (await receiver.statistics()).queue.messages == 0

    run(test)


def test_a_lease_that_is_not_confirmed_in_time_comes_again(run):
    async def test(nodes):
        receiver, sender = await nodes.pair()
        await sender.send(receiver.key, "work")
        async with receiver.leases(seconds=0.05) as leases:
            first = await leases.__anext__()
            again = await leases.__anext__()
        assert (first.reading, again.reading) == (1, 2)
        assert first.message.id == again.message.id
        assert await again.confirm() is True

    run(test)


def test_a_message_sent_again_under_its_name_is_queued_once(run):
    async def test(nodes):
        receiver, sender = await nodes.pair()
        for _ in range(3):
            await sender.send(receiver.key, "once", id="the-one")
        assert (await receiver.statistics()).queue.messages == 1
        with pytest.raises(axl.Error):
            await sender.send(receiver.key, "another body", id="the-one")

    run(test)


def test_a_message_for_a_peer_that_is_away_is_sent_when_it_comes(run):
    async def test(nodes):
        hub = await nodes.node()
        sender = await nodes.node(hub)
        identity = axl.PrivateKey.generate()
        sending = asyncio.ensure_future(sender.send(identity.public_key, "later", retry_for=100))
        receiver = await nodes.node(hub, identity=identity)
        assert bytes((await receiver.receive()).body) == b"later"
        assert (await sending).delivery == "queued"

    run(test)


def test_errors_are_exceptions_of_their_own_and_of_pythons_kind(run):
    async def test(nodes):
        receiver, sender = await nodes.pair(max_message_size=1_000, dial_timeout=0.3)
        with pytest.raises(axl.TooLarge) as caught:
            await sender.send(receiver.key, bytes(1_001))
        assert isinstance(caught.value, ValueError) and caught.value.code is axl.Errc.too_large and str(caught.value)
        with pytest.raises(axl.InvalidArgument):
            await sender.send("no key", b"")
        with pytest.raises(axl.Error) as caught:
            await sender.send("00" * 31 + "01", b"")
        assert caught.value.code in (axl.Errc.unreachable, axl.Errc.timed_out)
        with pytest.raises(axl.InvalidArgument):
            await sender.send(receiver.key, b"", retry_for=-1)
        with pytest.raises(axl.InvalidArgument):
            await sender.send(receiver.key, b"", retry_for=float("nan"))

    run(test)
