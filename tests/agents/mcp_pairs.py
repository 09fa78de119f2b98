"""Pairs of official MCP client and server, and what each must see of the other across two nodes."""

import mcp_cells
from agents_testing import AgentsCase

# What must never reach a server.
STRIPPED = {"x-axl-token", "cookie", "origin", "forwarded", "x-forwarded-for"}


class PairsCase(AgentsCase):
    def run_pairs(self, topology, pairs):
        names = {server: f"service-{number}" for number, (server, _) in enumerate(pairs)}
        servers = {name: self.server(sdk, "mcp_server.py", *arguments)
                   for name, (sdk, arguments) in mcp_cells.SERVERS.items() if name in names}
        near, far = topology({"services": {names[name]: {"url": server.url + "/mcp"} for name, server in servers.items()}})
        for server, client, checks, protocol in mcp_cells.cells():
            if (server, client) in pairs:
                with self.subTest(server=server, client=client):
                    sdk, mode = mcp_cells.CLIENTS[client]
                    details = self.client(sdk, "mcp_client.py", self.mcp_url(near, far, names[server]), checks, "--mode", mode)
                    self.assertEqual(details["connect"], protocol)
                    self.check_headers(details["headers"], near, names[server], servers[server])

    def check_headers(self, headers, near, service, server):
        """Who calls is the caller's node, in full; the server sees itself as the host."""
        self.assertEqual(headers["x-from-peer-id"], near.key.hex)
        self.assertEqual(headers["x-service"], service)
        self.assertEqual(headers["host"], f"127.0.0.1:{server.port}")
        self.assertFalse(STRIPPED & set(headers), headers)
