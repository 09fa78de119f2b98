#!/usr/bin/env python3
"""Publish/subscribe and aggregation between daemons, through their local APIs."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
sys.path.insert(0, os.path.dirname(__file__))
from axl_testing import TestCase, main, until  # noqa: E402
from patterns_support import Subscriber, ask, ask_all, give, mesh_of, publish, wait_for_mesh  # noqa: E402

TOKEN = "0123456789abcdef-token"
NEW_ROUTES = "/pubsub", "/pubsub/t", "/aggregate", "/aggregate/s"


class PubSub(TestCase):
    def test_what_one_publishes_every_subscriber_gets_once_with_the_key_that_published_it(self):
        nodes = self.line(3)
        self.assertEqual(nodes[0].api.get("/pubsub").json(), {"running": False, "peers": [], "topics": []})
        subscribers = [Subscriber(node, "news") for node in nodes]
        wait_for_mesh(nodes, "news")
        bodies = {b"", b"first", bytes(range(256)), os.urandom(1_000_000)}
        ids = {publish(nodes[number % 3], "news", body)["id"]: (body, nodes[number % 3].key.hex)
               for number, body in enumerate(sorted(bodies))}
        self.assertEqual(len(ids), len(bodies))
        for subscriber in subscribers:
            got = [subscriber.message() for _ in bodies]
            self.assertEqual({message["id"]: (message["body"], message["origin"]) for message in got}, ids)
            for message in got:
                self.assertEqual((message["topic"], message["signer"], message["proved"]), ("news", message["origin"], True))
                self.assertEqual(message["size"], len(message["body"]))
        shown = nodes[1].api.get("/pubsub").json()
        self.assertEqual([(topic["topic"], topic["streams"]) for topic in shown["topics"]], [("news", 1)])
        self.assertTrue(set(shown["peers"]) <= {node.key.hex for node in nodes})
        for subscriber in subscribers:
            subscriber.close()

    def test_who_comes_back_gets_what_has_come_meanwhile_and_hears_of_what_is_lost(self):
        left, right = self.line(2)
        subscriber = Subscriber(right, "a/b")

        def reach():
            published = publish(left, "a/b", b"one")
            return published["peers"] and published["id"]

        first = until(reach, "a message goes to the subscriber at once")
        while subscriber.message()["id"] != first:
            pass  # those before it came late
        subscriber.close()
        before = right.api.get("/pubsub").json()["delivered"]
        self.assertGreaterEqual(publish(left, "a%2Fb", b"two")["peers"], 1)
        publish(left, "a/b", b"three")
        until(lambda: right.api.get("/pubsub").json()["delivered"] >= before + 2, "the messages are there")
        again = Subscriber(right, "a/b", Last_Event_ID=first)
        bodies = set()  # there is no order between messages, and an early one may have come late
        while bodies != {b"two", b"three"}:
            bodies |= {again.message()["body"]} - {b"one"}
        again.close()
        # Of a message that is not known any more, nobody knows how many came after it.
        again = Subscriber(right, "a/b", Last_Event_ID="0" * 32)
        self.assertEqual(again.next(), ("dropped", {"count": None}))
        self.assertEqual(again.message()["body"], b"one")
        again.close()

    def test_a_slow_reader_is_told_how_much_it_has_missed(self):
        node = self.axld()
        slow, quick = Subscriber(node, "bulk"), Subscriber(node, "bulk")
        body = os.urandom(200_000)
        for _ in range(150):  # 30 MB; eight are kept
            publish(node, "bulk", body)
            self.assertEqual(quick.message()["body"], body)
        last = publish(node, "bulk", b"last")["id"]
        seen = dropped = 0
        while True:
            kind, data = slow.next()
            if kind == "dropped":
                dropped += data["count"]
                continue
            seen += 1
            if data["id"] == last:
                break
        self.assertGreater(dropped, 0)
        self.assertEqual(seen + dropped, 151)
        slow.close()
        quick.close()

    def test_what_is_wrong_is_refused_with_the_reason(self):
        node = self.axld()
        for method, path, body, status in (("PUT", "/pubsub/t", b"x", 405), ("DELETE", "/pubsub", None, 405),
                                           ("POST", "/pubsub", b"x", 405), ("POST", "/pubsub/", b"x", 400),
                                           ("POST", "/pubsub/" + "t" * 129, b"x", 400), ("GET", "/pubsub/%01", None, 400),
                                           ("GET", "/pubsub/%zz", None, 400), ("GET", "/pubsub/%20a", None, 400),
                                           ("POST", "/pubsub/t", bytes(1_048_577), 413)):
            answer = node.api.request(method, path, body)
            self.assertEqual(answer.status, status, f"{method} {path} {answer!r}")
        self.assertEqual(node.api.request("PUT", "/pubsub/t").headers["Allow"], "GET, POST")
        self.assertEqual(publish(node, "t" * 128, bytes(1_048_576))["peers"], 0)

    def test_a_denied_peer_takes_no_part(self):
        left, right = self.line(2)
        right.stop()
        right.config["deny"] = [left.key.hex]
        right.start()
        subscriber = Subscriber(right, "t")
        own = Subscriber(left, "t")
        until(lambda: left.api.topology()["peers"][0]["up"], "the link is up")
        self.assertEqual(publish(left, "t", b"x")["peers"], 0)
        self.assertEqual(own.message()["body"], b"x")
        self.assertEqual(mesh_of(right, "t"), [])
        publish(right, "t", b"own")
        self.assertEqual(subscriber.message()["body"], b"own")
        own.close()
        subscriber.close()


class Aggregate(TestCase):
    def test_operations_over_three_nodes(self):
        nodes = self.line(3)
        for number, node in enumerate(nodes, 1):
            give(node, "load", value=number * 100, values={f"disk {number % 2}": number + 0.5})
        for node in nodes:
            outcome = ask_all(node, "load", 3, operation="sum", time=5)
            self.assertEqual(outcome["groups"], [{"group": "", "count": 3, "value": 600},
                                                 {"group": "disk 0", "count": 1, "value": 2.5},
                                                 {"group": "disk 1", "count": 2, "value": 5}])
            self.assertEqual((outcome["missing"], outcome["missing_keys"], outcome["truncated"]), (0, [], False))
        value = {operation: ask_all(nodes[0], "load", 3, operation=operation)["groups"][0] for operation in ("count", "min", "max", "mean")}
        self.assertEqual({name: group["value"] for name, group in value.items()}, {"count": 3, "min": 100, "max": 300, "mean": 200})
        top = ask_all(nodes[2], "load", 3, operation="top", limit=2)["groups"][0]
        self.assertEqual(top["top"], [{"value": 300, "node": nodes[2].key.hex}, {"value": 200, "node": nodes[1].key.hex}])
        until(lambda: ask(nodes[0], "load", operation="sum").json()["complete"], "the tree has settled")

    def test_who_has_nothing_to_say_abstains_and_values_may_be_taken_back(self):
        nodes = self.line(3)
        give(nodes[0], "s", value=1)
        give(nodes[1], "s", value=10, ttl=3600)
        outcome = ask_all(nodes[2], "s", 3, operation="sum", value=100, values={"mine": 1})
        self.assertEqual((outcome["contributed"], outcome["abstained"]), (3, 0))
        self.assertEqual([group["value"] for group in outcome["groups"]], [111, 1])
        outcome = ask_all(nodes[2], "s", 3, operation="sum")
        self.assertEqual((outcome["contributed"], outcome["abstained"], outcome["groups"][0]["value"]), (2, 1, 11))
        shown = nodes[1].api.get("/aggregate/s").json()
        self.assertEqual((shown["values"], shown["told"]), ({"": 10}, None))
        self.assertGreater(shown["asked"], 0)
        self.assertTrue(3500 < shown["expires"] <= 3600)
        self.assertEqual(nodes[0].api.get("/aggregate").json(), {"sessions": ["s"]})
        self.assertEqual(nodes[0].api.request("DELETE", "/aggregate/s").status, 204)
        self.assertEqual(nodes[0].api.request("DELETE", "/aggregate/s").status, 404)
        self.assertEqual(nodes[0].api.get("/aggregate/s").status, 404)
        self.assertEqual(ask_all(nodes[2], "s", 3, operation="sum")["groups"][0]["value"], 10)
        # An outcome that is told to all is shown where values are kept.
        give(nodes[1], "s", value=7, ttl=1)
        told = ask_all(nodes[0], "s", 3, operation="max", tell_all=True)
        self.assertEqual(told["groups"][0]["value"], 7)
        until(lambda: nodes[1].api.get("/aggregate/s").status == 404, "the time of the values is over")

    def test_an_outcome_is_told_to_all(self):
        left, right = self.line(2)
        give(left, "s", value=1)
        give(right, "s", value=2)
        ask_all(left, "s", 2, operation="sum", tell_all=True)
        told = until(lambda: right.api.get("/aggregate/s").json()["told"], "the outcome is told")
        self.assertEqual((told["operation"], told["groups"][0]["value"]), ("sum", 3))

    def test_what_is_wrong_is_refused_with_the_reason(self):
        node = self.axld()

        def refused(method, path, body, status, words=""):
            answer = node.api.request(method, path, body)
            self.assertEqual(answer.status, status, f"{method} {path} {body!r} {answer!r}")
            self.assertIn(words, answer.text)

        refused("PATCH", "/aggregate/s", b"{}", 405)
        refused("POST", "/aggregate", b"{}", 405)
        for path in "/aggregate/", "/aggregate/" + "s" * 65, "/aggregate/%0a", "/aggregate/%ff":
            refused("POST", path, b"{}", 400, "name")
        for body, words in (("", "no JSON object"), ("[]", "no JSON object"), ("{}", "operation"), ('{"operation":"custom"}', "operation"),
                            ('{"operation":"sum","tiem":1}', "tiem"), ('{"operation":"sum","time":0.01}', ""),
                            ('{"operation":"sum","time":61}', ""), ('{"operation":"sum","time":"1"}', "time"),
                            ('{"operation":"top"}', "limit"), ('{"operation":"top","limit":65}', "limit"),
                            ('{"operation":"sum","limit":3}', "limit"), ('{"operation":"sum","tell_all":1}', "tell_all"),
                            ('{"operation":"sum","value":1e999}', "finite"), ('{"operation":"sum","value":"1"}', "finite")):
            refused("POST", "/aggregate/s", body, 400, words)
        for body, words in (("{}", "value"), ('{"value":1,"values":{"":2}}', "one value"), ('{"value":null}', "finite"),
                            ('{"value":1,"ttl":0}', "ttl"), ('{"value":1,"ttl":1e9}', "ttl"), ('{"values":[1]}', "values"),
                            (json.dumps({"values": {"g" * 65: 1}}), "group"),
                            (json.dumps({"values": {str(n): n for n in range(257)}}), "256 groups")):
            refused("PUT", "/aggregate/s", body, 400, words)
        refused("PUT", "/aggregate/s", b" " * 65_537, 413)
        for number in range(256):
            give(node, f"s{number}", value=number)
        refused("PUT", "/aggregate/more", '{"value":1}', 503, "256")
        give(node, "s7", value=8)
        self.assertEqual(ask(node, "s7", operation="sum", time=1).json()["groups"], [{"group": "", "count": 1, "value": 8}])


class Access(TestCase):
    def test_token_and_pages_as_for_every_route(self):
        node = self.axld(settings={"api_token": TOKEN})
        for path in NEW_ROUTES:
            self.assertEqual(node.api.get(path).status, 401, path)
            self.assertEqual(node.api.request("POST", path, b"{}").status, 401, path)
        self.assertEqual(node.api.get("/pubsub", **{"X-Axl-Token": TOKEN}).status, 200)
        other = self.axld()
        for path in NEW_ROUTES:
            self.assertEqual(other.api.get(path, Origin="https://bad.example").status, 403, path)
            self.assertEqual(other.api.request("POST", path, b"{}", {"Host": "rebound.example"}).status, 403, path)

    def test_a_node_that_ends_lets_its_clients_go(self):
        node = self.axld()
        subscriber = Subscriber(node, "t")
        node.stop()
        self.assertEqual(subscriber.next(), (None, None))
        subscriber.close()


if __name__ == "__main__":
    main(namespaces="preferred")
