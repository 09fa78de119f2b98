#!/usr/bin/env python3
"""Every pair of official MCP client and server, over a direct link and over three hops."""

import mcp_cells
from agents_testing import main
from mcp_pairs import PairsCase

ALL = [(server, client) for server, client, _, _ in mcp_cells.cells()]


class Matrix(PairsCase):
    def test_over_a_direct_link(self):
        self.run_pairs(self.direct_link, ALL)

    def test_over_three_hops(self):
        self.run_pairs(self.three_hops, ALL)


if __name__ == "__main__":
    main()
