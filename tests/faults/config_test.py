#!/usr/bin/env python3
"""Wrong configuration: refused with the key's name before anything is joined, or a warning that helps."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import TestCase, main, make_key, options  # noqa: E402


class Config(TestCase):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.folder, "node-config.json")

    def run_axld(self, *arguments):
        return subprocess.run([options.axld, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)

    def refused(self, config, *words):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(config if isinstance(config, str) else json.dumps(config))
        done = self.run_axld("-config", self.path, "--api-port", "0")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("Node exited with error:", done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertNotIn("Our Public Key", done.stdout, "it had joined already")

    def test_wrong_types_name_the_key(self):
        for key, value in (("api_port", "19333"), ("Peers", "tls://127.0.0.1:1"), ("Peers", [1]), ("Listen", {}), ("bridge_addr", 5), ("tcp_port", 1.5),
                           ("max_message_size", None), ("max_message_size", True), ("AllowedPublicKeys", "x"), ("recv_queue_bytes", "1G"), ("PrivateKeyPath", 1)):
            with self.subTest(key=key, value=value):
                self.refused({key: value}, key)

    def test_wrong_values_name_the_key(self):
        for key, value in (("max_message_size", -1), ("max_concurrent_conns", -5), ("conn_read_timeout_secs", -1), ("conn_idle_timeout_secs", -1),
                           ("tcp_port", 70000), ("tcp_port", -1), ("recv_queue_messages", -1), ("send_timeout_secs", -1), ("api_port", 70000),
                           ("PrivateKey", "00"), ("PrivateKey", "zz" * 64), ("AllowedPublicKeys", ["abcd"]), ("allow_peers", ["f" * 63]), ("deny", ["f" * 63])):
            with self.subTest(key=key, value=value):
                self.refused({key: value}, key)
        self.refused({"max_message_size": 64 << 20, "recv_queue_bytes": 128 << 20}, "max_message_size", "recv_queue_bytes")
        # A key whose public half is another's would leak the private one.
        self.refused({"PrivateKey": make_key().seed.hex() + make_key().hex}, "PrivateKey")
        # Beyond loopback needs a token.
        self.refused({"bridge_addr": "0.0.0.0"}, "bridge_addr")

    def test_what_is_no_json(self):
        for text in "{", '{"api_port":19333,"Peers":["tls://127.0.0.1:1"],', "[]", '"x"', '{"a":1}}', "\0\0", '{"api_port":}', "{" * 100_000, "[" * 100_000:
            with self.subTest(text=text[:30]):
                self.refused(text)

    def test_an_unknown_key_is_a_warning_with_the_nearest_known_one(self):
        for wrong, right in (("Peer", "Peers"), ("api_prot", "api_port"), ("max_mesage_size", "max_message_size"), ("Listn", "Listen")):
            with self.subTest(key=wrong):
                axl = self.axld(settings={wrong: 1})
                axl.process.wait_for_line(rf"{wrong}.*{right}")
                axl.stop()

    def test_a_key_file_that_others_can_read_is_refused(self):
        axl = self.axld(start=False)
        path = axl.config["PrivateKeyPath"]
        for mode in 0o644, 0o640, 0o604:
            os.chmod(path, mode)
            self.refused({"PrivateKeyPath": path}, path)
        axl.arguments = ["--insecure-key-file"]
        axl.start()
        self.assertEqual(axl.api.topology()["our_public_key"], axl.key.hex)

    def test_genkey_writes_a_private_file_and_never_overwrites(self):
        path = os.path.join(self.folder, "new.pem")
        done = self.run_axld("--genkey", path)
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with open(path, encoding="ascii") as file:
            pem = file.read()
        public = subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"], capture_output=True, check=True).stdout[-32:]
        self.assertNotEqual(self.run_axld("--genkey", path).returncode, 0)
        with open(path, encoding="ascii") as file:
            self.assertEqual(file.read(), pem)
        axl = self.axld(settings={"PrivateKeyPath": path})
        self.assertEqual(axl.api.topology()["our_public_key"], public.hex())

    def test_check_config(self):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write('{api_port: 19333, # comment\n}')
        self.assertEqual(self.run_axld("--check-config", "-config", self.path).returncode, 0)
        with open(self.path, "w", encoding="utf-8") as file:
            file.write('{"api_port": "x"}')
        done = self.run_axld("--check-config", "-config", self.path)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("api_port", done.stderr + done.stdout)

    def test_help_config_names_every_key(self):
        done = self.run_axld("--help-config")
        self.assertEqual(done.returncode, 0)
        for key in ("PrivateKeyPath", "Peers", "Listen", "api_port", "tcp_port", "max_message_size", "recv_queue_messages", "recv_queue_bytes",
                    "send_timeout_secs", "dial_timeout_secs", "allow_peers", "AllowedPublicKeys"):
            self.assertIn(key, done.stdout)

    def test_version(self):
        done = self.run_axld("--version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^axld? \d+\.\d+\.\d+.*\n$")

    def test_listeners_and_peers_that_cannot_be(self):
        axl = self.axld(settings={"Peers": ["quic://127.0.0.1:1", "foo://127.0.0.1:1"]}, listen=["tcp://127.0.0.1:0"])
        axl.process.wait_for_line(r"quic.*not supported")
        axl.process.wait_for_line(r"foo")
        # In use: it runs on, and says so.
        taken = f"tcp://127.0.0.1:{axl.listener('tcp')[1]}"
        other = self.axld(settings={"Listen": [taken]})
        other.process.wait_for_line("in use")
        self.assertEqual(other.api.get("/topology").status, 200)


if __name__ == "__main__":
    main(namespaces="preferred")
