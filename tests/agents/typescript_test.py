#!/usr/bin/env python3
"""The official TypeScript SDK: as a server, and as a client of its own server and of a Python one."""

from agents_testing import AgentsCase, main
from typescript import NodeServer, run_client


class TypeScript(AgentsCase):
    def run_checks(self, url, kind):
        done = run_client(self.subfolder(), url, kind)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr[-2000:])
        self.assertIn('"close"', done.stdout)

    def test_as_a_server(self):
        server = self.track(NodeServer(self.subfolder()))
        near, far = self.direct_link({"services": {"ts": {"url": server.url + "/mcp"}}})
        for sdk in (1, 2):
            self.client(sdk, "mcp_client.py", self.mcp_url(near, far, "ts"), ["many"])

    def test_as_a_client(self):
        ts, py = self.track(NodeServer(self.subfolder())), self.server(1, "mcp_server.py")
        near, far = self.three_hops({"services": {"ts": {"url": ts.url + "/mcp"}, "py": {"url": py.url + "/mcp"}}})
        for kind in ("ts", "py"):
            with self.subTest(server=kind):
                self.run_checks(self.mcp_url(near, far, kind), kind)


if __name__ == "__main__":
    main()
