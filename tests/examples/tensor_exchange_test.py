#!/usr/bin/env python3
"""The tensor exchange of examples/distributed_inference: with older programs over /send and /recv, and against nonsense."""

import asyncio
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLE = HERE.parent.parent / "examples" / "distributed_inference"
sys.path[:0] = [str(HERE.parent / "support"), str(EXAMPLE)]
from axl_testing import Process, TestCase, main, until  # noqa: E402

import axl  # noqa: E402
import chunks  # noqa: E402
import framing  # noqa: E402
import links  # noqa: E402
import msgpack  # noqa: E402
import numpy  # noqa: E402
import older_form  # noqa: E402
import values  # noqa: E402
from tensor_session import TENSOR_PORT, TensorSession  # noqa: E402


def packed(array, **fields):
    """As a program would write it that knows the protocol and not our order of members."""
    return msgpack.packb({"tensor": {"tensor_data": array.tobytes(), "shape": list(array.shape), "dtype": array.dtype.name,
                                     "encoding": "raw-le"}, **fields})


class Framing(TestCase):
    def setUp(self):
        super().setUp()
        self.array = values.make((7, 5), 42)
        self.message = framing.head({"type": "warmup", "seq": 0}, self.array.dtype, self.array.shape, self.array.nbytes) + \
            self.array.tobytes()

    def test_any_msgpack_library_reads_it(self):
        read = msgpack.unpackb(self.message)
        self.assertEqual({**read["tensor"], "tensor_data": self.array.tobytes()},
                         {"encoding": "raw-le", "dtype": "float32", "shape": [7, 5], "tensor_data": self.array.tobytes()})
        self.assertEqual((read["type"], read["seq"]), ("warmup", 0))

    def test_the_array_is_a_view_of_what_came_and_aligned(self):
        room = bytearray(self.message)
        got = framing.unpack(room).array
        self.assertTrue(numpy.array_equal(got, self.array))
        room[-4:] = numpy.float32(9).tobytes()
        self.assertEqual(got[-1, -1], 9)
        self.assertEqual((len(self.message) - self.array.nbytes) % framing.ALIGNMENT, 0)

    def test_members_in_any_order_are_understood(self):
        message = framing.unpack(packed(self.array, type="warmup", seq=0))
        self.assertTrue(numpy.array_equal(message.array, self.array))
        self.assertEqual(message.fields, {"type": "warmup", "seq": 0})

    def test_what_is_cut_off_is_no_message(self):
        for size in range(len(self.message)):
            with self.assertRaises(framing.MessageError):
                framing.unpack(self.message[:size])
        with self.assertRaises(framing.MessageError):
            framing.unpack(self.message + b"\0")

    def test_what_makes_no_sense_is_no_message(self):
        for body in (b"\x05", b"hello", b"\x91" * 100_000, msgpack.packb([1, 2]), msgpack.packb({1: 2}),
                     packed(self.array, type="x").replace(b"\x92\x07\x05", b"\x92\x07\x06"),
                     packed(self.array, type="x").replace(b"float32", b"object_"),
                     packed(self.array, type="x").replace(b"raw-le", b"pickle")):
            with self.assertRaises(framing.MessageError):
                framing.unpack(body).array

    def test_pieces_make_the_whole_in_any_order_and_twice(self):
        array = values.make((100, 10), 1)
        pieces = [framing.unpack(one) for one in chunks.split({"type": "tensor_test"}, array, "t", chunk=1000)]
        self.assertEqual(len(pieces), 4)
        transfers, room = chunks.Transfers(), bytearray(array.nbytes)

        def take(whole, offset, piece):
            whole[offset:offset + len(piece)] = piece

        order = [pieces[3], pieces[1], pieces[1], pieces[0]]
        self.assertEqual([transfers.add("k", one, lambda _: room, take) for one in order], [None] * 4)
        self.assertEqual(transfers.add("k", pieces[2], lambda _: room, take), array.tobytes())

    def test_pieces_that_overlap_are_not_the_whole(self):
        array = values.make((100, 10), 1)
        first, _, third, _ = (framing.unpack(one) for one in chunks.split({"type": "x"}, array, "t", chunk=1000))
        first.fields["count"] = third.fields["count"] = 2
        third.fields["seq"] = 1
        transfers = chunks.Transfers()
        self.assertIsNone(transfers.add("k", first, lambda _: {}, lambda *_: None))
        with self.assertRaises(framing.MessageError):
            transfers.add("k", third, lambda _: {}, lambda *_: None)


class OverTheApi(TestCase):
    """exchange.py at one node; at the other exchange.py too, or a scripted program that only knows /send and /recv."""

    def setUp(self):
        super().setUp()
        self.ours, self.theirs = self.line(2)
        for node, other in ((self.ours, self.theirs), (self.theirs, self.ours)):
            node.wait_for_peer(other.key)

    def exchange(self, node, *arguments):
        command = [sys.executable, str(EXAMPLE / "exchange.py"), *arguments, "--api", f"http://127.0.0.1:{node.api.port}"]
        return self.track(Tool(command))

    def send(self, body):
        answer = self.theirs.api.request("POST", "/send", body, {"X-Destination-Peer-Id": self.ours.key.hex})
        self.assertEqual(answer.status, 200)

    def receive(self):
        answer = until(lambda: (lambda one: one if one.status == 200 else None)(self.theirs.api.request("GET", "/recv")),
                       "there is a message")
        return msgpack.unpackb(answer.body)

    def test_tensors_larger_than_a_message_are_verified(self):
        receiver = self.exchange(self.ours, "recv")
        sender = self.exchange(self.theirs, "bandwidth", "10x10", "1000x1000", "5000x1000")  # the last is 20 MB
        self.assertEqual(sender.process.join(), 0, sender.process.tail())
        self.assertIsNotNone(sender.process.find(r"^5000x1000: 19\.07 MiB in .*, verified$"))
        self.assertIsNotNone(receiver.process.find(r"bandwidth_test \[5000, 1000\]: verified"))
        self.assertEqual(self.exchange(self.theirs, "tensor").process.join(), 0)
        receiver.process.wait_for_line(rf"^{self.theirs.key.hex[:16]}: tensor_test float32 \[3, 4\]$")

    def test_a_scripted_peer_is_understood_in_both_directions(self):
        receiver = self.exchange(self.ours, "recv")
        array = values.make((20, 30), 42)
        self.send(packed(array, type="bandwidth_test", test_name="20x30", shape=[20, 30], seed=42, timestamp=time.time()))
        ack = self.receive()
        self.assertEqual((ack["type"], ack["verified"], type(ack["timestamp"])), ("bandwidth_ack", True, float))
        array[3, 3] += 1
        self.send(packed(array, type="bandwidth_test", test_name="20x30", shape=[20, 30], seed=42, timestamp=time.time()))
        self.assertIs(self.receive()["verified"], False)

        # What others put on the same queue does not stop it, nor does the form that it cannot read.
        archive = {"tensor_data": b"PK\3\4 an archive", "shape": [10, 10], "dtype": "torch.float32"}
        self.send(b"\x05")
        self.send(b'{"type": "gossipsub"}')
        for name in ("tensor_test", "bandwidth_test"):
            self.send(msgpack.packb({"type": name}))
            self.send(packed(array[:, :0], type=name))
        self.send(msgpack.packb({"type": "convergecast_data", "session_id": "default", "from": "x", "data": {"a": 1}}))
        self.send(msgpack.packb({"type": "tensor_test", "from": self.theirs.key.hex, "timestamp": 1.5, "tensor": archive}))
        self.send(msgpack.packb({"type": "bandwidth_test", "test_name": "10x10", "shape": [10, 10], "seed": 42, "tensor": archive,
                                 "timestamp": 1.5}))
        receiver.process.wait_for_line(r"a message of type 'convergecast_data'")
        for _ in range(2 if older_form.available() else 1):  # of the one without elements, and of the archive
            self.receive()
        if older_form.available():
            self.send(msgpack.packb({"type": "bandwidth_test", "test_name": "10x10", "shape": [10, 10], "seed": 42,
                                     "tensor": {**archive, "tensor_data": older_form.archive_of((10, 10), 42)}, "timestamp": 1.5}))
            self.assertIs(self.receive()["verified"], True)
        else:
            receiver.process.wait_for_line(r"bandwidth_test \(10, 10\): a PyTorch archive, and PyTorch is not here: not answered")
        self.send(packed(array, type="tensor_test", timestamp=1.5, **{"from": self.ours.key.hex}))
        receiver.process.wait_for_line(rf"tensor_test float32 \[20, 30\], and says it is from '{self.ours.key.hex}'")

        # The scripted peer in the other role.
        sender = self.exchange(self.ours, "bandwidth", self.theirs.key.hex, "10x10")
        receiver.stop()  # it would take the acknowledgement
        warmup, test = self.receive(), self.receive()
        self.assertEqual((warmup["type"], warmup["tensor"]["shape"]), ("warmup", [5, 5]))
        self.assertEqual({name: test[name] for name in ("type", "test_name", "shape", "seed")},
                         {"type": "bandwidth_test", "test_name": "10x10", "shape": [10, 10], "seed": 42})
        self.assertEqual(test["tensor"]["tensor_data"], values.make((10, 10), 42).tobytes())
        self.send(b"not for us")
        self.send(msgpack.packb({"type": "bandwidth_ack", "verified": True, "timestamp": time.time()}))
        self.assertEqual(sender.process.join(), 0, sender.process.tail())


class Tool:
    """A process that the test ends, whatever becomes of it."""

    def __init__(self, command):
        self.process = Process("exchange", command, env={**os.environ, "PYTHONUNBUFFERED": "1"})

    def stop(self):
        self.process.stop()

    close = stop

    def tail(self):
        return self.process.tail()


class OverSessions(TestCase):
    def test_nonsense_ends_its_own_session_and_no_other(self):
        array = values.make((7, 5), 42)
        good = framing.head({"type": "bandwidth_test", "test_name": "n"}, array.dtype, array.shape, array.nbytes) + array.tobytes()
        bad = [b"", b"\x05", b"\xde\xff\xff", b"\xdf\xff\xff\xff\xff\xa1a", good[:-1], good + b"\0", good[:100],
               b"\x81\xa1x" + b"\xdd\xff\xff\xff\xff" * 1000, b"\x81\xa1x" + b"\x91" * 100_000,
               packed(array, type="bandwidth_test").replace(b"\x92\x07\x05", b"\x92\x07\x06"),
               packed(array, type="bandwidth_test").replace(b"raw-le", b"pickle"), msgpack.packb({"type": "bandwidth_test"})]
        commands = links.programs()
        self.assertEqual(set(commands), {links.PYTHON, links.CPP})

        async def work(receiver):
            async with axl.Node(peers=[receiver.uri], log_level=axl.LogLevel.off) as node:
                await node.ping(receiver.key, 60)
                async with await node.connect(receiver.key, TENSOR_PORT) as other:
                    for body in bad:
                        session = await node.connect(receiver.key, TENSOR_PORT)
                        await session.send_message(body)
                        with self.assertRaises(axl.Error, msg=f"answer to {body[:40]!r}"):
                            await session.receive()
                    link = TensorSession(other)
                    for data in (good, packed(array, type="bandwidth_test", test_name="n", seed=42, rounds=1)):
                        await other.send_message(data)
                        answers = [await link.receive(), await link.receive()]
                        self.assertEqual([one.type for one in answers], ["bandwidth_received", "bandwidth_ack"])
                        self.assertEqual(answers[1].fields["test_name"], "n")
                    self.assertIs(answers[1].fields["verified"], True)

        for language, command in commands.items():
            receiver = links.Receiver(language, command, errors=subprocess.DEVNULL)
            try:
                asyncio.run(work(receiver))
            finally:
                code = receiver.stop()
            self.assertEqual(code, 0, language)


if __name__ == "__main__":
    main()
