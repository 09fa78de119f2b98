"""Sessions as streams, and as messages."""

import asyncio
import gc

import axl
import pytest
from conftest import until


async def joined(nodes, port=4000):
    """Both ends of a session."""
    server, client = await nodes.pair()
    listener = server.listen(port)
    near = await client.connect(server.key, port)
    far = await listener.accept()
    return near, far, listener


def test_bytes_go_both_ways_and_end(run):
    async def test(nodes):
        near, far, _ = await joined(nodes)
        assert (near.remote_port, far.local_port) == (4000, 4000)
        near.write(b"hello\nrest")
        assert await far.readline() == b"hello\n"
        assert await far.readexactly(4) == b"rest"
        far.write("answer")
        far.close()
        assert await near.read() == b"answer"
        assert await near.read() == b"" and await near.read(5) == b""
        near.close()
        await asyncio.gather(near.wait_closed(), far.wait_closed())
        with pytest.raises(axl.Closed):
            near.write(b"too late")

    run(test)


def test_what_one_side_has_ended_the_other_may_still_answer(run):
    async def test(nodes):
        near, far, _ = await joined(nodes)
        near.write(b"question")
        near.write_eof()
        assert await far.read() == b"question"
        far.write(b"answer")
        far.write_eof()
        assert await near.read() == b"answer"
        with pytest.raises(asyncio.IncompleteReadError) as caught:
            await near.readexactly(3)
        assert caught.value.partial == b""

    run(test)


def test_much_arrives_whole_though_the_reader_is_slow(run):
    async def test(nodes):
        near, far, _ = await joined(nodes)
        data = bytes(range(256)) * 65_536  # 16 MiB

        async def send():
            for start in range(0, len(data), 1 << 20):
                near.write(memoryview(data)[start:start + (1 << 20)])
                await near.drain()
            near.write_eof()

        sending = asyncio.ensure_future(send())
        await until(lambda: near.pending or sending.done())
        assert await far.readexactly(1_000) == data[:1_000]
        assert far._native.held <= 4 << 20  # the rest waits at the sender
        assert await far.read() == data[1_000:]
        await sending

    run(test)


def test_lines_are_read_whatever_pieces_they_come_in(run):
    async def test(nodes):
        near, far, _ = await joined(nodes)
        near.write(b"one\ntwo\n\nlast")
        near.close()
        assert [await far.readline() for _ in range(5)] == [b"one\n", b"two\n", b"\n", b"last", b""]

    run(test)


def test_messages_keep_their_bounds_and_are_read_in_place(run):
    numpy = pytest.importorskip("numpy")

    async def test(nodes):
        near, far, _ = await joined(nodes)
        array = numpy.arange(300_000, dtype="<f8").reshape(300, 1000)
        await near.send_message(b"")
        await near.send_message("text")
        await near.send_message(array)
        near.close()
        bodies = [body async for body in far.messages()]
        assert [len(body) for body in bodies] == [0, 4, array.nbytes]
        got = numpy.frombuffer(bodies[2], dtype="<f8").reshape(300, 1000)
        del bodies
        gc.collect()
        assert not got.flags.owndata and not got.flags.writeable
        assert (got == array).all()
        with pytest.raises(axl.Closed):
            await far.receive()

    run(test)


def test_a_message_of_64_mib_goes_where_the_reader_allows_it(run):
    async def test(nodes):
        near, far, listener = await joined(nodes)
        far.max_message_size = 1 << 27
        big = bytes(1 << 26)
        sending = asyncio.ensure_future(near.send_message(big))
        assert (await far.receive()) == big
        await sending
        await near.flush()
        small = await near._node.connect(near.peer, 4000)
        refusing = await listener.accept()
        refusing.max_message_size = 100
        await small.send_message(bytes(101))
        with pytest.raises(axl.TooLarge):
            await refusing.receive()

    run(test)


def test_bytes_and_messages_are_not_mixed(run):
    async def test(nodes):
        near, far, _ = await joined(nodes)
        near.write(b"bytes")
        assert await far.read(5) == b"bytes"
        with pytest.raises(RuntimeError):
            await far.receive()

    run(test)


def test_an_aborted_session_fails_on_both_sides(run):
    async def test(nodes):
        near, far, _ = await joined(nodes)
        reading = asyncio.ensure_future(far.read())
        await asyncio.sleep(0)
        near.abort()
        with pytest.raises(axl.Error):
            await reading
        with pytest.raises(axl.Closed):
            await near.wait_closed()

    run(test)


def test_a_dropped_session_is_closed_after_what_it_had_queued(run):
    async def test(nodes):
        near, far, _ = await joined(nodes)
        near.write(b"last words")
        del near
        gc.collect()
        assert await far.read() == b"last words"

    run(test)


def test_ports_are_refused_taken_and_given_back(run):
    async def test(nodes):
        server, client = await nodes.pair()
        with pytest.raises(axl.Refused):
            await client.connect(server.key, 4001)
        with pytest.raises(axl.AlreadyExists):
            server.listen(7000)
        async with server.listen(4001) as listener:
            with pytest.raises(axl.AlreadyExists):
                server.listen(4001)

            async def serve():
                return [session async for session in listener]

            serving = asyncio.ensure_future(serve())
            near = await client.connect(server.key, 4001)
            await near.send_message(b"x")
        assert len(await serving) <= 1
        with pytest.raises(axl.Refused):
            await client.connect(server.key, 4001)

    run(test)


def test_a_block_ends_when_all_has_been_sent(run):
    async def test(nodes):
        near, far, _ = await joined(nodes)
        async with near:
            near.write(b"z" * 3_000_000)
            reading = asyncio.ensure_future(far.read())
        assert len(await reading) == 3_000_000

    run(test)
