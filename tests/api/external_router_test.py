#!/usr/bin/env python3
"""`router_addr`: a router process of the reference's kind, played on loopback, serves the names that the node does not have.

It is asked by `POST /route` with the service's name, one JSON-RPC message and the caller's id, and answers with `response`
and `error`; the node reads those two, whatever the status. The same router stands behind two nodes: one that the caller
reaches over overlay port 7001, and one that it takes for an old one, because its HTTP is elsewhere, and calls by envelopes
on port 7000."""

import contextlib
import http.server
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import TestCase, main, partial_id, until  # noqa: E402

JSON = "application/json"


def rpc(method="tools/list", id=1, **more):
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": method, **more}).encode()


class Server:
    """HTTP on loopback; `script(body)` gives status, media type and body, or None for silence until the node hangs up."""

    def __init__(self, script):
        self.script, self.requests, self.closed, self.cut = script, [], threading.Event(), threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.requests.append((self.command, self.path, self.headers, body))
                given = outer.script(body)
                if given is None or outer.closed.is_set():
                    self.close_connection = True
                    if given is None:
                        with contextlib.suppress(ConnectionError):
                            self.rfile.read(1)
                        outer.cut.set()
                    return
                status, kind, data = given
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_DELETE = answer

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """The node cut its connection: it had what it wanted."""

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        if not self.closed.is_set():
            self.closed.set()
            self.server.shutdown()
            self.server.server_close()


def routed(response=None, error=None, status=200):
    return status, JSON + "; charset=utf-8", json.dumps({"response": response, "error": error}).encode()


class Routed(TestCase):
    SETTINGS = {}

    def setUp(self):
        super().setUp()
        self.script = lambda body: routed({"jsonrpc": "2.0", "id": json.loads(body)["request"].get("id"), "result": {"by": "router"}})
        self.router = Server(lambda body: self.script(body))
        self.own = Server(lambda body: (200, JSON, json.dumps({"jsonrpc": "2.0", "id": json.loads(body)["id"], "result": {"by": "own"}}).encode()))
        self.addCleanup(self.router.close)
        self.addCleanup(self.own.close)
        url = f"http://127.0.0.1:{self.own.port}/mcp"
        settings = {"router_addr": "http://127.0.0.1/", "router_port": self.router.port,
                    "services": {"own": {"url": url, "allow": ["*"]}, "closed": {"url": url, "allow": []}}, **self.SETTINGS}
        self.caller = self.axld(listen=["tls://127.0.0.1:0"])
        self.new = self.axld(peers=[self.caller.uri()], settings=settings)
        self.old = self.axld(peers=[self.caller.uri()], settings={**settings, "http_port": 7011})
        for node in self.new, self.old:
            self.caller.wait_for_peer(node.key)
            until(lambda node=node: self.post(node, "own").status == 200, f"{node.name} is reached")
        self.own.requests.clear()

    def post(self, node, service, body=None, **headers):
        return self.caller.api.request("POST", f"/mcp/{node.key.hex}/{service}", rpc() if body is None else body,
                                       {"Content-Type": JSON, "Accept": f"{JSON}, text/event-stream", **headers})

    def rpc_error(self, answer):
        """The text of an error that came by envelope."""
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, JSON), answer)
        self.assertEqual((answer.json()["id"], answer.json()["error"]["code"]), (1, -32603), answer)
        return answer.json()["error"]["message"]


class ExternalRouter(Routed):
    def test_what_the_router_is_asked_and_its_answer(self):
        raw = b'{ "jsonrpc":"2.0","id":12345678901234567890123, "method":"tools/call","params":{"x":"<\xc3\xbc>","f":1.50} }'
        for node in self.new, self.old:
            with self.subTest(node=node.name):
                answer = self.post(node, "team/weather%20now", raw)
                self.assertEqual((answer.status, answer.headers["Content-Type"], answer.json()["result"]), (200, JSON, {"by": "router"}))
                method, path, headers, body = self.router.requests.pop()
                self.assertEqual((method, path, headers["Content-Type"]), ("POST", "/route", JSON))
                self.assertEqual(headers["Host"], f"127.0.0.1:{self.router.port}")
                self.assertEqual(json.loads(body)["service"], "team/weather now")
                self.assertEqual(json.loads(body)["from_peer_id"], self.caller.key.hex)
                self.assertEqual(list(json.loads(body)), ["service", "request", "from_peer_id"])
                self.assertIn(raw, body, "the message's bytes are its own")
                self.assertIsNone(headers["X-Axl-Token"])
        self.assertEqual(self.own.requests, [])

    def test_large_messages_pass_both_ways(self):
        text = "x" * (6 << 20)
        self.script = lambda body: routed({"jsonrpc": "2.0", "id": 1, "result": {"size": len(json.loads(body)["request"]["params"]), "back": text}})
        for node in self.new, self.old:
            answer = self.post(node, "big", rpc("tools/call", params=text))
            self.assertEqual((answer.status, answer.json()["result"] == {"size": len(text), "back": text}), (200, True), node.name)

    def test_names_of_our_own_table_are_ours_allowed_or_not(self):
        for node in self.new, self.old:
            self.assertEqual(self.post(node, "own").json()["result"], {"by": "own"})
        self.assertEqual(self.post(self.new, "closed").status, 403)
        self.assertEqual(self.rpc_error(self.post(self.old, "closed")), "router error: Access denied: closed")
        self.assertEqual(self.router.requests, [], "never asked about them")

    def test_errors_of_the_router(self):
        # What it says: status on port 7001, text by envelope. Its own status does not matter.
        for status, error, code in ((404, "Service not found: x", 404), (502, "Service error: 500", 502), (502, "Service error: 202", 502),
                                    (504, "Service timeout", 504), (502, "Forward error: Cannot connect to host", 502),
                                    (200, "what\nis\u2028this\x1b[31m?", 502)):
            with self.subTest(error=error):
                self.script = lambda body, status=status, error=error: routed(None, error, status)
                answer = self.post(self.new, "x")
                self.assertEqual((answer.status, answer.headers["Content-Type"]), (code, "text/plain; charset=utf-8"), answer)
                self.assertEqual(self.rpc_error(self.post(self.old, "x")), f"router error: {error}")
        # What is no answer of a router.
        for status, kind, body in ((200, "text/html", b"<html>"), (500, "text/plain", b"500 Internal Server Error"), (200, JSON, b""),
                                   (200, JSON, b'{"response":'), (302, "text/plain", b"elsewhere")):
            with self.subTest(body=body):
                self.script = lambda _, given=(status, kind, body): given
                answer = self.post(self.new, "x")
                self.assertEqual((answer.status, answer.text), (502, "Failed to parse the router's answer\n"))
                self.assertTrue(self.rpc_error(self.post(self.old, "x")).startswith("failed to parse router response: "))
        self.assertTrue(all(path == "/route" for _, path, _, _ in self.router.requests), "a redirect is not followed")
        # One that has no end within our limit.
        self.script = lambda body: routed("x" * (17 << 20))
        self.assertEqual(self.post(self.new, "x").status, 502)
        self.assertTrue(self.rpc_error(self.post(self.old, "x")).startswith("failed to contact router: "))
        # And none at all.
        self.router.close()
        self.assertEqual((self.post(self.new, "x").status, self.post(self.new, "x").text), (502, "Failed to contact the router\n"))
        self.assertTrue(self.rpc_error(self.post(self.old, "x")).startswith("failed to contact router: "))
        self.assertEqual(self.post(self.new, "own").json()["result"], {"by": "own"}, "that is no reason for others to fail")

    def test_notifications(self):
        note = json.dumps({"jsonrpc": "2.0", "method": "notifications/cancelled"}).encode()
        for script in lambda _: routed(None, "Service error: 202", 502), lambda _: routed(None, None), lambda _: (200, JSON, b"{}"):
            self.script = script
            for node in self.new, self.old:
                answer = self.post(node, "x", note)
                self.assertEqual((answer.status, answer.body), (202, b""), node.name)
                self.assertEqual(json.loads(self.router.requests.pop()[3])["request"]["method"], "notifications/cancelled")
        # Only "noted" is good news.
        self.script = lambda _: routed(None, "Service error: 500", 502)
        self.assertEqual(self.post(self.new, "x", note).status, 502)

    def test_what_does_not_fit_one_message_and_one_answer_stays_here(self):
        path = f"/mcp/{self.new.key.hex}/x"
        answer = self.caller.api.request("GET", path, headers={"Accept": "text/event-stream"})
        self.assertEqual((answer.status, answer.headers["Allow"]), (405, "POST, DELETE"))
        self.assertEqual(self.caller.api.request("DELETE", path, headers={"Mcp-Session-Id": "s"}).status, 200)
        for body in b"hello", b"", b"[1]", b"null":
            self.assertEqual(self.post(self.new, "x", body).status, 400, body)
        for answer in self.post(self.new, "x", rpc("server/discover")), self.post(self.new, "x", **{"MCP-Protocol-Version": "2026-07-28"}):
            self.assertEqual(answer.status, 400)
            self.assertFalse(answer.text.startswith("{"), "no error of that revision, so that clients fall back to initialize")
        self.assertEqual(self.router.requests, [])

    def test_a_caller_that_goes_is_a_request_cut(self):
        self.script = lambda _: None
        connection = self.caller.api.connection()
        connection.request("POST", f"/mcp/{self.new.key.hex}/x", rpc(), {"Content-Type": JSON})
        until(lambda: self.router.requests, "the router is asked")
        self.assertFalse(self.router.cut.is_set())
        connection.close()
        self.assertTrue(self.router.cut.wait(60))

    def test_our_own_programs_reach_it_too(self):
        answer = self.new.api.request("POST", f"/mcp/{self.new.key.hex}/x", rpc(), {"Content-Type": JSON})
        self.assertEqual((answer.status, answer.json()["result"]), (200, {"by": "router"}))
        self.assertEqual(json.loads(self.router.requests.pop()[3])["from_peer_id"], self.new.key.hex)
        # Port 9003 is the router's own affair.
        self.assertTrue(self.new.process.find(rf"MCP Router URL: http://127\.0\.0\.1:{self.router.port}/route$"))


class Silence(Routed):
    """A router that does not answer: 30 s, or sooner if `service_timeout_secs` says so; never longer by envelope."""

    SETTINGS = {"service_timeout_secs": 1}

    def test_it_is_a_timeout(self):
        self.script = lambda _: None
        started = time.monotonic()
        answer = self.post(self.new, "x")
        self.assertEqual(answer.status, 504, answer)
        self.assertLess(time.monotonic() - started, 20, "well before the router's own 30 s")


class OldIds(Routed):
    SETTINGS = {"legacy_peer_id": True}

    def test_the_caller_has_the_id_that_its_address_tells(self):
        for node in self.new, self.old:
            self.post(node, "x")
            self.assertEqual(json.loads(self.router.requests.pop()[3])["from_peer_id"], partial_id(self.caller.key.public), node.name)
            self.post(node, "own")
            self.assertEqual(self.own.requests.pop()[2]["X-From-Peer-Id"], partial_id(self.caller.key.public), node.name)


class Deny(Routed):
    SETTINGS = {"default_policy": "deny"}

    def test_no_peer_reaches_a_name_that_has_no_allow_list(self):
        self.assertEqual(self.post(self.new, "x").status, 403)
        self.assertEqual(self.rpc_error(self.post(self.old, "x")), "router error: Access denied: x")
        self.assertEqual(self.router.requests, [])
        self.assertEqual(self.post(self.new, "own").status, 200)
        answer = self.new.api.request("POST", f"/mcp/{self.new.key.hex}/x", rpc(), {"Content-Type": JSON})
        self.assertEqual((answer.status, answer.json()["result"]), (200, {"by": "router"}), "our own programs may")


if __name__ == "__main__":
    main(namespaces="preferred")
