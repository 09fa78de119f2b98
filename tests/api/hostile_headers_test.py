#!/usr/bin/env python3
"""Headers that lie about who calls, and answers of a peer that would act on our origin."""

import http.server
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import TestCase, main, until  # noqa: E402


class Backend(http.server.BaseHTTPRequestHandler):
    seen = []

    def do_POST(self):  # pylint: disable=invalid-name
        self.seen.append(self.headers)
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(200)
        for name, value in (("Content-Type", "text/html"), ("Set-Cookie", "a=b"), ("Clear-Site-Data", '"*"'), ("Refresh", "0"),
                            ("Service-Worker-Allowed", "/"), ("Access-Control-Allow-Origin", "*"), ("Content-Length", "2")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"hi")

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


class HostileHeaders(TestCase):
    def test_neither_way(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Backend)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        url = f"http://127.0.0.1:{server.server_address[1]}/mcp"
        caller, far = self.line(2, settings={"services": {"echo": {"url": url}}})
        lies = {"X-From-Peer-Id": "f" * 64, "X_From_Peer_Id": "f" * 64, "X-Service": "other", "X_Service": "other",
                "Content-Type": "application/json"}
        path = f"/mcp/{far.key.hex}/echo"
        answer = until(lambda: (got := caller.api.request("POST", path, b"{}", lies)).status == 200 and got, "the service answers")
        seen = Backend.seen[-1]
        self.assertEqual(seen.get_all("X-From-Peer-Id"), [caller.key.hex])
        self.assertEqual(seen.get_all("X-Service"), ["echo"])
        self.assertIsNone(seen["X_From_Peer_Id"])
        self.assertIsNone(seen["X_Service"])
        for name in "Set-Cookie", "Clear-Site-Data", "Refresh", "Service-Worker-Allowed", "Access-Control-Allow-Origin":
            self.assertIsNone(answer.headers[name], name)
        self.assertIn("sandbox", answer.headers["Content-Security-Policy"])
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")


if __name__ == "__main__":
    main(namespaces="preferred")
