#!/usr/bin/env python3
"""Replays the probes of the MCP router's process at the port where axld serves the same API."""

import json
import os
import re
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from backends import big, register, start  # noqa: E402
from replaying import REFERENCE, SETTINGS, Replaying, by_name, script_of  # noqa: E402
from axl_testing import main  # noqa: E402

JSON = {"Content-Type": "application/json; charset=utf-8"}


def listed(test, answer):
    shown = answer.json()
    test.assertEqual(set(shown), set(test.endpoints))
    for name, entry in shown.items():
        test.assertEqual(entry["endpoint"], test.endpoints[name])
        test.assertIs(type(entry["healthy"]), bool)
        test.assertRegex(entry["registered_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$")
        test.assertEqual(entry["kind"], "url", "EXT 8.4: services have a kind")


def invalid(*start_of):
    """The reference goes on with its JSON parser's own words."""
    def check(test, answer):
        error = answer.json()
        test.assertTrue(error["error"].startswith("Invalid JSON: "), answer)
        test.assertEqual([name for name in error if name != "error"], list(start_of))

    return check


def echoed(test, answer):
    shown = answer.json()
    test.assertIsNone(shown["error"])
    test.assertEqual(shown["response"]["result"]["echo"], test.asked)
    seen = shown["response"]["result"]["seen"]["headers"]
    test.assertEqual({name: seen.get(name) for name in ("Content-Type", "Accept", "X-From-Peer-Id", "X-Service")},
                     {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
                      "X-From-Peer-Id": "unknown", "X-Service": "echo"})


def route_error(text):
    return {"response": None, "error": text}


FIXES = {
    "5: the same members in any order, with the words of another parser": {
        "router.services": (200, JSON, listed),
        "router.register_nobody": (400, JSON, invalid()),
        "router.route_empty": (400, JSON, invalid("response")),
        "router.route_ok_nopeer": (200, JSON, echoed),
    },
    "FIX 5: what is no object is no request": {"router.register_list": (400, JSON, invalid())},
    "FIX 8.3: an endpoint is a URL, of this machine": {
        "router.register_ok": (400, JSON, re.compile("endpoint|URL")),
        # Nothing was registered under the name.
        "router.deregister_pct": (404, JSON, '{"error": "Service not found: grp/x"}'),
    },
    "FIX 5: a caller that is null is unknown": {"router.route_null_peer": (200, JSON, echoed)},
    "FIX 5: the limit is max_message_size": {"router.route_1MB": (200, JSON, echoed)},
}
FIXED = by_name(FIXES)


class RouterProbes(Replaying):
    def setUp(self):
        super().setUp()
        self.play({"C": self.axld(settings=SETTINGS)})
        self.endpoints = start(self)
        self.router = register(self.nodes["C"], self.endpoints)

    def ours(self, text):
        return text

    def body_of(self, probe):
        body = super().body_of(probe)
        if probe["name"] == "router.route_1MB":  # the recording names only its beginning
            body = b'{"service": "echo", "request": "' + b"x" * 1100000 + b'"}'
        self.asked = None
        if body and body.startswith(b'{"service":') and b'"request"' in body:
            self.asked = json.loads(body)["request"]
        return body

    def test_every_probe(self):
        seen = set()
        for probe in self.probes:
            if script_of(probe) != "probes/router_probes_test.py":
                continue
            seen.add(probe["name"])
            with self.subTest(probe=probe["name"]):
                answer = self.ask(probe, self.router)
                if probe["name"] in FIXED:
                    self.check(probe, answer, *FIXED[probe["name"]])
                else:
                    self.check(probe, answer, self.recorded(probe), REFERENCE)
        self.assertEqual(set(FIXED) - seen, set(), "a FIX of a probe that does not exist")

    def route(self, service):
        request = {"service": service, "request": {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, "from_peer_id": "me"}
        answer = self.router.request("POST", "/route", json.dumps(request), {"Content-Type": "application/json"})
        return answer.status, answer.json()

    def healthy(self, service):
        return self.router.get("/services").json()[service]["healthy"]

    def test_a_route_to_each_backend(self):
        """The table of section 5; the reference's own answers to it are the mcp.backend_* probes."""
        slow = []
        waiting = threading.Thread(target=lambda: slow.append(self.route("slow")))
        waiting.start()
        wrong_type = "Forward error: 200, message='Attempt to decode JSON with unexpected mimetype: "
        expected = {
            "202": "Service error: 202", "500": "Service error: 500", "401": "Service error: 401", "sse": "Service error: 400",
            "html": wrong_type + "text/html; charset=utf-8", "sse_raw": wrong_type + "text/event-stream; charset=utf-8",
            "dead": "Forward error: Cannot connect to host",
        }
        for service, error in expected.items():
            with self.subTest(service=service):
                status, body = self.route(service)
                self.assertEqual(status, 502)
                self.assertIsNone(body["response"])
                self.assertTrue(body["error"].startswith(error), body)
                self.assertIs(self.healthy(service), False)
        self.assertEqual(self.route("204"), (200, {"response": None, "error": None}))
        self.assertEqual(self.route("sjson"), (200, {"response": {"jsonrpc": "2.0", "id": 1, "result": {"of": "tools/list"}}, "error": None}))
        self.assertEqual(self.route("big15"), (200, {"response": json.loads(big(15000000)), "error": None}))
        waiting.join()
        self.assertEqual(slow, [(504, route_error("Service timeout"))])
        recorded = json.loads(next(probe for probe in self.probes if probe["name"] == "router.services")["response"]["body"])
        for service in (*expected, "204", "sjson", "big15", "slow"):
            with self.subTest(service=service):
                self.assertIs(self.healthy(service), recorded[service]["healthy"], REFERENCE)


if __name__ == "__main__":
    main(namespaces="preferred")
