"""Probes of the reference node (vectors/bridge/probes.json), asked of axld."""

import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import TestCase, options, partial_id  # noqa: E402
from axl_testing.keys import address  # noqa: E402

REFERENCE = "as the reference"
SETTINGS = {"dial_timeout_secs": 3}
NOSNIFF = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
# The id that nobody has, of the probes *.unknown_peer.
NOBODY = (502, NOSNIFF, re.compile(
    rf"^Failed to reach peer: failed to reach peer: connect tcp \[{address(bytes.fromhex('11' * 32))}\]:\d+: operation timed out\n$"))
COMPARED = ("Content-Type", "X-Content-Type-Options", "X-Sent-Bytes", "Location")


def of_agents(probe):
    """A path that leads to a service or an agent of a peer."""
    return probe["name"].startswith(("mcp.", "a2a.")) and probe["name"] != "a2a.cors_simple_post"


def script_of(probe):
    """The one script that replays it; an unknown kind of probe has none, and that is an error."""
    if probe["group"] in ("api", "http_raw"):
        return "probes/agents_probes_test.py" if of_agents(probe) else "probes/probes_test.py"
    return {"router": "probes/router_probes_test.py", "a2a_server": "probes/agents_probes_test.py",
            "overlay_tcp": "interop/wire_probes_test.py"}[probe["group"]]


def by_name(fixes):
    """{fix: {name: outcome}} as {name: (outcome, fix)}."""
    return {name: (outcome, fix) for fix, outcomes in fixes.items() for name, outcome in outcomes.items()}


class Replaying(TestCase):
    """Outcomes are (status, headers, body); None matches anything, a function of the answer's body says whether it fits."""

    def setUp(self):
        super().setUp()
        with open(os.path.join(options.vectors, "probes.json"), encoding="utf-8") as file:
            recorded = json.load(file)
        self.probes, self.keys = recorded["probes"], recorded["keys"]
        self.ids = {}

    def play(self, nodes):
        """`nodes`: those of ours that stand for A, B and C."""
        self.nodes = nodes
        for name, node in nodes.items():
            theirs = bytes.fromhex(self.keys[name])
            self.ids[theirs.hex()] = node.key.hex
            self.ids[partial_id(theirs)] = partial_id(node.key.public)

    def ours(self, text):
        """Text of a probe with our keys for theirs, in either case of letters."""
        for theirs, ours in self.ids.items():
            text = text.replace(theirs, ours).replace(theirs.upper(), ours.upper())
        # A true beginning with a false end.
        return re.sub(r"414f0a8e7b64e14deb8d8498d1a83b3f6c0{30}", self.nodes["A"].key.hex[:34] + "0" * 30, text)

    def body_of(self, probe):
        body = probe["request"]["body"]
        if isinstance(body, dict):
            return bytes.fromhex(body["hex"]) if "hex" in body else os.urandom(body["len"])
        return None if body is None else self.ours(body).encode()

    def ask(self, probe, api=None):
        request = probe["request"]
        headers = {name: self.ours(value) for name, value in request["headers"].items()}
        # A sender pads a header at its own risk; http.client does not.
        api = api or self.nodes[probe["node"]].api
        return api.request(request["method"], self.ours(request["path"]), self.body_of(probe), headers)

    def recorded(self, probe):
        response = probe["response"]
        headers = {name: self.ours(value) for name, value in response["headers"] if name in COMPARED}
        if response["status"] in (301, 307):
            headers.pop("Content-Type", None)
            return response["status"], headers, None
        return response["status"], headers, response["body"]

    def check(self, probe, answer, outcome, reason):
        status, headers, body = outcome
        self.assertIn(answer.status, (301, 307) if status in (301, 307) else (status,), f"{reason}: {answer!r}")
        for name, value in headers.items():
            self.assertEqual(answer.headers[name], value, f"{reason}: {answer!r}")
        if probe["request"]["method"] == "HEAD":
            body = ""
        if isinstance(body, re.Pattern):
            self.assertRegex(answer.text, body, reason)
        elif callable(body):
            body(self, answer)
        elif body is not None:
            self.assertTrue(answer.body == (body if isinstance(body, bytes) else body.encode()), f"{reason}: {answer!r}")
        if answer.status == 204:
            self.assertNotIn("Content-Type", answer.headers)
