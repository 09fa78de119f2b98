"""The servers that the probes were recorded with: odd backends on paths of one server, and four MCP servers.

The MCP servers stand for the official SDK's in its four modes: what they answer to one request, of the statuses,
media types and sessions that matter on the way."""

import http.server
import json
import threading
import time

JSON = "application/json"
EVENTS = "text/event-stream"
TEXTS = b'{"jsonrpc":"2.0","id":1,"result":{"b":"<a&b>\xe2\x80\xa8\xc3\xa9","a":2,"n":12345678901234567890}}'
SESSION = "session-of-echo"


def rpc(result, id=1):
    return json.dumps({"jsonrpc": "2.0", "id": id, "result": result}).encode()


def big(size):
    return b'{"jsonrpc":"2.0","result":"' + b"x" * size + b'"}'


def odd(request, body):
    """Status, headers and body for a path."""
    path = request.path.split("?")[0]
    if path.startswith("/echo"):
        headers = {"Content-Type": JSON}
        if b'"initialize"' in body:
            headers["Mcp-Session-Id"] = SESSION
        # The request's own bytes, so that nothing is lost in decoding here.
        seen = json.dumps({"path": request.path, "headers": dict(request.headers)}).encode()
        message = json.loads(body or b"{}")
        number = json.dumps(message.get("id") if isinstance(message, dict) else None).encode()
        return 200, headers, b'{"jsonrpc":"2.0","id":%s,"result":{"seen":%s,"echo":%s}}' % (number, seen, body or b"null")
    if path in ("/slow", "/slow20"):
        seconds = 40 if path == "/slow" else 20
        time.sleep(seconds)  # what the probe is about
        return 200, {"Content-Type": JSON}, rpc(f"{seconds}s")
    if path == "/big":
        return 200, {"Content-Type": JSON}, big(int(request.path.partition("n=")[2] or 17000000))
    return {
        "/202": (202, {}, b""),
        "/204": (204, {}, b""),
        "/401": (401, {"WWW-Authenticate": 'Bearer realm="x"'}, b"who?"),
        "/500": (500, {"Content-Type": JSON}, b'{"oops":1}'),
        "/empty": (200, {}, b""),
        "/html": (200, {"Content-Type": "text/html; charset=utf-8"}, b"<p>hi</p>"),
        "/html_escape": (200, {"Content-Type": JSON}, TEXTS),
        "/sse": (200, {"Content-Type": EVENTS + "; charset=utf-8"}, b"data: " + rpc({}) + b"\n\n"),
    }.get(path, (404, {}, b""))


def mcp(stateless, events):
    def serve(request, body):
        if request.command != "POST":
            return 405, {"Allow": "POST"}, b""
        message = json.loads(body)
        if not stateless and message.get("method") != "initialize":
            return 400, {"Content-Type": JSON}, b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Missing session ID"}}'
        if "id" not in message or "method" not in message:
            return 202, {}, b""
        answer = rpc({"of": message["method"]}, message["id"])
        if events:
            return 200, {"Content-Type": EVENTS}, b"data: " + answer + b"\n\n"
        return 200, {"Content-Type": JSON}, answer

    return serve


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # 135 connections come at once

    def __init__(self, serve):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers, data = serve(self, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A connection that the node cuts is no news."""

    def url(self, path):
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def close(self):
        self.shutdown()
        self.server_close()


def start(test):
    """Endpoints by the names that the probes use."""
    def server(serve):
        made = Server(serve)
        test.addCleanup(made.close)
        return made

    odds, nobody = server(odd), Server(odd)
    nobody.close()
    endpoints = {name: odds.url("/" + name) for name in
                 ("echo", "202", "204", "500", "401", "html", "empty", "slow", "slow20", "big", "html_escape")}
    endpoints["sse_raw"] = odds.url("/sse")
    endpoints["big15"] = odds.url("/big?n=15000000")
    endpoints["dead"] = nobody.url("/mcp")
    for name, stateless, events in (("sse", False, True), ("sjson", True, False), ("json", False, False), ("ssse", True, True)):
        endpoints[name] = server(mcp(stateless, events)).url("/mcp")
    return endpoints


def register(node, endpoints):
    """As services do it: at the port that the node names. Returns that API."""
    from axl_testing import Api

    found = node.process.wait_for_line(r"^\[node\] MCP Router URL: http://127\.0\.0\.1:(\d+)/route$")
    router = Api("127.0.0.1", int(found[1]))
    for service, endpoint in endpoints.items():
        answer = router.request("POST", "/register", json.dumps({"service": service, "endpoint": endpoint}), {"Content-Type": JSON})
        if answer.status != 200:
            raise AssertionError(f"{service}: {answer!r}")
    return router
