#!/usr/bin/env python3
"""From a stock host, through a third node, to the overlay ports of axld: ping6, kernel TCP to 7000, curl to 7001."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import HOST, Api, TestCase, frame, main, make_keys, until  # noqa: E402


class Streams(TestCase):
    def line(self, third):
        """stock host -- third node -- axld"""
        low, middle, high = make_keys(3)
        if third == "stock":
            between = self.yggdrasil(key=middle)
            uri = between.uri("tls")
        else:
            between = self.axld(key=middle, listen=["tls://0.0.0.0:0"])
            uri = between.uri("tls", HOST)
        host = self.yggdrasil(key=low, peers=[uri], listen=[])
        axl = self.axld(key=high, peers=[uri])
        for node in between, host, axl:
            node.wait_for_root(low)
        return host, axl

    def test_ping6(self):
        for third in "stock", "axl":
            with self.subTest(third=third):
                host, axl = self.line(third)
                until(lambda: host.ping(axl.key.address), "the first ping is answered")
                for size in 56, 1200, 1232:  # the last makes a packet of exactly 1280 bytes
                    done = host.host.run("ping", "-6", "-n", "-c", "5", "-i", "0.2", "-W", "5", "-s", str(size), axl.key.address)
                    self.assertEqual(done.returncode, 0, done.stdout.decode())
                    self.assertIn(" 0% packet loss", done.stdout.decode())

    def test_kernel_tcp_to_port_7000(self):
        for third in "stock", "axl":
            with self.subTest(third=third):
                host, axl = self.line(third)
                messages = [b"", b"x", b"two words", os.urandom(70_000), os.urandom(3 << 20), b"last"]
                with host.host.connect(axl.key.address, 7000) as sock:
                    sock.sendall(b"".join(map(frame, messages)))
                    for message in messages:
                        received = axl.api.receive()
                        self.assertEqual(received.body, message)
                        self.assertEqual(received.headers["X-From-Peer-Id"], host.key.hex)
                        self.assertEqual(int(received.headers["Content-Length"]), len(message))

    def test_a_frame_in_single_bytes(self):
        host, axl = self.line("stock")
        with host.host.connect(axl.key.address, 7000) as sock:
            sock.setsockopt(6, 1, 1)  # TCP_NODELAY: every byte a segment
            for byte in frame(b"slowly, slowly"):
                sock.sendall(bytes([byte]))
            self.assertEqual(axl.api.receive().body, b"slowly, slowly")

    def test_curl_to_port_7001(self):
        for third in "stock", "axl":
            with self.subTest(third=third):
                host, axl = self.line(third)
                url = f"http://[{axl.key.address}]:7001"

                def curl(*arguments, body=None):
                    done = host.host.run("curl", "-sS", "-g", "--max-time", "60", "-w", "\n%{http_code}", *arguments, input=body)
                    self.assertEqual(done.returncode, 0, done.stderr.decode())
                    text, _, status = done.stdout.decode().rpartition("\n")
                    return int(status), text

                def post(message_id, body, *more):
                    return curl("--data-binary", "@-", "-H", f"X-Message-Id: {message_id}", *more, url + "/messages", body=body)[0]

                self.assertEqual(post("one", b"by curl"), 202)
                self.assertEqual(post("one", b"by curl"), 202, "the same message again: same answer, queued once")
                self.assertEqual(post("one", b"another body"), 409)
                body = os.urandom(2 << 20)
                self.assertEqual(post("two", body), 202)
                for want in b"by curl", body:
                    received = axl.api.receive()
                    self.assertEqual(received.body, want)
                    self.assertEqual(received.headers["X-From-Peer-Id"], host.key.hex)
                self.assertIsNone(axl.api.receive(wait=0))

                self.assertEqual(curl(url + "/nothing")[0], 404)
                # A browser on a host with an overlay interface speaks with that host's key, not its user's will.
                self.assertEqual(post("three", b"x", "-H", "Origin: http://example.org"), 403)
                self.assertEqual(post("three", b"x", "-H", "Sec-Fetch-Site: cross-site"), 403)
                self.assertEqual(post("three", b"x", "-H", "Host: example.org"), 403)
                self.assertIsNone(axl.api.receive(wait=0))

    def test_the_local_api_is_not_on_the_overlay(self):
        host, axl = self.line("stock")
        until(lambda: host.ping(axl.key.address), "a ping is answered")
        answer = Api(axl.key.address, 7001, via=host.host).get("/topology")
        self.assertEqual(answer.status, 404)
        with self.assertRaises(ConnectionRefusedError):
            host.host.connect(axl.key.address, axl.api.port)

    def test_allow_peers_decides_who_may_connect(self):
        low, middle, high = make_keys(3)
        other = self.yggdrasil(key=low)
        host = self.yggdrasil(key=middle, peers=[other.uri()], listen=[])
        axl = self.axld(key=high, peers=[other.uri()], settings={"allow_peers": [middle.hex]})
        for node in other, host, axl:
            node.wait_for_root(low)
        with host.host.connect(axl.key.address, 7000) as sock:
            sock.sendall(frame(b"allowed"))
            self.assertEqual(axl.api.receive().body, b"allowed")
        answer = Api(axl.key.address, 7001, via=host.host).request("POST", "/messages", b"allowed too", {"X-Message-Id": "1"})
        self.assertEqual(answer.status, 202)
        self.assertEqual(axl.api.receive().body, b"allowed too")

        def refused(port, data):
            """True when the connection is refused, closed, or answered with 403."""
            try:
                with other.host.connect(axl.key.address, port) as sock:
                    sock.sendall(data)
                    return sock.recv(100)[:12] in (b"", b"HTTP/1.1 403")
            except ConnectionError:
                return True

        self.assertTrue(refused(7000, frame(b"no")))
        request = f"POST /messages HTTP/1.1\r\nHost: [{axl.key.address}]:7001\r\nX-Message-Id: 2\r\nContent-Length: 2\r\n\r\nno"
        self.assertTrue(refused(7001, request.encode()))
        self.assertIsNone(axl.api.receive(wait=0), json.dumps(axl.config))


if __name__ == "__main__":
    main()
