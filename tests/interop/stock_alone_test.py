#!/usr/bin/env python3
"""The stock daemon against itself: what the other interop tests take for granted of the machine and of the harness."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import TestCase, main, make_keys, partial_id, until  # noqa: E402


class StockAlone(TestCase):
    def test_two_daemons_reach_each_other_through_a_third(self):
        keys = make_keys(3)
        middle = self.yggdrasil(key=keys[1])
        ends = [self.yggdrasil(key=key, peers=[middle.uri(scheme)], listen=[])
                for key, scheme in ((keys[0], "tcp"), (keys[2], "tls"))]
        for end in ends:
            self.assertEqual(end.wait_for_peer(middle.key)["inbound"], False)
            self.assertEqual(end.request("getSelf")["address"], end.key.address)
        middle.wait_for_parent(keys[0])
        middle.wait_for_parent(keys[1], child=keys[2])
        ends[1].wait_for_root(keys[0])
        until(lambda: ends[0].ping(keys[2].address), "a ping is answered")

        with ends[1].host.socket() as server:
            server.bind(("::", 7000))
            server.listen()
            with ends[0].host.connect(keys[2].address, 7000) as client:
                accepted, peer = server.accept()
                with accepted:
                    self.assertEqual(peer[0], keys[0].address)
                    client.sendall(b"over the mesh")
                    self.assertEqual(accepted.recv(100), b"over the mesh")

    def test_a_partial_id_keeps_what_the_address_tells(self):
        # From the reference's own answers.
        key = bytes.fromhex("414f0a8e7b64e14deb8d8498d1a83b3f6cd04794c7c20c8c4d9b39ad4ff75c33")
        self.assertEqual(partial_id(key), "414f0a8e7b64e14deb8d8498d1a83fffffffffffffffffffffffffffffffffff")


if __name__ == "__main__":
    main()
