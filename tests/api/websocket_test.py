#!/usr/bin/env python3
"""`/ws` with a WebSocket library that knows nothing of axl: messages both ways, leases, slow and vanishing clients, pages."""

import base64
import glob
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap

_HERE = os.path.dirname(os.path.abspath(__file__))
_ENVIRONMENT = os.environ.get("AXL_AGENTS_DIR", os.path.join(_HERE, "..", "..", "build", "agents"))
_PACKAGES = glob.glob(os.path.join(_ENVIRONMENT, "websocket", "lib", "python3*", "site-packages"))
sys.path[:0] = [os.path.join(_HERE, "..", "support"), *_PACKAGES]
from axl_testing import TestCase, main, make_key, until  # noqa: E402
from websockets.exceptions import ConnectionClosed, InvalidStatus  # noqa: E402
from websockets.sync.client import connect, unix_connect  # noqa: E402

TOKEN = "0123456789abcdef-token"
PATIENCE = 90  # only ends a test that hangs


def pack(key, body, message_id="", topic=""):
    parts = b"".join(bytes([len(text)]) + text.encode("ascii") for text in (message_id, topic))
    return bytes.fromhex(key.hex) + parts + body


class Received:
    def __init__(self, data):
        self.peer, rest = data[:32].hex(), data[32:]
        self.id, rest = rest[1:1 + rest[0]].decode("ascii"), rest[1 + rest[0]:]
        self.topic, self.body = rest[1:1 + rest[0]].decode("ascii"), rest[1 + rest[0]:]


class WebSocketCase(TestCase):
    def open(self, node, query="", **options):
        options = {"max_size": None, "proxy": None, **options}
        opened = connect(f"ws://{node.api.host}:{node.api.port}/ws{query}", **options)
        self.addCleanup(opened.close)
        return opened

    def message(self, opened):
        data = opened.recv(timeout=PATIENCE)
        self.assertIsInstance(data, bytes, data)
        return Received(data)

    def answer(self, opened):
        text = opened.recv(timeout=PATIENCE)
        self.assertIsInstance(text, str)
        return json.loads(text)

    def ack(self, opened, message_id):
        opened.send(json.dumps({"ack": message_id}))
        return self.answer(opened)

    def left(self, node):
        """What a reader would still find, without taking it."""
        return node.api.topology()["queue"]["messages"]

    def refusal(self, node, **options):
        with self.assertRaises(InvalidStatus) as raised:
            self.open(node, **options)
        return raised.exception.response


class Messages(WebSocketCase):
    def test_a_message_crosses_from_socket_to_socket(self):
        near, far = self.line(2)
        sending, receiving = self.open(near, "?recv=0"), self.open(far, "?topic=jobs")
        body = os.urandom(100_000)
        sending.send(pack(far.key, body, "job-1", "jobs"))
        self.assertEqual(self.answer(sending), {"sent": 1, "status": 200, "id": "job-1", "delivered": "1"})
        got = self.message(receiving)
        self.assertEqual((got.peer, got.id, got.topic, got.body), (near.key.hex, "job-1", "jobs", body))
        # The other API is the same queue and the same names.
        sending.send(pack(far.key, b"by hand"))
        name = self.answer(sending)["id"]
        answer = far.api.get("/recv")
        self.assertEqual((answer.body, answer.headers["X-Axl-Message-Id"]), (b"by hand", name))
        self.assertEqual(near.api.send(far.key, b"plain").status, 200)
        self.assertEqual(self.message(self.open(far)).body, b"plain")

    def test_many_go_at_once_and_are_answered_in_order(self):
        near, far = self.line(2)
        sending, receiving = self.open(near, "?recv=0"), self.open(far)
        count = 2_000
        for number in range(count):
            sending.send(pack(far.key, b"%d" % number, f"id-{number}"))
        answers = [self.answer(sending) for _ in range(count)]
        self.assertEqual([(answer["sent"], answer["status"], answer["id"]) for answer in answers],
                         [(number + 1, 200, f"id-{number}") for number in range(count)])
        self.assertEqual([self.message(receiving).body for _ in range(count)], [b"%d" % number for number in range(count)])

    def test_an_unreachable_peer_is_one_answer(self):
        near, far = self.line(2, settings={"dial_timeout_secs": 1})
        sending = self.open(near, "?recv=0")
        sending.send(pack(make_key(), b"nobody"))
        sending.send(pack(far.key, b"somebody"))
        sending.send(b"short")
        answers = [self.answer(sending) for _ in range(3)]
        self.assertEqual([answer["status"] for answer in answers], [502, 200, 400])
        self.assertIn("Failed to reach peer", answers[0]["error"])
        self.assertEqual(far.api.receive().body, b"somebody")

    def test_the_largest_message_and_one_beyond(self):
        node = self.axld(settings={"max_message_size": 4_000_000})
        both = self.open(node)
        body = os.urandom(4_000_000)
        both.send(pack(node.key, body))
        frames = [both.recv(timeout=PATIENCE) for _ in range(2)]  # the answer and the message, in any order
        self.assertEqual([Received(frame).body for frame in frames if isinstance(frame, bytes)], [body])
        self.assertEqual([json.loads(frame)["status"] for frame in frames if isinstance(frame, str)], [200])
        both.send(pack(node.key, body + b"x"))
        self.assertEqual(self.answer(both)["status"], 413)
        with self.assertRaises(ConnectionClosed) as closed:
            both.send(pack(node.key, body + bytes(1_000)))
            both.recv(timeout=PATIENCE)
        self.assertEqual(closed.exception.rcvd.code, 1009)

    def test_a_unix_socket_serves_it_too(self):
        path = os.path.join(self.folder, "api.sock")
        node = self.axld(settings={"bridge_addr": "unix:" + path})
        both = unix_connect(path, "ws://localhost/ws", max_size=None)
        self.addCleanup(both.close)
        both.send(pack(node.key, b"to myself"))
        frames = [both.recv(timeout=PATIENCE) for _ in range(2)]
        self.assertEqual([Received(frame).body for frame in frames if isinstance(frame, bytes)], [b"to myself"])
        with self.assertRaises(InvalidStatus) as refused:
            unix_connect(path, "ws://evil.example/ws")
        self.assertEqual(refused.exception.response.status_code, 403)


class Leases(WebSocketCase):
    def test_confirmed_is_gone_and_unconfirmed_comes_again(self):
        node = self.axld()
        for name in "one", "two":
            self.assertEqual(node.api.send(node.key, name.encode(), message_id=name).status, 200)
        leased = self.open(node, "?ack=1&lease=1")
        self.assertEqual([self.message(leased).id for _ in range(2)], ["one", "two"])
        self.assertEqual(self.ack(leased, "two"), {"acked": "two", "status": 204})
        again = self.message(leased)
        self.assertEqual(again.id, "one", "comes again when its lease has ended")
        self.assertEqual(self.ack(leased, "one")["status"], 204)
        self.assertEqual(self.ack(leased, "one")["status"], 404)
        self.assertIsNone(node.api.receive(wait=0))

    def test_two_consumers_share_the_work_and_nothing_is_done_twice(self):
        node = self.axld()
        consumers = [self.open(node, "?ack=1&lease=600") for _ in range(2)]
        count = 600
        for number in range(count):
            self.assertEqual(node.api.send(node.key, b"%d" % number, message_id=str(number)).status, 200)
        got = []
        while len(got) < count:
            for consumer in consumers:
                try:
                    data = consumer.recv(timeout=0.01)
                except TimeoutError:
                    continue
                if isinstance(data, bytes):
                    got.append(Received(data).id)
                    consumer.send(json.dumps({"ack": got[-1]}))
        self.assertEqual(sorted(map(int, got)), list(range(count)))
        until(lambda: self.left(node) == 0, "all are confirmed")

    def test_a_killed_client_loses_nothing(self):
        node = self.axld()
        count = 400
        for number in range(count):
            self.assertEqual(node.api.send(node.key, bytes(20_000) + b"%d" % number, message_id=str(number)).status, 200)
        script = textwrap.dedent(f"""
            import sys
            sys.path[:0] = {_PACKAGES!r}
            from websockets.sync.client import connect
            client = connect("ws://{node.api.host}:{node.api.port}/ws?ack=1&lease=600", proxy=None, max_queue=4)
            for _ in range(10): client.recv()
            print("ten", flush=True)
            sys.stdin.read()
        """)
        with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
            self.assertEqual(client.stdout.readline(), b"ten\n")
            client.send_signal(signal.SIGKILL)
        again = self.open(node, "?ack=1&lease=600")
        for number in range(count):
            got = None
            while not isinstance(got, bytes):  # answers to the confirmations come in between
                got = again.recv(timeout=PATIENCE)
            got = Received(got)
            self.assertEqual((got.id, got.body), (str(number), bytes(20_000) + b"%d" % number))
            again.send(json.dumps({"ack": got.id}))
        until(lambda: self.left(node) == 0, "all are confirmed")


class Pressure(WebSocketCase):
    def test_a_client_that_does_not_read_is_given_no_more_than_its_connection_holds(self):
        node = self.axld(settings={"recv_queue_bytes": 64 << 20})
        slow = self.open(node, "?from=" + node.key.hex, max_queue=2)
        count, size = 300, 100_000
        filler = self.open(node, "?recv=0")
        accepted = 0
        for number in range(count):
            filler.send(pack(node.key, bytes(size), f"id-{number}"))
            status = self.answer(filler)["status"]
            if status == 503:
                break  # the queue holds a quarter for one peer: the node says no, it does not drop
            self.assertEqual(status, 200)
            accepted += 1
        self.assertLess(accepted, count, "what nobody reads fills the queue")
        self.assertGreater(self.left(node), accepted // 2, "kernel buffers and windows are all that has left")
        self.assertEqual([self.message(slow).id for _ in range(accepted)], [f"id-{number}" for number in range(accepted)])
        until(lambda: self.left(node) == 0, "all was taken")


class Access(WebSocketCase):
    def test_pages_and_foreign_names_are_refused(self):
        node = self.axld(settings={"allowed_origins": ["https://good.example"]})
        for origin in "https://bad.example", f"http://{node.api.host}:{node.api.port}", "null":
            self.assertEqual(self.refusal(node, origin=origin).status_code, 403, origin)
        self.assertEqual(self.refusal(node, additional_headers={"Sec-Fetch-Site": "same-site"}).status_code, 403)
        good = self.open(node, origin="https://good.example", additional_headers={"Sec-Fetch-Dest": "websocket",
                                                                                 "Sec-Fetch-Site": "cross-site"})
        good.send(pack(node.key, b"from the page"))
        self.assertEqual({type(good.recv(timeout=PATIENCE)) for _ in range(2)}, {str, bytes})

    def test_the_token_is_asked_for(self):
        node = self.axld(settings={"api_token": TOKEN})
        self.assertEqual(self.refusal(node).status_code, 401)
        self.assertEqual(self.refusal(node, additional_headers={"X-Axl-Token": TOKEN + "x"}).status_code, 401)
        self.open(node, additional_headers={"X-Axl-Token": TOKEN}).ping().wait(PATIENCE)

    def test_a_request_that_is_no_handshake_is_told_why(self):
        node = self.axld()
        handshake = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                     "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode()}
        self.assertEqual(node.api.get("/ws").status, 400)
        self.assertEqual(node.api.request("POST", "/ws", headers=handshake).status, 405)
        self.assertEqual(node.api.get("/ws", **{**handshake, "Sec-WebSocket-Key": "short"}).status, 400)
        old = node.api.get("/ws", **{**handshake, "Sec-WebSocket-Version": "8"})
        self.assertEqual((old.status, old.headers["Sec-WebSocket-Version"]), (426, "13"))


class Ends(WebSocketCase):
    def test_the_node_says_that_it_is_going(self):
        node = self.axld()
        opened = self.open(node)
        opened.ping().wait(PATIENCE)
        node.process.child.send_signal(signal.SIGTERM)
        with self.assertRaises(ConnectionClosed) as closed:
            opened.recv(timeout=PATIENCE)
        self.assertEqual((closed.exception.rcvd.code, closed.exception.rcvd.reason), (1001, "the node is shutting down"))
        self.assertEqual(node.process.join(), 0)

    def test_a_client_that_breaks_the_protocol_is_told_so(self):
        node = self.axld()
        with socket.create_connection((node.api.host, node.api.port), timeout=PATIENCE) as raw:
            raw.sendall(b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
                        b"\x81\x05Hello")  # without a mask, and right behind the head
            answer = b""
            while piece := raw.recv(4096):
                answer += piece
        head, frames = answer.split(b"\r\n\r\n", 1)
        self.assertTrue(head.startswith(b"HTTP/1.1 101 "))
        self.assertEqual(frames[:1] + frames[2:4], b"\x88" + (1002).to_bytes(2, "big"))


if __name__ == "__main__":
    main(namespaces="preferred")
