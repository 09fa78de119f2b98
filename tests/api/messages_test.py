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

    def test_a_peer_that_comes_and_goes_gets_each_message_once(self):
        sender, receiver = self.line(2, settings={"send_timeout_secs": 2, "dial_timeout_secs": 2})
        expected = []

        def keep(name):
            answer = post(sender, receiver.key, name.encode(), X_Axl_Retry_For="600", X_Axl_Message_Id=name)
            self.assertEqual((answer.status, answer.headers["X-Axl-Message-Id"]), (202, name))
            expected.append(name)

        def arrive():
            """All that is expected, in order, and nothing else; the outbox knows."""
            for name in expected:
                message = receiver.api.receive()
                self.assertEqual((message.body.decode(), message.headers["X-Axl-Message-Id"]), (name, name))
                until(lambda name=name: sender.api.get(f"/outbox/{name}").json()["state"] == "delivered", "the outbox says delivered")
            self.assertIsNone(receiver.api.receive(wait=0))
            expected.clear()

        self.assert_works(sender, receiver)  # a connection is open that the crash will make useless
        receiver.kill()
        for number in range(3):
            keep(f"crashed-{number}")
        until(lambda: sender.api.get("/outbox/crashed-0").json()["attempts"] > 0, "it has been tried")
        receiver.start()
        arrive()
        # Twice away in a row, without a word in between; what has arrived does not come again.
        receiver.stop()
        keep("stopped-0")
        receiver.start()
        receiver.kill()
        keep("stopped-1")
        receiver.start()
        received = [receiver.api.receive().body.decode()]
        until(lambda: sender.api.get("/outbox").json()["count"] == 0, "nothing waits any more")
        while (message := receiver.api.receive(wait=0)) is not None:
            received.append(message.body.decode())
        # What was in the queue of the one that was killed has died with it: at most the first.
        self.assertLessEqual(set(received), {"stopped-0", "stopped-1"})
        self.assertIn("stopped-1", received)
        self.assertEqual(len(received), len(set(received)), "none came twice")

    def test_a_receipt_that_is_late_makes_no_second_message(self):
        """The node between them stands still: attempts go out and get no answer, and all arrive when it goes on."""
        settings = {"send_timeout_secs": 1, "dial_timeout_secs": 1}
        sender, middle, receiver = self.line(3, settings=settings)
        self.assert_works(sender, receiver)
        middle.process.freeze()
        try:
            for name in "one", "two":
                answer = post(sender, receiver.key, name.encode(), X_Axl_Retry_For="600", X_Axl_Message_Id=name)
                self.assertEqual(answer.status, 202)
            until(lambda: sender.api.get("/outbox/one").json()["attempts"] >= 2, "it is tried again")
            self.assertEqual([item["id"] for item in sender.api.get("/outbox").json()["messages"]], ["one", "two"])
            self.assertTrue(sender.api.get("/outbox/one").json()["last_error"])
        finally:
            middle.process.thaw()
        self.assertEqual([receiver.api.receive().body for _ in range(2)], [b"one", b"two"])
        for name in "one", "two":
            until(lambda name=name: sender.api.get(f"/outbox/{name}").json()["state"] == "delivered", "the outbox says delivered")
        self.assert_works(sender, receiver)
        self.assertIsNone(receiver.api.receive(wait=0), "the attempts before it were the same message")

    def test_time_that_is_up_and_messages_that_never_fit(self):
        sender = self.axld(settings={"outbox_bytes": 10_000})
        nobody = make_key()
        self.assertEqual(post(sender, nobody, b"x", X_Axl_Retry_For="1", X_Axl_Message_Id="short").status, 202)
        until(lambda: sender.api.get("/outbox/short").json()["state"] == "expired", "its time is up")
        for _ in range(2):
            self.assertEqual(post(sender, nobody, bytes(4_500), X_Axl_Retry_For="600").status, 202)
        self.assertEqual(post(sender, nobody, bytes(4_500), X_Axl_Retry_For="600").status, 503)
        self.assertEqual(post(sender, nobody, bytes(10_000), X_Axl_Retry_For="600").status, 413)
        for wrong in "86401", "-1", "soon", "1.5":
            self.assertEqual(post(sender, nobody, b"x", X_Axl_Retry_For=wrong).status, 400, wrong)

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
