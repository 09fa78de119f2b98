#!/usr/bin/env python3
"""Replays the probes of /mcp and /a2a between two nodes of ours, and those of the A2A server's process.

Two such nodes carry HTTP (bridge, section 8.3), so most outcomes are what the far service itself says. The reference's
own, with a peer that speaks envelopes, are in interop/old_probes_test.py."""

import concurrent.futures
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from backends import SESSION, TEXTS, big, register, start  # noqa: E402
from replaying import NOBODY, NOSNIFF, REFERENCE, SETTINGS, Replaying, by_name, script_of  # noqa: E402
from axl_testing import main  # noqa: E402

JSON = {"Content-Type": "application/json"}
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
# Everything that a peer answers is tamed.
TAME = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}
NO_SERVICE = (404, {**PLAIN, **TAME}, "Service not found\n")
NO_AGENT = (404, {**PLAIN, **TAME}, "This node has no agent\n")
BAD_ID = (502, NOSNIFF, "Failed to reach peer: invalid peer ID\n")
OPTIONS = (204, {"Allow": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"}, "")

UNSERVED = {
    "FIX 3.2: a peer that nobody is fails after dial_timeout_secs, with the same text": {
        "mcp.unknown_peer": NOBODY, "a2a.unknown_peer": NOBODY,
    },
    "FIX 8.3 (1): OPTIONS is answered locally": {"mcp.OPTIONS": OPTIONS, "a2a.OPTIONS": OPTIONS},
    "FIX 8.3 (1): methods are forwarded": {
        **{f"mcp.{name}": NO_SERVICE for name in ("GET", "PUT", "PATCH", "HEAD", "DELETE_nosession", "DELETE_unknown_session")},
        **{f"a2a.{name}": NO_AGENT for name in ("PUT", "DELETE", "HEAD")},
    },
    "FIX 3.4: the id is checked for every method and message": {
        "mcp.DELETE_bad_peer": BAD_ID, "mcp.notifications_initialized_badpeer": BAD_ID,
    },
    "FIX 3.4: a short id crashes nothing": {"mcp.initialize_short_peer": BAD_ID},
    "FIX 8.3 (13): bodies are the service's affair": {
        f"mcp.{name}": NO_SERVICE for name in ("body_empty", "body_notjson", "body_batch", "body_string", "body_null", "method_number")
    },
    "FIX 8.3 (13): bodies are the agent's affair": {"a2a.post_empty": NO_AGENT, "a2a.post_notjson": NO_AGENT},
    "FIX 8.3 (3): a session is the service's affair": {"mcp.unknown_session": NO_SERVICE},
    "FIX 8.3 (12): notifications/initialized is forwarded": {"mcp.notifications_initialized": NO_SERVICE},
    "FIX 8.3 (6): 404 from a node without the service, at once, and no JSON-RPC error with 200": {
        f"mcp.{name}": NO_SERVICE for name in
        ("router_down", "router_down_noid", "initialize_router_down", "peer_without_router", "self_no_router")
    },
    "FIX 8.3 (6): 404 from a node without an agent, at once": {
        f"a2a.{name}": NO_AGENT for name in ("get_peer_without_a2a", "server_down_card", "server_down_post")
    },
    "FIX 8.3 (2): a path behind the peer's id belongs to its agent": {
        "a2a.trailing_slash": NO_AGENT, "a2a.wellknown_suffix": NO_AGENT,
    },
}


def saw(path="/echo", session=None, **headers):
    """What the service echo saw of a request, and that the body came as it was sent."""
    def check(test, answer):
        seen = answer.json()["result"]["seen"]
        test.assertEqual(seen["path"], path)
        far = {name.lower(): value for name, value in seen["headers"].items()}
        test.assertEqual((far["x-from-peer-id"], far["x-service"]), (test.asker.key.hex, "echo"))
        for name, value in headers.items():
            test.assertEqual(far.get(name.replace("_", "-").lower()), value)
        test.assertTrue(answer.body.endswith(b'"echo":' + test.asked + b"}}"), answer)
        test.assertEqual(answer.headers["Mcp-Session-Id"], session)

    return check


def result(method, id=1):
    def check(test, answer):
        test.assertEqual(answer.json(), {"jsonrpc": "2.0", "id": id, "result": {"of": method}})
        test.assertIsNone(answer.headers["Mcp-Session-Id"], "no session but the service's own")

    return check


def listing(text):
    return (200, JSON, result("tools/list", text))


EVENTS = {"Content-Type": "text/event-stream", **TAME}
SERVED = {
    "FIX 8.3 (6): the service's status passes through": {
        "mcp.backend_202": (202, TAME, ""),
        "mcp.backend_204": (204, TAME, ""),
        "mcp.backend_500": (500, {**JSON, **TAME}, '{"oops":1}'),
        "mcp.backend_401": (401, {"WWW-Authenticate": 'Bearer realm="x"', **TAME}, "who?"),
        "mcp.backend_sse": (400, JSON, None),
        "mcp.backend_json": (400, JSON, None),
        "mcp.backend_nosuch": NO_SERVICE,
        "mcp.backend_dead": (502, {**PLAIN, **TAME}, "Failed to reach the service\n"),
    },
    "FIX 8.3 (7, 8): any media type, any bytes": {
        "mcp.backend_html": (200, {"Content-Type": "text/html; charset=utf-8", **TAME}, "<p>hi</p>"),
        "mcp.backend_empty": (200, TAME, ""),
        "mcp.backend_sse_raw": (200, {**EVENTS, "Content-Type": "text/event-stream; charset=utf-8"}, re.compile("^data: .*\n\n$")),
        "mcp.backend_ssse": (200, EVENTS, re.compile("^data: .*\n\n$")),
        "mcp.backend_html_escape": (200, JSON, TEXTS),
        "mcp.backend_big15MB": (200, JSON, big(15000000)),
        "mcp.backend_big17MB": (200, JSON, big(17000000)),
    },
    "FIX 8.3 (3, 5, 8): headers and bodies arrive as they were, with the caller's full key": {
        "mcp.backend_echo": (200, JSON, saw()),
        "mcp.client_headers": (200, JSON, saw(
            Accept="application/json, text/event-stream", MCP_Protocol_Version="2025-11-25", Authorization="Bearer t", X_Custom="1")),
        "mcp.service_pct": (200, JSON, saw()),
        "mcp.duplicate_and_escape": (200, JSON, saw()),
        "mcp.request_2MB": (200, JSON, saw()),
    },
    "EXT 8.4: a suffix and a query belong to the service": {"mcp.service_with_slash_query": (200, JSON, saw("/echo/sub?x=1"))},
    "FIX 8.3 (3, 7): sessions are the service's own": {
        "mcp.backend_sjson": (200, JSON, result("tools/list")),
        "mcp.initialize_sjson": (200, JSON, result("initialize")),
        "mcp.with_session": (200, JSON, result("tools/list", 2)),
        "mcp.session_other_service": (200, JSON, saw(MCP_Session_Id="mcp-sjson-3457cdcb-1795312397730577076")),
        "mcp.session_other_peer": (200, JSON, saw(MCP_Session_Id="mcp-sjson-3457cdcb-1795312397730577076")),
        "mcp.DELETE_session": (405, {"Allow": "POST", **TAME}, ""),
        "mcp.after_DELETE": (200, JSON, result("tools/list", 2)),
        "mcp.initialize_echo_session": (200, JSON, saw(session=SESSION)),
    },
    "FIX 8.3 (12): notifications and a client's responses pass": {
        "mcp.notification_cancelled_echo": (200, JSON, saw()),
        "mcp.notification_cancelled_sjson": (202, TAME, ""),
        "mcp.client_response": (202, TAME, ""),
    },
    "FIX 8.3 (9): no limit to the time that an answer takes": {
        "mcp.backend_slow20": (200, JSON, '{"jsonrpc": "2.0", "id": 1, "result": "20s"}'),
        "mcp.backend_slow40": (200, JSON, '{"jsonrpc": "2.0", "id": 1, "result": "40s"}'),
    },
}


def through_the_mesh(probe, key):
    """A probe of the agent as an application behind another node sends it. The reference's node named version 1.0 itself;
    now the client does (FIX 8.3 (3))."""
    request = dict(probe["request"])
    if probe["group"] == "a2a_server":
        request["path"] = f"/a2a/{key}" + request["path"].rstrip("/")
    elif "message/send" not in (request["body"] or ""):
        request["headers"] = {**request["headers"], "A2A-Version": "1.0"}
    return {**probe, "node": "A", "request": request}


def same_as(recorded):
    """The same error code, or a task in the same state: ids and words are each agent's own."""
    def shape(answer):
        if "error" in answer:
            return answer["id"], answer["error"]["code"]
        task = answer["result"]["task"]
        return answer["id"], task["status"]["state"], [part["text"] for part in task["history"][0]["parts"]]

    def check(test, answer):
        test.assertEqual(shape(answer.json()), shape(recorded), answer)

    return check


def completed(state, *artifact):
    def check(test, answer):
        task = answer.json()["result"]["task"]
        test.assertEqual(task["status"]["state"], state, answer)
        texts = [json.loads(entry["parts"][0]["text"]) for entry in task.get("artifacts", [])]
        test.assertEqual(texts, list(artifact))

    return check


def streamed(test, answer):
    events = [json.loads(line[6:])["result"] for line in answer.text.splitlines() if line.startswith("data: ")]
    test.assertEqual([kind for event in events for kind in event],
                     ["task", "statusUpdate", "artifactUpdate", "statusUpdate"])
    test.assertEqual(events[-1]["statusUpdate"]["status"]["state"], "TASK_STATE_COMPLETED")
    test.assertEqual(json.loads(events[2]["artifactUpdate"]["artifact"]["parts"][0]["text"]), TOOLS)


def card(test, answer):
    shown, key = answer.json(), test.nodes["C"].key.hex
    near = test.nodes["A"].api
    test.assertEqual({entry["url"] for entry in shown["supportedInterfaces"]}, {f"http://{near.host}:{near.port}/a2a/{key}"})
    test.assertEqual({skill["id"] for skill in shown["skills"]}, set(test.endpoints))
    test.assertEqual(shown["capabilities"], {"streaming": True, "pushNotifications": False})


def tasks(test, answer):
    states = [task["status"]["state"] for task in answer.json()["result"]["tasks"]]
    # The two that failed and the one that was done; one more failed that speaks 0.3.
    test.assertEqual(sorted(states), ["TASK_STATE_COMPLETED"] + ["TASK_STATE_FAILED"] * 3)


def old_task(test, answer):
    task = answer.json()["result"]
    test.assertEqual((task["kind"], task["status"]["state"]), ("task", "failed"))


TOOLS = {"jsonrpc": "2.0", "id": 1, "result": {"of": "tools/list"}}
REWRITTEN = (200, {**JSON, "X-Axl-Card": "rewritten"}, card)
AGENT = {
    "8.3 (14): a card whose URLs lead through this node": {"a2a.card": REWRITTEN, "direct.a2a_card": REWRITTEN},
    "EXT 8.1: the card is at its older place too": {"direct.a2a_card_v03path": REWRITTEN},
    "6: the same tasks, whatever else an artifact holds": {
        "a2a.SendMessage_sjson": (200, JSON, completed("TASK_STATE_COMPLETED", TOOLS)),
        "a2a.ListTasks": (200, JSON, tasks),
    },
    "EXT 8.1: version 0.3 is spoken too": {"a2a.v03_message_send": (200, JSON, old_task)},
    "FIX 8.3 (9): streams pass": {
        "a2a.SendStreamingMessage": (200, EVENTS, streamed), "direct.a2a_stream": (200, EVENTS, streamed),
    },
}


class AgentsProbes(Replaying):
    def setUp(self):
        super().setUp()
        self.play(dict(zip("ABC", self.line(3, settings={**SETTINGS, **self.MORE}))))
        self.assert_works(self.nodes["A"], self.nodes["C"])
        self.assert_works(self.nodes["B"], self.nodes["C"])

    MORE = {}

    def chosen(self, served):
        for probe in self.probes:
            mine = script_of(probe) == "probes/agents_probes_test.py" and probe["group"] != "a2a_server"
            if mine and probe["phase"].startswith("router + A2A") == served:
                yield probe

    def body_of(self, probe):
        self.asker = self.nodes[probe["node"]]
        self.asked = super().body_of(probe)
        if probe["name"] == "mcp.request_2MB":  # the recording names only its beginning
            self.asked = b'{"jsonrpc": "2.0", "id": 1, "method": "' + b"x" * 2000000 + b'"}'
        return self.asked

    def expected(self, probe, fixed):
        return fixed[probe["name"]] if probe["name"] in fixed else (self.recorded(probe), REFERENCE)


class Unserved(AgentsProbes):
    """The far node has neither services nor an agent."""

    def test_every_probe(self):
        fixed, seen = by_name(UNSERVED), set()
        for probe in self.chosen(served=False):
            seen.add(probe["name"])
            with self.subTest(probe=probe["name"]):
                self.check(probe, self.ask(probe), *self.expected(probe, fixed))
        self.assertEqual(set(fixed) - seen, set(), "a FIX of a probe that does not exist")


class Served(AgentsProbes):
    MORE = {"a2a_skills": True}

    def setUp(self):
        super().setUp()
        self.endpoints = start(self)
        register(self.nodes["C"], self.endpoints)

    def test_every_probe_of_services(self):
        fixed, seen = by_name(SERVED), set()
        probes = [probe for probe in self.chosen(served=True) if probe["name"].startswith("mcp.")]
        slow = [probe for probe in probes if "slow" in probe["name"]]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = [(probe, pool.submit(self.ask, probe)) for probe in slow]
            for probe in probes:
                seen.add(probe["name"])
                if probe not in slow:
                    with self.subTest(probe=probe["name"]):
                        self.check(probe, self.ask(probe), *self.expected(probe, fixed))
            for probe, answer in waiting:
                with self.subTest(probe=probe["name"]):
                    self.check(probe, answer.result(), *self.expected(probe, fixed))
        self.assertEqual(set(fixed), seen, "every outcome is the service's own")

    def test_every_probe_of_the_agent(self):
        fixed, seen = by_name(AGENT), set()
        for probe in [*self.chosen(served=True), *(probe for probe in self.probes if probe["group"] == "a2a_server")]:
            if probe["name"].startswith("mcp."):
                continue  # above
            seen.add(probe["name"])
            with self.subTest(probe=probe["name"]):
                self.check(probe, self.ask(through_the_mesh(probe, self.keys["C"])), *self.expected_of_the_agent(probe, fixed))
        self.assertEqual(set(fixed) - seen, set(), "a FIX of a probe that does not exist")

    def expected_of_the_agent(self, probe, fixed):
        if probe["name"] in fixed:
            return fixed[probe["name"]]
        status, headers, body = self.recorded(probe)
        return (status, headers, same_as(json.loads(body))), REFERENCE


if __name__ == "__main__":
    main(namespaces="preferred")
