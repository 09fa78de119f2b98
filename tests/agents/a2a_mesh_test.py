#!/usr/bin/env python3
"""Official A2A clients and agents with two nodes between them. A client gets the agent's base URL and nothing else."""

from agents_testing import AgentsCase, main

ALL = ["card", "send", "stream", "tasks", "cancel", "cancel_seen", "subscribe"]
# The 0.3 SDK's agent does not end the streams of a cancelled task, without a mesh either.
CELLS = [(2, 2, "JSONRPC", ALL), (2, 2, "HTTP+JSON", ALL), (2, 1, "JSONRPC", ALL),
         (1, 2, "JSONRPC", [name for name in ALL if name != "cancel_seen"]),
         (1, 1, "JSONRPC", [name for name in ALL if name != "cancel_seen"])]


class Agents(AgentsCase):
    def run_cells(self, topology):
        for generation in (1, 2):
            agent = self.server(generation, "a2a_agent.py")
            # The port is honoured: no agent of these tests has the default one.
            near, far = topology({"a2a_addr": "http://127.0.0.1", "a2a_port": agent.port})
            url = self.a2a_url(near, far)
            for server, client, binding, checks in CELLS:
                if server != generation:
                    continue
                with self.subTest(agent=server, client=client, binding=binding):
                    details = self.client(client, "a2a_client.py", url, checks, "--binding", binding)
                    for address in details["card"]:
                        self.assertTrue(address.startswith(url + "/"), f"{address} leads past {url}")
                    for request in agent.record():
                        self.assertEqual(request["headers"]["x-from-peer-id"], near.key.hex)

    def test_over_a_direct_link(self):
        self.run_cells(self.direct_link)

    def test_over_three_hops(self):
        self.run_cells(self.three_hops)

    def test_the_nodes_own_agent(self):
        """Its skills are the services; either generation of the protocol finds it."""
        server = self.server(1, "mcp_server.py")
        near, far = self.direct_link({"a2a_skills": True, "services": {"notes": {"url": server.url + "/mcp"}}})
        for client in (2, 1):
            with self.subTest(client=client):
                details = self.client(client, "a2a_client.py", self.a2a_url(near, far), ["skills", "skill", "skill_streamed"])
                self.assertIn("notes", details["skills"])
        callers = {request["headers"].get("x-from-peer-id") for request in server.record() if request["method"] == "POST"}
        self.assertEqual(callers, {near.key.hex})


if __name__ == "__main__":
    main()
