#!/usr/bin/env python3
"""The official conformance runner gives a server the same marks through three hops as it gives it directly."""

from agents_testing import AgentsCase, main, until
from typescript import conformance

# Scenarios of 0.1.13; fewer would mean that the runner gave up.
SCENARIOS = 32
# What the server must have earned for the comparison to mean anything. Of server-sse-polling the runner judges nothing: it
# asks in a revision in which the SDK does not hand streams over (mcp_mesh_test.py has resumption).
UNJUDGED = {"server-sse-polling"}


class Conformance(AgentsCase):
    def test_same_marks_as_directly(self):
        server = self.server(1, "conformance_server.py")
        near, far = self.three_hops({"services": {"all": {"url": server.url + "/mcp"}}})
        # The runner wants a page of the server's own origin to be let in; a node lets nobody in who is not listed.
        near.config["allowed_origins"] = [f"http://{near.api.host}:{near.api.port}"]
        near.arguments = ["--api-port", str(near.api.port)]
        near.restart()
        until(lambda: [peer for peer in near.api.topology()["peers"] if peer["up"]], "the restarted node is linked")

        directly = conformance(server.url + "/mcp", self.subfolder())
        self.assertEqual(len(directly), SCENARIOS)
        for scenario, marks in directly.items():
            self.assertNotIn("FAILURE", marks.values(), scenario)
            if scenario not in UNJUDGED:
                self.assertIn("SUCCESS", marks.values(), scenario)
        through = conformance(self.mcp_url(near, far, "all"), self.subfolder())
        self.assertEqual(through, directly)


if __name__ == "__main__":
    main()
