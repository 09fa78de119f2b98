#!/usr/bin/env python3
"""Programs of the older kind in publish/subscribe and aggregation: scripted ones, behind the /send and /recv of nodes of
their own, beside an axld that lets them take part."""

import base64
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
sys.path.insert(0, os.path.dirname(__file__))
from axl_testing import TestCase, main, make_keys, until  # noqa: E402
from old_programs import OldConvergecast, OldGossip, OldTalk, packed  # noqa: E402
from patterns_support import Subscriber, ask, mesh_of, publish, wait_for_mesh  # noqa: E402

LEGACY = {"legacy_patterns": True}


class Legacy(TestCase):
    def pair(self, ours_lower=True, settings=None):
        """An axld that lets older programs take part, and the node of such a program."""
        keys = make_keys(2)
        ours = self.axld(key=keys[0 if ours_lower else 1], listen=["tls://127.0.0.1:0"], settings={**LEGACY, **(settings or {})})
        theirs = self.axld(key=keys[1 if ours_lower else 0], peers=[ours.uri()])
        for node in ours, theirs:
            node.wait_for_root(keys[0])
        ours.wait_for_peer(theirs.key)
        theirs.wait_for_peer(ours.key)
        return ours, theirs


class LegacyPubSub(Legacy):
    def test_each_message_of_the_older_form_does_what_it_says(self):
        ours, theirs = self.pair()
        old = OldTalk(theirs, ours)
        old.say("GRAFT", topic="news")  # before anybody here subscribes
        until(lambda: theirs.key.hex in ours.api.get("/pubsub").json()["peers"], "the old program is known")
        subscriber = Subscriber(ours, "news")
        self.assertEqual(old.hear("GRAFT"), {"type": "gossipsub", "msg_type": "GRAFT", "topic": "news"})
        self.assertEqual(mesh_of(ours, "news"), [theirs.key.hex])
        old.publish("news", b"from the old one")
        got = subscriber.message()
        self.assertEqual((got["body"], got["origin"], got["signer"], got["proved"], got["hops"]),
                         (b"from the old one", theirs.key.hex, ours.key.hex, False, 1))
        self.assertEqual(publish(ours, "news", b"from the new one")["peers"], 1)
        said = old.hear("MESSAGE")
        self.assertLessEqual({"type", "msg_type", "topic", "msg_id", "origin", "from", "hop", "data"}, set(said))
        self.assertEqual((base64.b64decode(said["data"]), said["topic"], said["origin"], said["from"], said["hop"]),
                         (b"from the new one", "news", ours.key.hex, ours.key.hex, 0))
        self.assertEqual(subscriber.message()["body"], b"from the new one")
        # What it announces is asked for, and what it asks for is sent again.
        name = f"{theirs.key.hex[:8]}:000099"
        old.say("IHAVE", topic="news", msg_ids=[name])
        self.assertEqual(old.hear("IWANT")["msg_ids"], [name])
        old.publish("news", b"asked for", 99)
        self.assertEqual(subscriber.message()["body"], b"asked for")
        old.say("IWANT", msg_ids=[said["msg_id"]])
        self.assertEqual(old.hear("MESSAGE"), said)
        # Out of the mesh it is told what there is, with the next heartbeat.
        old.say("PRUNE", topic="news", peers=[])
        until(lambda: mesh_of(ours, "news") == [], "it is out of the mesh")
        old.publish("news", b"for others", 100)
        self.assertEqual(subscriber.message()["body"], b"for others")
        old.say("IHAVE", topic="news", msg_ids=[])
        # None of it was left in the queue; what is no gossip is.
        theirs.api.send(ours.key, b'{"type":"other","text":"\\"gossipsub\\""}')
        self.assertEqual(ours.api.receive().json()["type"], "other")
        self.assertIsNone(ours.api.receive(wait=0))
        subscriber.close()

    def test_whole_programs_and_nodes_of_both_kinds_get_every_message_once(self):
        ours = self.axld(listen=["tls://127.0.0.1:0"], settings=LEGACY)
        native, first, second = (self.axld(peers=[ours.uri()], settings=settings)
                                 for settings in ({}, {}, {"legacy_peer_id": True}))  # the last gives its program partial keys
        nodes = ours, native, first, second
        root = min(node.key for node in nodes)
        for node in nodes:
            node.wait_for_root(root)
        subscribers = [Subscriber(node, "news") for node in (ours, native)]
        wait_for_mesh([native], "news")
        programs = [OldGossip(node, "news") for node in (first, second)]
        known = {node.key.hex for node in (native, first, second)}
        until(lambda: set(ours.api.get("/pubsub").json()["peers"]) == known, "all are connected")
        sent = {}
        for number in range(30):
            for node in ours, native:
                body = f"{node.name}: {number}".encode()
                publish(node, "news", body)
                sent[body] = node.key.hex
            for program in programs:
                body = f"{program.node.name}: {number}".encode()
                program.publish(body)
                sent[body] = program.node.key.hex
        for program in programs:
            got = program.wait_for(body for body, origin in sent.items() if origin != program.node.key.hex)
            theirs = [(data, origin) for data, origin, _ in got]
            self.assertEqual(len(theirs), len(set(theirs)), "a message came twice under two names")
            for data, origin in theirs:
                self.assertEqual(sent[data], origin)
        for subscriber, node in zip(subscribers, (ours, native)):
            got = [subscriber.message() for _ in sent]
            self.assertEqual({message["body"]: message["origin"] for message in got}, sent)
            for message in got:  # old programs cannot sign: our node says that it has their messages from them
                old = message["origin"] in (first.key.hex, second.key.hex)
                self.assertEqual((message["proved"], message["signer"]), (not old, ours.key.hex if old else message["origin"]))
        for program in programs:
            program.close()
        for subscriber in subscribers:
            subscriber.close()

    def test_hostile_messages_cost_their_sender_its_place_and_others_nothing(self):
        ours, theirs = self.pair()
        other = self.axld(peers=[ours.uri()])
        other.wait_for_peer(ours.key)
        hostile, honest = OldTalk(theirs, ours), OldTalk(other, ours)
        subscriber = Subscriber(ours, "news")
        peers = lambda: ours.api.get("/pubsub").json()["peers"]  # noqa: E731
        # Of a stranger only what is right is taken for gossip.
        strange = [b'{"type":"gossipsub"', b'{"type":"gossipsub","msg_type":"HELLO"}', b"[" * 100_000, b"gossipsub",
                   b'{"type":"gossipsub","msg_type":"GRAFT","topic":"' + b"t" * 2_000_000 + b'"}']
        for body in strange:
            hostile.say_raw(body)
            self.assertEqual(ours.api.receive().body, body)
        self.assertEqual(peers(), [])
        for one in hostile, honest:
            one.say("GRAFT", topic="news")
        until(lambda: len(peers()) == 2, "both are peers")
        for number in range(3):
            hostile.say("IHAVE", topic="news", msg_ids=[f"{number}:{name:06d}" for name in range(20_000)])
            hostile.say("IWANT", msg_ids=["x" * 1000, "y"] * 1000)
        while theirs.key.hex in peers():
            hostile.say("MESSAGE", topic="news", msg_id="1", origin="nobody", hop=-1, data="***", **{"from": 7})
        self.assertEqual(peers(), [other.key.hex])
        for _ in range(200):
            hostile.say("GRAFT", topic="news")
        hostile.publish("news", b"of no interest")
        self.assertIsNone(ours.api.receive(wait=0))
        self.assertEqual(ours.api.get("/pubsub").json()["kept_messages"], 0)
        honest.publish("news", b"hello")
        self.assertEqual(subscriber.message()["body"], b"hello")
        publish(ours, "news", b"and back")
        self.assertEqual(base64.b64decode(honest.hear("MESSAGE")["data"]), b"and back")
        subscriber.close()

    def test_who_may_not_reach_this_node_takes_no_part(self):
        keys = make_keys(2)
        ours = self.axld(key=keys[0], listen=["tls://127.0.0.1:0"], settings={**LEGACY, "deny": [keys[1].hex]})
        theirs = self.axld(key=keys[1], peers=[ours.uri()])
        theirs.wait_for_peer(ours.key)
        answer = theirs.api.send(ours.key, b'{"type":"gossipsub","msg_type":"GRAFT","topic":"news"}')
        self.assertNotEqual(answer.status, 200)
        self.assertEqual(ours.api.get("/pubsub").json()["peers"], [])

    def test_without_the_option_their_messages_are_messages(self):
        left, right = self.line(2)
        subscriber = Subscriber(right, "news")
        OldTalk(left, right).say("GRAFT", topic="news")
        self.assertEqual(json.loads(right.api.receive().body)["msg_type"], "GRAFT")
        self.assertEqual(mesh_of(right, "news"), [])
        self.assertEqual(ask(right, "default", legacy=True, values={"a": 1}).status, 501)
        subscriber.close()


class LegacyConvergecast(Legacy):
    def test_sums_go_up_the_tree_to_us_and_from_us(self):
        ours, theirs = self.pair()  # we are the root, the old program's node is our child
        until(lambda: OldConvergecast(theirs).parent == ours.key.hex, "the tree is known")
        name = theirs.key.hex[:8]
        self.assertEqual(OldConvergecast(theirs).run({name: 1, "load": 2.5}), {name: 1, "load": 2.5})
        outcome = ask(ours, "default", legacy=True, time=30, values={ours.key.hex[:8]: 1, "load": 1}).json()
        self.assertEqual(outcome, {"session": "default", "legacy": True, "complete": True, "is_root": True,
                                   "values": {ours.key.hex[:8]: 1, name: 1, "load": 3.5}, "received_from": [theirs.key.hex],
                                   "missing_keys": []})
        self.assertEqual(ask(ours, "default", legacy=True, operation="sum").status, 400)

        ours, theirs = self.pair(ours_lower=False)  # the other way round
        until(lambda: OldConvergecast(theirs).children == {ours.key.hex}, "the tree is known")
        outcome = ask(ours, "default", legacy=True, time=30, values={ours.key.hex[:8]: 1}).json()
        self.assertEqual((outcome["is_root"], outcome["complete"], outcome["values"]), (False, True, {ours.key.hex[:8]: 1}))
        self.assertEqual(OldConvergecast(theirs).run({theirs.key.hex[:8]: 1}), {ours.key.hex[:8]: 1, theirs.key.hex[:8]: 1})

    def test_we_hand_on_the_sum_of_older_children_to_an_older_parent(self):
        keys = make_keys(3)
        ours = self.axld(key=keys[1], listen=["tls://127.0.0.1:0"], settings=LEGACY)
        root, leaf = (self.axld(key=key, peers=[ours.uri()]) for key in (keys[0], keys[2]))
        for node in root, ours, leaf:
            node.wait_for_root(keys[0])
        until(lambda: OldConvergecast(leaf).parent == ours.key.hex and OldConvergecast(root).children == {ours.key.hex}, "the tree is known")
        names = [node.key.hex[:8] for node in (root, ours, leaf)]
        OldConvergecast(leaf).run({names[2]: 1})
        outcome = ask(ours, "default", legacy=True, time=30, values={names[1]: 1}).json()
        self.assertEqual((outcome["is_root"], outcome["complete"], outcome["received_from"]), (False, True, [leaf.key.hex]))
        self.assertEqual(OldConvergecast(root).run({names[0]: 1}), {name: 1 for name in names})

    def test_parts_that_are_not_the_senders_own_or_no_numbers_are_messages_like_others(self):
        ours, theirs = self.pair()
        until(lambda: OldConvergecast(theirs).parent == ours.key.hex, "the tree is known")
        good = {"type": "convergecast_data", "session_id": "default", "from": theirs.key.hex, "data": {"a": 1}}
        strange = [packed({**good, "from": ours.key.hex}), packed({**good, "data": {"a": "b"}}), packed({**good, "session_id": ""}),
                   packed(good) + b"\0", packed(good)[:-1], b"\x05", b"\xdf\xff\xff\xff\xff", b"\x91" * 100_000]
        for body in strange:
            self.assertEqual(theirs.api.send(ours.key, body).status, 200)
            self.assertEqual(ours.api.receive().body, body)
        for number in range(300):  # of sessions that nobody begins: 256 are kept
            theirs.api.send(ours.key, packed({**good, "session_id": f"s{number}"}))
        self.assertIsNone(ours.api.receive(wait=0))
        self.assertEqual(ask(ours, "s5", legacy=True, time=0.2, values={"a": 1}).json()["missing_keys"], [theirs.key.hex])
        self.assertEqual(ask(ours, "s299", legacy=True, time=30, values={"a": 1}).json()["values"], {"a": 2})


if __name__ == "__main__":
    main(namespaces="preferred")
