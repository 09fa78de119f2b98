#!/usr/bin/env python3
"""Official MCP clients and servers with two nodes between them: one pair of each kind; mcp_matrix_test.py has all of them."""

import http.client
import urllib.parse

from agents_testing import main
from mcp_pairs import PairsCase

PAIRS = [("1.30 stateful SSE", "mcp 1.30"), ("1.30 stateful JSON", "mcp 2.3 auto"), ("2.3 default", "mcp 2.3 auto"),
         ("2.3 stateless JSON", "mcp 2.3 pinned")]
FAR = [("1.30 stateful SSE", "mcp 2.3 legacy"), ("2.3 default", "mcp 2.3 pinned")]


class Mesh(PairsCase):
    def test_over_a_direct_link(self):
        self.run_pairs(self.direct_link, PAIRS)

    def test_over_three_hops(self):
        self.run_pairs(self.three_hops, FAR)

    def test_sessions_streams_and_resumption(self):
        server = self.server(1, "mcp_server.py", "--resumable")
        near, far = self.direct_link({"services": {"notes": {"url": server.url + "/mcp"}}})
        url = self.mcp_url(near, far, "notes")
        self.client(1, "mcp_client.py", url, ["announce", "resume"])
        # GET, with and without Last-Event-ID, and DELETE have come to the server itself, which said how it went.
        streams = [request["headers"].get("last-event-id") for request in server.record() if request["method"] == "GET"]
        self.assertIn(None, streams)
        self.assertTrue([one for one in streams if one], streams)
        deleted = self.seen(server, lambda request: request["method"] == "DELETE", "the session is deleted")
        self.assertEqual(deleted["status"], 200)
        # The server's word on a session that is over comes through as it is.
        session = deleted["headers"]["mcp-session-id"]
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        connection.request("POST", parts.path, '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
                           {"Mcp-Session-Id": session, "Content-Type": "application/json",
                            "Accept": "application/json, text/event-stream"})
        answer = connection.getresponse()
        self.assertEqual(answer.status, 404, answer.read())
        connection.close()

    def test_an_aborted_call_is_aborted_at_the_server(self):
        server = self.server(2, "mcp_server.py")
        near, far = self.direct_link({"services": {"notes": {"url": server.url + "/mcp"}}})
        self.client(2, "mcp_client.py", self.mcp_url(near, far, "notes"), ["cancel"], "--mode", "2026-07-28")
        self.seen(server, lambda request: request["end"] == "aborted", "a request is aborted at the server")


if __name__ == "__main__":
    main()
