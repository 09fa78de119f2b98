#!/usr/bin/env python3
"""The other ways in which a service comes to a node: registered over HTTP, or a program that the node starts."""

import json
import os

import mcp_cells
from agents_testing import AgentsCase, main, make_keys, python, until
from axl_testing import Api

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "servers", "mcp_server.py")


class Services(AgentsCase):
    def test_a_server_registers_and_leaves(self):
        server = self.server(1, "mcp_server.py")
        near, far = self.direct_link({})
        port = far.process.wait_for_line(r"^\[node\] MCP Router URL: http://127\.0\.0\.1:(\d+)/route$")[1]
        router = Api("127.0.0.1", int(port))
        answer = router.request("POST", "/register", json.dumps({"service": "late", "endpoint": server.url + "/mcp"}),
                                {"Content-Type": "application/json"})
        self.assertEqual((answer.status, answer.json()), (200, {"status": "registered", "service": "late"}))
        self.assertIn("late", router.get("/services").json())
        url = self.mcp_url(near, far, "late")
        self.client(1, "mcp_client.py", url, ["tools", "progress", "sampling"])
        self.assertEqual(router.request("DELETE", "/register/late").status, 200)
        self.assertEqual(near.api.request("POST", f"/mcp/{far.key.hex}/late", "{}", {"Content-Type": "application/json"}).status, 404)

    def test_a_program_on_standard_input_and_output(self):
        """From outside it is a Streamable HTTP server with sessions."""
        settings = {"services": {f"program-{sdk}": {"command": [python(sdk), PROGRAM, "--stdio"], "allow": ["*"]} for sdk in (1, 2)}}
        near, far = self.direct_link(settings)
        for client in ("mcp 1.30", "mcp 2.3 auto", "mcp 2.3 legacy"):
            for program in (1, 2):
                with self.subTest(client=client, program=program):
                    sdk, mode = mcp_cells.CLIENTS[client]
                    checks = ["tools", "echo", "error", "many", "progress", "beside", "sampling", "elicitation", "announce", "cancel", "big"]
                    self.client(sdk, "mcp_client.py", self.mcp_url(near, far, f"program-{program}"), checks, "--mode", mode)
        # What one client asked without a session, of the program that knows how, is answered by a process that stays for more.
        until(lambda: len(far.process.children()) == 1, "the programs end with their sessions")

    def test_a_program_names_who_may_use_it(self):
        near, far = self.direct_link({"services": {"closed": {"command": [python(1), PROGRAM, "--stdio"], "allow": [make_keys(1)[0].hex]}}})
        answer = near.api.request("POST", f"/mcp/{far.key.hex}/closed", "{}", {"Content-Type": "application/json"})
        self.assertIn(answer.status, (403, 404))
        self.assertEqual(far.process.children(), [])


if __name__ == "__main__":
    main()
