#!/usr/bin/env python3
"""Without a mesh: every pair of official MCP client and server passes the checks that the table expects of it."""

import mcp_cells
from agents_testing import AgentsCase, main


class Direct(AgentsCase):
    def test_every_pair(self):
        servers = {name: self.server(sdk, "mcp_server.py", *arguments) for name, (sdk, arguments) in mcp_cells.SERVERS.items()}
        for server, client, checks, protocol in mcp_cells.cells():
            with self.subTest(server=server, client=client):
                sdk, mode = mcp_cells.CLIENTS[client]
                details = self.client(sdk, "mcp_client.py", servers[server].url + "/mcp", checks, "--mode", mode)
                self.assertEqual(details["connect"], protocol)


if __name__ == "__main__":
    main("preferred")
