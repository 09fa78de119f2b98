#!/usr/bin/env python3
"""Connections between nodes that are kept for the next request: one whose peer has been restarted costs no request."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import TestCase, main, until  # noqa: E402

LIST = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ListTasks", "params": {}}).encode()


class StaleConnections(TestCase):
    def test_a_request_with_a_body_to_a_peer_that_was_restarted(self):
        caller = self.axld(listen=["tls://127.0.0.1:0"])
        peer = self.axld(peers=[caller.uri()], settings={"a2a_skills": True})

        def ask():
            return caller.api.request("POST", f"/a2a/{peer.key.hex}", LIST,
                                      {"Content-Type": "application/json", "A2A-Version": "1.0"})

        until(lambda: ask().status == 200, "the agent answers")
        for _ in range(3):
            peer.kill()
            until(lambda: not any(entry["up"] for entry in caller.api.topology()["peers"]), "the caller has noticed")
            peer.start()
            caller.wait_for_peer(peer.key)
            # No second try of ours: the node itself finds out that nobody knows the connection it had kept.
            answer = ask()
            self.assertEqual(answer.status, 200, answer)
            self.assertIn("tasks", answer.json()["result"])


if __name__ == "__main__":
    main()
