#!/usr/bin/env python3
"""Messages through the local API: topics, senders, leases, the stream, the outbox."""

import base64
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import TestCase, main, make_key, until  # noqa: E402


def post(node, key, body, **headers):
    return node.api.request("POST", "/send", body, {"X-Destination-Peer-Id": key.hex,
                                                    **{name.replace("_", "-"): value for name, value in headers.items()}})


class Stream:
    """An open /recv/stream."""

    def __init__(self, node, query=""):
        self.connection = node.api.connection()
        self.connection.request("GET", "/recv/stream" + query)
        self.file = self.connection.getresponse()

    def next(self):
        while line := self.file.readline():
            if line.startswith(b"data: "):
                event = json.loads(line[6:])
                return event["id"], base64.b64decode(event["data"])
        raise AssertionError("the stream has ended")

    def cut(self):
        self.file.close()
        self.connection.close()


class Receive(TestCase):
    def test_topics_and_senders(self):
        sender, receiver = self.line(2)
        for topic, body in ("a", b"1"), ("b", b"2"), ("a", b"3"):
            self.assertEqual(post(sender, receiver.key, body, X_Axl_Topic=topic).status, 200)
        self.assertEqual(receiver.api.send(receiver.key, b"own").status, 200)
        self.assertEqual(receiver.api.get(f"/recv?from={receiver.key.hex}").body, b"own")
        self.assertEqual(receiver.api.get("/recv?topic=b").body, b"2")
        self.assertEqual(receiver.api.get(f"/recv?topic=a&from={sender.key.hex}").body, b"1")
        self.assertEqual(receiver.api.get("/recv?topic=b").status, 204)
        self.assertEqual(receiver.api.get("/recv").status, 204, "without a topic: those that have none")
        self.assertEqual(receiver.api.get("/recv?topic=a").body, b"3")

    def test_a_lease_is_confirmed_or_ends(self):
        sender, receiver = self.line(2)
        for name in "one", "two":
            self.assertEqual(sender.api.send(receiver.key, name.encode(), message_id=name).status, 200)
        self.assertEqual(receiver.api.get("/recv?ack=1&lease=1").body, b"one")
        self.assertEqual(receiver.api.get("/recv?ack=1&lease=600").body, b"two")
        self.assertEqual(receiver.api.request("DELETE", "/recv/two").status, 204)
        self.assertEqual(receiver.api.request("DELETE", "/recv/two").status, 404)
        self.assertEqual(receiver.api.get("/recv?wait=60").body, b"one", "comes again when its lease has ended")
        self.assertEqual(receiver.api.get("/recv").status, 204)

    def test_streams_do_not_rob_each_other_and_a_cut_one_loses_nothing(self):
        _, receiver = self.line(2)
        streams = {topic: Stream(receiver, f"?ack=1&lease=2&topic={topic}") for topic in "ab"}
        for number in range(20):
            topic = "ab"[number % 2]
            self.assertEqual(post(receiver, receiver.key, b"%d" % number, X_Axl_Topic=topic).status, 200)
        self.assertEqual([streams["b"].next()[1] for _ in range(10)], [b"%d" % number for number in range(1, 20, 2)])
        self.assertEqual(streams["a"].next()[1], b"0")
        for stream in streams.values():
            stream.cut()
        # Nobody has confirmed them, so all come again.
        again = Stream(receiver, "?topic=a")
        self.assertEqual({again.next()[1] for _ in range(10)}, {b"%d" % number for number in range(0, 20, 2)})
        again.cut()


class Outbox(TestCase):
    def test_what_waits_for_a_peer_arrives_once(self):
        sender, receiver = self.line(2)
        receiver.stop()
        answer = post(sender, receiver.key, b"later", X_Axl_Retry_For="600", X_Axl_Message_Id="kept")
        self.assertEqual((answer.status, answer.headers["X-Axl-Delivered"]), (202, "pending"))
        self.assertEqual([item["id"] for item in sender.api.get("/outbox").json()["messages"]], ["kept"])
        receiver.start()
        self.assertEqual(receiver.api.receive(wait=60).body, b"later")
        until(lambda: sender.api.get("/outbox/kept").json()["state"] == "delivered", "the outbox says delivered")
        self.assertEqual(sender.api.get("/outbox").json()["count"], 0)
        self.assertIsNone(receiver.api.receive(wait=0))

    def test_it_is_bounded_and_its_owner_can_give_up(self):
        sender = self.axld(settings={"outbox_messages": 2})
        nobody = make_key()
        for name in "one", "two":
            self.assertEqual(post(sender, nobody, b"x", X_Axl_Retry_For="600", X_Axl_Message_Id=name).status, 202)
        full = post(sender, nobody, b"x", X_Axl_Retry_For="600")
        self.assertEqual(full.status, 503)
        self.assertGreater(int(full.headers["Retry-After"]), 0)
        self.assertEqual(sender.api.request("DELETE", "/outbox/one").status, 204)
        self.assertEqual(post(sender, nobody, b"x", X_Axl_Retry_For="600").status, 202)
        sender.process.stop()
        self.assertTrue(sender.process.find(r"^2 messages that waited in the outbox are lost"), sender.process.tail())


if __name__ == "__main__":
    main(namespaces="preferred")
