#!/usr/bin/env python3
"""Replays vectors/bridge/cli.json: start-up of axld with the same files and arguments."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import Process, TestCase, have_namespaces, main, make_key, options  # noqa: E402
from axl_testing.api import Api  # noqa: E402


def fails(*patterns, code=1, stdout=None):
    """Ends by itself; stderr matches; stdout matches or is not looked at."""
    return {"code": code, "stderr": patterns, "stdout": stdout}


def runs(*lines, warns=(), by=signal.SIGTERM, codes=(0,), also=None):
    """Starts, writes these lines, and ends with 0 (FIX 1.3: drain on SIGTERM and SIGINT) when told to."""
    return {"lines": lines, "warns": warns, "by": by, "codes": codes, "also": also}


LISTENING = r"^Listening on 127\.0\.0\.1:{19333}$"
SAME = "as the reference"
EXPECTED = {
    "config_missing": (SAME, fails(r"Node exited with error:", r"node-config\.json.*[Nn]o such file")),
    "config_missing_default_name": (SAME, fails(r"Node exited with error:", r"node-config\.json.*[Nn]o such file")),
    "config_empty_file": ("KEEP 1.2: all defaults; the log says that the identity is for this run only",
                          runs(r"^Listening on 127\.0\.0\.1:9002$", r"^\[node\] Max message size: 16777216 bytes$", r"^\[node\] Max concurrent connections: 128$",
                               r"^\[node\] Connection read timeout: 1m0s$", r"^\[node\] Connection idle timeout: 5m0s$", r"^\[node\] Gensyn Node Started!$",
                               r"^\[node\] Our IPv6: 2[0-9a-f:]+$", r"^\[node\] Our Public Key: [0-9a-f]{64}$", r"^TCP Listener started on port 7000$",
                               r"(?i)ephemeral")),
    "config_open_brace": (SAME, fails(r"parse config node-config\.json")),
    "config_truncated": (SAME, fails(r"parse config node-config\.json")),
    "config_hjson": ("FIX 1.2: one reader for all keys", runs(LISTENING, r"^TCP Listener started on port 7777$")),
    "config_wrong_type_one_field": ("FIX 1.2: refuse to start, name the key", fails(r"api_port")),
    "config_case_insensitive": (SAME, runs(LISTENING, r"^\[node\] TLS listener started on 127\.0\.0\.1:{19444}$", warns=[r"unknown"])),
    "key_file_missing": (SAME, fails(r"nokey\.pem: no such file or directory")),
    "key_file_not_pem": (SAME, fails(r"failed to parse PEM file")),
    "key_file_rsa": (SAME, fails(r"private key must be ed25519 key")),
    "key_inline_too_short": ("FIX 1.2: no crash, name the key", fails(r"PrivateKey")),
    "config_oneline_string_then_number": ("FIX 1.2: valid JSON always parses", runs(LISTENING)),
    "key_ok": (SAME, runs(LISTENING, r"^\[node\] Loaded node config from node-config\.json$", r"^\[node\] Our Public Key: {key}$")),
    "sigint": ("FIX 1.3", runs(LISTENING, by=signal.SIGINT)),
    # Not named in the FIX: a drain is as good as the reference's sudden end.
    "sighup": (SAME, runs(LISTENING, by=signal.SIGHUP, codes=(0, -signal.SIGHUP))),
    "api_port_in_use": ("FIX 1.2: bind before joining", fails(r"address already in use", stdout=r"^(?!.*Gensyn Node Started)")),
    "api_port_70000": ("FIX 1.2: bind before joining", fails(r"70000|api_port", stdout=r"^(?!.*Gensyn Node Started)")),
    "tcp_port_70000": ("FIX 1.2: refuse, do not cut to 16 bits", fails(r"tcp_port")),
    "listen_in_use": (SAME, runs(LISTENING, warns=[r"127\.0\.0\.1:{19101}.*in use"])),
    "listen_bad_scheme": (SAME, runs(LISTENING, warns=[r"foo://127\.0\.0\.1:1"])),
    "peer_bad_scheme": ("FIX 1.2: warn", runs(LISTENING, r"^\[node\] Configured peer: foo://127\.0\.0\.1:1$", warns=[r"foo.*(unknown|not supported)"])),
    "peer_bad_option": (SAME, fails(r"priority value is invalid")),
    "peer_duplicate": (SAME, runs(LISTENING, also=lambda test, api: test.assertEqual(len(api.topology()["peers"]), 1))),
    "negative_limits": ("FIX 1.2: refuse", fails(r"max_message_size|max_concurrent_conns")),
    "bridge_addr_ipv6": ("EXT 1.2: understood; the reference pastes it before the port and fails", runs(r"^Listening on \[::1\]:{19333}$")),
    "bridge_addr_ipv6_brackets": (SAME, runs(r"^Listening on \[::1\]:{19333}$")),
    "bridge_addr_any": (SAME, runs(LISTENING)),
    "addr_trailing_slashes": ("FIX 1.2: both addresses lose their slashes, and a2a_port counts",
                              runs(LISTENING, r"^\[node\] MCP Router URL: http://127\.0\.0\.1:9003/route$",
                                   r"^\[node\] A2A Server URL: http://127\.0\.0\.1:{19004}$")),
    "listen_flag_adds": (SAME, runs(LISTENING, r"^\[node\] TLS listener started on 127\.0\.0\.1:{19446}$", r"^\[node\] TCP listener started on 127\.0\.0\.1:{19445}$")),
    "flag_help": (SAME, fails(r"-config", r"-listen", code=0)),
    "flag_unknown": (SAME, fails(r"-foo", r"-config", code=2)),
    "args_extra_ignored": (SAME, runs(LISTENING)),
    "double_dash": (SAME, runs(LISTENING)),
}
DEFAULT_PORT = {"config_empty_file", "api_port_in_use"}  # these need 9002 for themselves


class Cli(TestCase):
    def setUp(self):
        super().setUp()
        with open(os.path.join(options.vectors, "cli.json"), encoding="utf-8") as file:
            self.cases = json.load(file)
        self.key = make_key()
        self.ports = {}

    def port(self, recorded):
        """A free port in place of a recorded one."""
        if recorded not in self.ports:
            with socket.socket() as sock:
                sock.bind(("127.0.0.1", 0))
                self.ports[recorded] = str(sock.getsockname()[1])
        return self.ports[recorded]

    def ours(self, text):
        """Recorded ports, all of the form 19xxx, replaced."""
        return re.sub(r"\b19\d\d\d\b", lambda match: self.port(match[0]), text)

    def pattern(self, text):
        text = text.replace("{key}", self.key.hex)
        return re.sub(r"\{(19\d\d\d)\}", lambda match: self.port(match[1]), text)

    def files(self, config):
        folder = self.subfolder()
        texts = {"k.pem": self.key.pem, "g.pem": "garbage\n", "rsa.pem": self.rsa}
        if config is not None:
            texts["node-config.json"] = self.ours(config)
        for name, text in texts.items():
            descriptor = os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
        return folder

    def test_every_case(self):
        self.rsa = subprocess.run(["openssl", "genpkey", "-algorithm", "rsa"], check=True, capture_output=True, text=True).stdout
        self.assertEqual({case["name"] for case in self.cases}, set(EXPECTED))
        for case in self.cases:
            reason, expected = EXPECTED[case["name"]]
            with self.subTest(case=case["name"], reason=reason):
                if case["name"] in DEFAULT_PORT and not have_namespaces():
                    raise unittest.SkipTest("port 9002 may be another's outside a namespace")
                self.ports.clear()
                self.run_case(case, expected)

    def run_case(self, case, expected):
        occupied = []
        if case["name"] in ("api_port_in_use", "listen_in_use"):
            sock = socket.create_server(("127.0.0.1", 9002 if case["name"] == "api_port_in_use" else int(self.port("19101"))))
            occupied.append(sock)
        try:
            process = Process(case["name"], [options.axld, *map(self.ours, case["args"])], cwd=self.files(case["config"]))
            try:
                if "code" in expected:
                    self.check_fails(process, expected)
                else:
                    self.check_runs(process, expected)
                self.assertEqual(process.reports(), [])
            except AssertionError as error:
                raise AssertionError(f"{error}\n{process.tail()}") from None
            finally:
                process.kill()
        finally:
            for sock in occupied:
                sock.close()

    def check_fails(self, process, expected):
        self.assertEqual(process.join(), expected["code"])
        for pattern in expected["stderr"]:
            self.assertRegex("\n".join(process.stderr), self.pattern(pattern))
        if expected["stdout"]:
            self.assertRegex(re.sub(r"\n", " ", "\n".join(process.stdout)), expected["stdout"])

    def check_runs(self, process, expected):
        for pattern in (*expected["lines"], *expected["warns"]):
            process.wait_for_line(self.pattern(pattern))
        found = process.wait_for_line(r"^Listening on (\S+):(\d+)$")
        api = Api(found[1].strip("[]"), int(found[2]))
        self.assertEqual(api.get("/topology").status, 200)
        if expected["also"]:
            expected["also"](self, api)
        process.signal(expected["by"])
        self.assertIn(process.join(), expected["codes"])


if __name__ == "__main__":
    main(namespaces="preferred")
