#!/usr/bin/env python3
"""Replays the probes of /mcp and /a2a with a scripted peer of the older kind.

What the reference's far node had answered is read off what its near node made of it."""

import concurrent.futures
import json
import os
import re
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "probes"))
from backends import big  # noqa: E402
from replaying import NOBODY, NOSNIFF, REFERENCE, SETTINGS, Replaying, by_name, of_agents  # noqa: E402
from axl_testing import main, make_keys  # noqa: E402
from old_envelopes_test import Answering  # noqa: E402

ACCEPTED = (202, {}, "")
BAD_ID = (502, NOSNIFF, "Failed to reach peer: invalid peer ID\n")
ENDED = (200, {}, "")
STREAM_REFUSED = (502, NOSNIFF, "This peer is of an older kind, which carries no streams: use SendMessage\n")


def card(test, answer):
    near = test.nodes["A"].api
    test.assertEqual(answer.json(), {"url": f"http://{near.host}:{near.port}/a2a/{test.nodes['C'].key.hex}"})


CARD = (200, {"X-Axl-Card": "rewritten"}, card)
FIXES = {
    "FIX 8.3 (1): OPTIONS is answered locally": {"mcp.OPTIONS": (204, {}, ""), "a2a.OPTIONS": (204, {}, "")},
    "FIX 8.4 (c): DELETE is 200": {"mcp.DELETE_nosession": ENDED, "mcp.DELETE_unknown_session": ENDED, "mcp.DELETE_session": ENDED},
    "FIX 3.4: the id is checked for every method and message": {
        "mcp.DELETE_bad_peer": BAD_ID, "mcp.notifications_initialized_badpeer": BAD_ID,
    },
    "FIX 3.4: a short id crashes nothing": {"mcp.initialize_short_peer": BAD_ID},
    "FIX 8.4 (a): any answer to a notification or a response is 202": {
        f"mcp.{name}": ACCEPTED for name in
        ("router_down_noid", "notification_cancelled_echo", "notification_cancelled_sjson", "client_response")
    },
    "FIX 8.4 (b): a session belongs to a peer and a service": {
        "mcp.session_other_service": (404, NOSNIFF, "Invalid or expired session\n"),
    },
    "FIX 3.5: what is no JSON is 400": {
        "a2a.post_empty": (400, NOSNIFF, "Invalid JSON-RPC\n"), "a2a.post_notjson": (400, NOSNIFF, "Invalid JSON-RPC\n"),
    },
    "EXT 8.4 (f): the card where clients look for it, with URLs that lead through this node": {
        "a2a.trailing_slash": CARD, "a2a.wellknown_suffix": CARD, "a2a.card": CARD,
    },
    "EXT 8.3 (1): HEAD goes where GET goes": {"a2a.HEAD": (200, {"Content-Type": "application/json"}, "")},
    "FIX 3.2: a peer that nobody is fails after dial_timeout_secs, with the same text": {
        "mcp.unknown_peer": NOBODY, "a2a.unknown_peer": NOBODY,
    },
    "FIX 8.3 (6): we are no peer of the older kind to ourselves, and say 404 at once": {
        "mcp.self_no_router": (404, NOSNIFF, "Service not found\n"),
    },
    "FIX 8.4 (e): an old peer carries no streams, said at once": {"a2a.SendStreamingMessage": STREAM_REFUSED},
}
FIXED = by_name(FIXES)
# The peer says nothing for the half minute that we wait, as the reference does.
SILENT = {"mcp.peer_without_router", "a2a.get_peer_without_a2a", "mcp.backend_slow40"}
TIMED_OUT = (502, NOSNIFF, re.compile("^no response from peer: .*i/o timeout\n$"))


class OldProbes(Replaying):
    def setUp(self):
        super().setUp()
        low, middle, high = make_keys(3)
        third = self.yggdrasil(key=middle)
        stock = self.yggdrasil(key=low, peers=[third.uri()], listen=[], mtu=1280)
        near = self.axld(key=high, peers=[third.uri()], settings=SETTINGS)
        beside = self.axld(peers=[third.uri()])
        for node in third, stock, near, beside:
            node.wait_for_root(min(low, beside.key))
        self.play({"A": near, "B": beside, "C": stock})
        self.over = threading.Event()
        self.addCleanup(self.over.set)
        self.far = Answering(stock.host, lambda _: self.envelope)
        self.mute = Answering(third.host, lambda _: self.over.wait() and b"")
        self.addCleanup(self.far.close)
        self.addCleanup(self.mute.close)
        self.mute_key = third.key
        self.sessions = {}

    def body_of(self, probe):
        if probe["name"] == "mcp.request_2MB":  # the recording names only its beginning
            return b'{"jsonrpc": "2.0", "id": 1, "method": "' + b"x" * 2000000 + b'"}'
        return super().body_of(probe)

    def answer_of(self, probe):
        """What the far node had answered, as bytes of an envelope, and the near one's body."""
        body = probe["response"].get("body") or ""
        agent = probe["name"].startswith("a2a.")
        member = b'"a2a":true' if agent else b'"service":"svc"'
        if probe["name"] in ("a2a.card", "a2a.trailing_slash", "a2a.wellknown_suffix"):
            body = json.dumps({"url": f"/a2a/{self.nodes['C'].key.hex}"})
            return b'{"a2a":true,"response":%s}' % body.encode(), body
        if probe["name"] == "mcp.backend_big15MB":
            body = big(15000000).decode()
        elif isinstance(body, dict):
            body = '{"jsonrpc":"2.0","id":7,"result":{}}'
        error = None
        if agent and probe["response"].get("status") == 502:
            error = body.rstrip("\n")
        elif not agent and body.startswith('{"error":{"code":-32603'):
            error = json.loads(body)["error"]["message"]
        if error is not None:
            return b'{%s,"response":null,"error":%s}' % (member, json.dumps(error).encode()), body
        return b'{%s,"response":%s}' % (member, (body or "null").encode()), body

    def ask(self, probe, api=None):
        headers = dict(probe["request"]["headers"])
        session = headers.get("Mcp-Session-Id")
        if session in self.sessions:
            headers["Mcp-Session-Id"] = self.sessions[session]
        path = probe["request"]["path"]
        if probe["name"] in SILENT:
            for name in "BC":
                path = path.replace(self.keys[name], self.mute_key.hex)
        return super().ask({**probe, "request": {**probe["request"], "path": path, "headers": headers}}, api)

    def check_sessions(self, probe, answer):
        """FIX 8.4 (b): ids are random, and none comes of an initialize that failed."""
        theirs = dict(probe["response"].get("headers", [])).get("Mcp-Session-Id")
        asked = probe["request"]["headers"].get("Mcp-Session-Id")
        if theirs is None or answer.status != 200:
            return
        ours = answer.headers["Mcp-Session-Id"]
        if asked is not None:
            self.assertEqual(ours, self.sessions[asked])
        elif "error" in answer.json():
            self.assertIsNone(ours)
        else:
            self.assertRegex(ours, "^[0-9a-f]{32}$")
            self.sessions[theirs] = ours

    def expected(self, probe, body):
        if probe["name"] in FIXED:
            return FIXED[probe["name"]]
        if probe["name"] == "mcp.backend_big17MB":
            return (502, NOSNIFF, f"message size {self.too_long} exceeds maximum {16 << 20}\n"), REFERENCE
        status, headers, _ = self.recorded(probe)
        if status == 200:
            want = json.loads(body)
            return (status, headers, lambda test, answer: test.assertEqual(answer.json(), want)), REFERENCE
        return (status, headers, None if status in (301, 307) else body), REFERENCE

    def test_every_probe(self):
        probes = [probe for probe in self.probes if probe["group"] == "api" and of_agents(probe)]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            silent = [(probe, pool.submit(self.ask, probe)) for probe in probes if probe["name"] in SILENT]
            self.replay([probe for probe in probes if probe["name"] not in SILENT])
            for probe, answer in silent:
                with self.subTest(probe=probe["name"]):
                    self.check(probe, answer.result(), TIMED_OUT, REFERENCE)
        self.assertEqual(len(self.mute.frames), len(SILENT), "one envelope each")
        self.assertEqual((set(FIXED) | SILENT) - {probe["name"] for probe in probes}, set(), "a probe that does not exist")

    def replay(self, probes):
        for probe in probes:
            self.envelope, body = self.answer_of(probe)
            if probe["name"] == "mcp.backend_big17MB":
                self.envelope = b'{"service":"big","response":' + big(17000000) + b"}"
                self.too_long = len(self.envelope)
            with self.subTest(probe=probe["name"]):
                answer = self.ask(probe)
                self.check(probe, answer, *self.expected(probe, body))
                self.check_sessions(probe, answer)


if __name__ == "__main__":
    main()
