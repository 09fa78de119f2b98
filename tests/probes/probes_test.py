#!/usr/bin/env python3
"""Replays vectors/bridge/probes.json on a live line A - B - C of axld.

Every probe of the file is accounted for: repeated with the same outcome, repeated with another outcome that a FIX of
the bridge specification demands and that is named here, or replayed by another script, as replaying.script_of() says
(those of /mcp and /a2a in interop/old_probes_test.py as well)."""

import collections
import ipaddress
import os
import re
import socket

from replaying import NOBODY, NOSNIFF, REFERENCE, SETTINGS, Replaying, by_name, script_of
from axl_testing import main, partial_id

MAXIMUM = 16 << 20
NOT_ALLOWED = (405, NOSNIFF, "Method not allowed\n")

# Outcomes that differ on purpose: (status, headers, body); None matches anything.
FIXES = {
    "FIX 3.1: GET and HEAD only": {
        **{f"topology.{method}": NOT_ALLOWED for method in ("POST", "PUT", "DELETE", "OPTIONS")},
    },
    "FIX 3.3: GET pops, HEAD peeks, others are 405": {
        **{f"recv.{method}.empty": NOT_ALLOWED for method in ("POST", "PUT", "DELETE", "OPTIONS")},
        "recv.after_HEAD": (200, {"Content-Type": "application/octet-stream"}, "eaten by HEAD"),
        "recv.DELETE": NOT_ALLOWED,
    },
    "FIX 3.2: the size is checked before sending": {
        "send.max_plus_1": (413, NOSNIFF, f"Message size {MAXIMUM + 1} exceeds maximum {MAXIMUM}\n"),
        "send.64MB": (413, NOSNIFF, f"Message size {64 << 20} exceeds maximum {MAXIMUM}\n"),
    },
    "FIX 2.4: a full id is checked against the key that answers": {
        "send.to_id_with_wrong_tail": (502, NOSNIFF, "Failed to reach peer: peer key mismatch\n"),
        "recv.wrong_tail": (204, {}, ""),
    },
    "FIX 3.2: a peer that nobody is fails after dial_timeout_secs, with the same text": {
        "send.unknown_peer": NOBODY,
    },
    "FIX 4 and 9.2: a message between our nodes is never taken for an envelope": {
        "recv.json_with_service": (200, {}, '{"service":"weather","note":"plain app message"}'),
        "recv.json_Service_caps": (200, {}, '{"SERVICE":"weather"}'),
        "recv.json_a2a_true": (200, {}, '{"a2a":true}'),
    },
    "FIX 4: envelopes never reach the queue": {
        "recv.a2a_envelope_leaks_to_recv": (204, {}, ""),
        "recv.mcp_envelope_leaks_to_recv": (204, {}, ""),
    },
    "FIX 9.4: nothing is dropped when the queue fills": {"recv.first_after_150_sends": (200, {}, "q0")},
    "EXT 9.15: a node tells its health": {
        "unknown": (200, {"Content-Type": "application/json"}, re.compile('^{"status":"ok",')),
    },
    "FIX 9.9: a foreign Host or Origin is refused": {
        "send.host_evil": (403, {}, None), "recv.origin": (403, {}, None), "a2a.cors_simple_post": (403, {}, None),
    },
}
FIXED = by_name(FIXES)

# No request, but a remark on the one before it: how many of 150 messages were left. after() counts ours.
REMARK = "recv.queue_capacity"


class Probes(Replaying):
    def setUp(self):
        super().setUp()
        self.play(dict(zip("ABC", self.line(3, settings=SETTINGS))))
        # Once more than the probes wait, so that nothing below measures the first contact.
        self.assert_works(self.nodes["A"], self.nodes["C"])

    def body_of(self, probe):
        body = super().body_of(probe)
        if probe["name"] == "send.exactly_max":
            self.largest = body
        return body

    def expected(self, probe):
        if probe["name"] in FIXED:
            return FIXED[probe["name"]]
        status, headers, body = self.recorded(probe)
        shown = dict(probe["response"]["headers"]).get("X-From-Peer-Id")
        if shown is not None:
            # FIX 2.1: the sender's full key, where the reference knows only its beginning.
            full = next(theirs for theirs in self.ids if partial_id(bytes.fromhex(theirs)) == shown and theirs != shown)
            headers["X-From-Peer-Id"] = self.ids[full]
        if isinstance(body, dict):
            body = bytes.fromhex(body["hex"]) if "hex" in body else self.largest
        elif probe["name"].startswith("topology"):
            body = None
        return (status, headers, body), REFERENCE

    def check_here(self, probe, answer):
        self.check(probe, answer, *self.expected(probe))
        if answer.status == 405:
            self.assertIn("GET" if "/send" not in probe["request"]["path"] else "POST", answer.headers["Allow"])
        if probe["request"]["path"] == "/recv" and answer.status == 200 and probe["request"]["method"] == "GET":
            self.assertEqual(int(answer.headers["Content-Length"]), len(answer.body), "FIX 3.3: always a Content-Length")

    def after(self, probe):
        """Keeps queues in step with the reference where ours keep a message longer, or would need one."""
        name, node = probe["name"], self.nodes.get(probe["node"])
        if name == "recv.DELETE":
            self.assertEqual(node.api.receive().body, b"popped by DELETE")
        elif name == "recv.first_after_150_sends":
            self.assertEqual([node.api.receive(wait=0).body for _ in range(149)], [b"q%d" % number for number in range(1, 150)])
            self.assertIsNone(node.api.receive(wait=0))

    def before(self, probe):
        if probe["name"] == "recv.first_after_150_sends":
            for number in range(150):
                self.assertEqual(self.nodes["A"].api.send(self.nodes["C"].key, b"q%d" % number).status, 200)

    def test_the_local_api(self):
        seen = set()
        for probe in self.probes:
            if not self.is_mine(probe) or probe["group"] != "api" or probe["name"] == REMARK:
                continue
            seen.add(probe["name"])
            with self.subTest(probe=probe["name"]):
                self.before(probe)
                self.check_here(probe, self.ask(probe))
                self.after(probe)
        self.assertEqual(set(FIXED) - seen, set(), "a FIX of a probe that does not exist")

    @staticmethod
    def is_mine(probe):
        return script_of(probe) == "probes/probes_test.py"

    def test_every_probe_has_its_script(self):
        tests = os.path.join(os.path.dirname(__file__), "..")
        shares = collections.Counter(script_of(probe) for probe in self.probes)
        for script in shares:
            self.assertTrue(os.path.exists(os.path.join(tests, script)), script)
        self.assertEqual(sum(shares.values()), 209)
        self.assertEqual({probe["group"] for probe in self.probes if self.is_mine(probe)}, {"api", "http_raw"})
        self.assertEqual([probe["name"] for probe in self.probes if "method" not in probe["request"]
                          and probe["group"] not in ("http_raw", "overlay_tcp")], [REMARK])

    def test_the_shape_of_topology(self):
        a, b, c = (self.nodes[name] for name in "ABC")
        shown = b.api.topology()
        self.assertEqual((shown["our_public_key"], shown["our_ipv6"]), (b.key.hex, str(ipaddress.ip_address(b.key.address))))
        self.assertEqual({peer["public_key"]: peer["inbound"] for peer in shown["peers"]}, {a.key.hex: False, c.key.hex: True})
        root = min(a.key, b.key, c.key).hex
        for peer in shown["peers"]:
            self.assertEqual((peer["up"], peer["root"]), (True, root), "FIX 3.1: root is filled")
            self.assertIsInstance(peer["coords"], list, "FIX 3.1: coords are filled")
            self.assertGreater(peer["port"], 0)
            self.assertRegex(peer["uri"], r"^(tls|tcp)://127\.0\.0\.1:\d+$")
        tree = {entry["public_key"]: entry for entry in shown["tree"]}
        self.assertLessEqual({a.key.hex, b.key.hex, c.key.hex}, set(tree))
        self.assertEqual(tree[root]["parent"], root, "the root's parent is itself")
        self.assertTrue(all(entry["sequence"] >= 1 for entry in tree.values()))
        lonely = self.axld()
        self.assertEqual(lonely.api.topology()["peers"], [], "FIX 3.1: an empty list, not null")

    def test_raw_http(self):
        api = self.nodes["A"].api
        host = f"Host: 127.0.0.1:{api.port}"
        for probe in self.probes:
            if probe["group"] != "http_raw":
                continue
            self.assertTrue(self.is_mine(probe))
            with self.subTest(probe=probe["name"]), socket.create_connection((api.host, api.port), 60) as sock:
                raw = probe["request"]["raw"]
                if probe["name"] == "http.big_header":  # the recording names only its beginning
                    raw = "GET /recv HTTP/1.1\r\nHost: x\r\nX-A: " + "a" * (2 << 20) + "\r\n\r\n"
                # FIX 9.9: only an allowed Host is served.
                sock.sendall(self.ours(raw).replace("Host: x", host).encode())
                self.check_raw(sock, probe)

    def check_raw(self, sock, probe):
        want = probe["response"]["raw"]
        count = want.count("HTTP/1.")
        got = b""
        while count > 0 and (len(re.findall(rb"HTTP/1\.\d \d\d\d", got)) < count or b"\r\n\r\n" not in got[got.rindex(b"HTTP/1.") :]):
            part = sock.recv(1 << 16)
            self.assertTrue(part, f"closed after {got!r}")
            got += part
        statuses = r"HTTP/1\.\d (\d\d\d)"
        self.assertEqual(re.findall(statuses, got.decode()), re.findall(statuses, want))
        for header in re.findall(r"X-Sent-Bytes: \d+", want):
            self.assertIn(header.lower(), got.decode().lower())
        if want.endswith("<EOF>"):
            while sock.recv(1 << 16):
                pass
        else:
            # Still open: nothing more comes now; for a body cut short, nothing at all.
            sock.settimeout(0.3)
            with self.assertRaises(TimeoutError):
                sock.recv(1)


if __name__ == "__main__":
    main(namespaces="preferred")
