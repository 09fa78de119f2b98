#!/usr/bin/env python3
"""MCP and A2A with a peer of the older kind, in both directions: envelopes on overlay port 7000.

Spec: `{"service":S,"request":R}` and `{"a2a":true,"request":R}`, one answer frame each on the same connection."""

import concurrent.futures
import contextlib
import http.server
import json
import os
import re
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import frame, main, options, read_frame  # noqa: E402
from old_peer_test import Old  # noqa: E402

JSON = "application/json"


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def rpc(method, id=1, **more):
    return {"jsonrpc": "2.0", "id": id, "method": method, **more}


class Answering:
    """The old peer's port 7000 on a stock host: every frame is noted and answered by `script`."""

    def __init__(self, host, script):
        self.frames, self.script, self.accepted = [], script, []
        self.server = host.socket()
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.server.bind(("::", 7000))
        self.server.listen(200)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.server.accept()
                self.accepted.append(sock)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with sock, contextlib.suppress(OSError):
            while (body := read_frame(sock)) is not None:
                self.frames.append(body)
                sock.sendall(frame(self.script(body)))

    def close(self):
        for sock in [self.server, *self.accepted]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


class Backend(http.server.ThreadingHTTPServer):
    """A server on loopback; `script(method, path, headers, body)` gives status, headers and body."""

    daemon_threads = True

    def __init__(self, script):
        backend = self
        self.requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                backend.requests.append((self.command, self.path, self.headers, body))
                status, headers, data = script(self.command, self.path, self.headers, body)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_DELETE = answer

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A connection that the node cuts, once it has its answer, is no news."""

    @property
    def port(self):
        return self.server_address[1]

    def close(self):
        self.shutdown()
        self.server_close()


class Asking(Old):
    """An application of ours, a service behind the old peer."""

    def answering(self, script):
        peer = Answering(self.stock.host, script)
        self.addCleanup(peer.close)
        return peer

    def post(self, path, body, **headers):
        return self.axl.api.request("POST", path, body if isinstance(body, bytes) else compact(body),
                                    {"Content-Type": JSON, "Accept": f"{JSON}, text/event-stream", **headers})

    def mcp(self, body, service="svc", **headers):
        return self.post(f"/mcp/{self.stock.key.hex}/{service}", body, **headers)


class WeAsk(Asking):
    def test_an_mcp_conversation(self):
        def script(body):
            request = json.loads(body)["request"]
            if "id" not in request:
                return compact({"service": "svc", "response": None, "error": "router error: Service error: 202"})
            return compact({"service": "svc", "response": {"jsonrpc": "2.0", "id": request["id"], "result": {"of": request["method"]}}})

        peer = self.answering(script)
        opened = self.mcp(rpc("initialize", params={"protocolVersion": "2025-11-25"}))
        self.assertEqual((opened.status, opened.json()["result"]), (200, {"of": "initialize"}), opened)
        session = opened.headers["Mcp-Session-Id"]
        self.assertRegex(session, "^[0-9a-f]{32}$")
        headers = {"Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25"}
        self.assertEqual(self.mcp({"jsonrpc": "2.0", "method": "notifications/initialized"}, **headers).status, 202)
        self.assertEqual(self.mcp({"jsonrpc": "2.0", "method": "notifications/cancelled"}, **headers).status, 202)
        raw = b'{ "jsonrpc":"2.0", "id":123456789012345678901234567890,"method":"tools/list", "f":1e400 }'
        listed = self.mcp(raw, **headers)
        self.assertEqual(listed.headers["Mcp-Session-Id"], session)
        self.assertEqual(peer.frames[-1], b'{"service":"svc","request":' + raw + b"}", "the request's bytes are its own")
        self.assertEqual(self.axl.api.request("GET", f"/mcp/{self.stock.key.hex}/svc", headers=headers).status, 405)
        self.assertEqual(self.axl.api.request("DELETE", f"/mcp/{self.stock.key.hex}/svc", headers=headers).status, 200)
        self.assertEqual(self.mcp(rpc("tools/list"), **headers).status, 404)
        self.assertNotIn(b"notifications/initialized", b"".join(peer.frames))

    def test_the_stateless_revision_is_refused_here(self):
        peer = self.answering(lambda body: b"{}")
        for answer in self.mcp(rpc("server/discover")), self.mcp(rpc("tools/list"), **{"MCP-Protocol-Version": "2026-07-28"}):
            self.assertEqual(answer.status, 400)
            self.assertFalse(answer.text.startswith("{"))
        self.assertEqual(peer.frames, [])

    def test_errors_have_the_reference_s_words(self):
        answer = self.mcp(rpc("tools/list"))
        self.assertEqual(answer.status, 502, answer)
        self.assertRegex(answer.text, r"^Failed to reach peer: .*connection was refused\n$")
        answers = [b'{"service":"svc","response":null,"error":"router error: Service not found: svc"}', b"hello"]
        self.answering(lambda body: answers.pop(0))
        answer = self.mcp(rpc("tools/list", id="mine"))
        self.assertEqual((answer.status, answer.json()["id"], answer.json()["error"]),
                         (200, "mine", {"code": -32603, "message": "router error: Service not found: svc"}))
        self.assertEqual((self.mcp(rpc("x")).text), "Invalid response from peer\n")
        self.assertEqual(self.mcp(b"hello").text, "Invalid JSON-RPC\n")

    def test_an_agent_s_card_and_a_message(self):
        peer = self.answering(lambda body: compact(
            {"a2a": True, "response": {"url": f"/a2a/{self.stock.key.hex}"} if b"agent_card" in body else {"id": 1, "result": {}}}))
        for suffix in "", "/.well-known/agent-card.json":
            card = self.axl.api.get(f"/a2a/{self.stock.key.hex}{suffix}")
            self.assertEqual(card.status, 200, card)
            self.assertEqual(card.json()["url"], f"http://{self.axl.api.host}:{self.axl.api.port}/a2a/{self.stock.key.hex}")
            self.assertEqual(peer.frames[-1], b'{"a2a":true,"agent_card":true,"request":null}')
        answer = self.post(f"/a2a/{self.stock.key.hex}", rpc("SendMessage"))
        self.assertEqual((answer.status, answer.json()), (200, {"id": 1, "result": {}}))
        self.assertEqual(peer.frames[-1], b'{"a2a":true,"request":' + compact(rpc("SendMessage")) + b"}")
        self.assertEqual(self.post(f"/a2a/{self.stock.key.hex}", rpc("SendStreamingMessage")).status, 502)

    def test_a_hundred_calls_at_once_all_work_and_the_peer_keeps_room_for_others(self):
        at_once, most, lock = 0, 0, threading.Lock()
        crowd = threading.Barrier(64)  # nobody is answered before the first 64 are there

        def script(body):
            nonlocal at_once, most
            with lock:
                at_once += 1
                most = max(most, at_once)
            with contextlib.suppress(threading.BrokenBarrierError):
                crowd.wait(timeout=60)
            crowd.abort()
            number = json.loads(body)["request"]["id"]
            with lock:
                at_once -= 1
            return compact({"service": "svc", "response": {"jsonrpc": "2.0", "id": number, "result": {}}})

        self.answering(script)
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            answers = list(pool.map(lambda number: self.mcp(rpc("tools/list", id=number)), range(100)))
        self.assertEqual([(answer.status, answer.json()["id"]) for answer in answers], [(200, number) for number in range(100)])
        self.assertEqual(most, 64)


class WeAskForStreams(Asking):
    """Where a stream may be done without."""

    SETTINGS = {"a2a_stream_downgrade": True}

    def test_a_stream_is_its_result_as_one_event(self):
        result = {"jsonrpc": "2.0", "id": 1, "result": {"task": {"id": "t", "status": {"state": "TASK_STATE_COMPLETED"}}}}
        peer = self.answering(lambda body: compact({"a2a": True, "response": result}))
        answer = self.post(f"/a2a/{self.stock.key.hex}", rpc("SendStreamingMessage", params={"message": {}}), **{"A2A-Version": "1.0"})
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/event-stream"), answer)
        self.assertEqual(answer.body, b"data: " + compact(result) + b"\n\n")
        self.assertEqual(peer.frames, [b'{"a2a":true,"request":' + compact(rpc("SendMessage", params={"message": {}})) + b"}"])


class WeAnswer(Old):
    """A service of ours, an application behind the old peer."""

    def setUp(self):
        self.mcp = Backend(self.serve_mcp)
        self.agent = Backend(self.serve_agent)
        self.addCleanup(self.mcp.close)
        self.addCleanup(self.agent.close)
        self.SETTINGS = {"services": {"s": {"url": f"http://127.0.0.1:{self.mcp.port}/mcp"}},
                         "a2a_addr": "http://127.0.0.1", "a2a_port": self.agent.port}
        self.sessions = []
        super().setUp()

    def serve_mcp(self, method, path, headers, body):
        """As the SDK's default: sessions, event streams."""
        if method == "DELETE":
            return 200, {}, b""
        message = json.loads(body)
        if message.get("method") == "initialize":
            self.sessions.append(f"session-{len(self.sessions)}")
            event = compact({"jsonrpc": "2.0", "id": message["id"], "result": {"protocolVersion": "2025-06-18"}})
            return 200, {"Content-Type": "text/event-stream", "Mcp-Session-Id": self.sessions[-1]}, b"data: " + event + b"\n\n"
        if headers.get("Mcp-Session-Id") not in self.sessions:
            return 404 if "Mcp-Session-Id" in headers else 400, {}, b""
        if "id" not in message or "method" not in message:
            return 202, {}, b""
        events = [{"jsonrpc": "2.0", "method": "notifications/progress"}, {"jsonrpc": "2.0", "id": message["id"], "result": {"ok": 1}}]
        return 200, {"Content-Type": "text/event-stream"}, b"".join(b"data: " + compact(event) + b"\n\n" for event in events)

    def serve_agent(self, method, path, headers, body):
        answer = {"name": "agent"} if method == "GET" else {"jsonrpc": "2.0", "id": 1, "result": {"version": headers.get("A2A-Version")}}
        return 200, {"Content-Type": JSON}, compact(answer)

    def ask(self, *envelopes):
        with self.connect() as sock:
            sock.sendall(b"".join(frame(compact(envelope)) for envelope in envelopes))
            sock.shutdown(socket.SHUT_WR)  # an answer still comes
            return [json.loads(read_frame(sock)) for _ in envelopes]

    def test_a_stateful_server_with_event_streams(self):
        opened, listed = self.ask({"service": "s", "request": rpc("initialize", params={})}, {"service": "s", "request": rpc("tools/list", id="a")})
        self.assertEqual(opened, {"service": "s", "response": {"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": "2025-06-18"}}})
        self.assertEqual(listed, {"service": "s", "response": {"jsonrpc": "2.0", "id": "a", "result": {"ok": 1}}})
        self.sessions[-1] = "forgotten"
        self.assertEqual(self.ask({"service": "s", "request": rpc("tools/list", id="b")})[0]["response"]["id"], "b")
        for _, path, headers, _ in self.mcp.requests:
            self.assertEqual((path, headers["X-From-Peer-Id"], headers["X-Service"]), ("/mcp", self.stock.key.hex, "s"))

    def test_the_backend_sees_what_it_saw_through_the_reference(self):
        with open(os.path.join(options.vectors, "bridge", "official_clients.json"), encoding="utf-8") as file:
            rows = json.load(file)
        recorded = [row["result"]["server_saw_headers"] for row in rows
                    if row["label"] in ("tunnel_sjson", "tunnel_v2sjson") and row["result"].get("server_saw_headers")]
        self.assertTrue(recorded)
        self.ask({"service": "s", "request": rpc("tools/list")})
        headers = self.mcp.requests[0][2]
        for row in recorded:
            for name in "content-type", "accept":
                self.assertEqual(headers[name], row[name])
            for name in set(row) - {"user-agent", "accept-encoding"}:
                self.assertIn(name, headers)

    def test_notifications_unknown_services_and_plain_messages(self):
        self.ask({"service": "s", "request": rpc("initialize", params={})})
        noted, unknown = self.ask({"service": "s", "request": {"jsonrpc": "2.0", "method": "notifications/roots/list_changed"}},
                                  {"service": "none", "request": rpc("x")})
        self.assertEqual(noted, {"service": "s", "response": None})
        self.assertEqual(unknown, {"service": "none", "response": None, "error": "router error: Service not found: none"})
        with self.connect() as sock:
            sock.sendall(frame(b"plain") + frame(b'{"other":1}'))
            self.assertEqual([self.axl.api.receive().body for _ in range(2)], [b"plain", b'{"other":1}'])

    def test_an_agent(self):
        card, new, old, stream = self.ask({"a2a": True, "agent_card": True, "request": None}, {"a2a": True, "request": rpc("SendMessage")},
                                          {"a2a": True, "request": rpc("message/send")}, {"a2a": True, "request": rpc("message/stream")})
        self.assertEqual(card, {"a2a": True, "response": {"name": "agent"}})
        self.assertEqual(new["response"]["result"], {"version": "1.0"})
        self.assertEqual(old["response"]["result"], {"version": None})
        self.assertEqual(stream["response"]["error"]["code"], -32004)

    def test_what_fails_is_answered_and_a_line_of_the_log(self):
        self.mcp.close()
        self.agent.close()
        mcp, agent = self.ask({"service": "s", "request": rpc("tools/list")}, {"a2a": True, "request": rpc("SendMessage")})
        for kind, error in ("mcp", mcp["error"]), ("a2a", agent["error"]):
            text = re.escape(f"Stream {kind} forward error: {error} (for peer {self.stock.key.hex[:16]}...)")
            self.axl.process.wait_for_line(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d " + text + "$")


if __name__ == "__main__":
    main()
