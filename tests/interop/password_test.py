#!/usr/bin/env python3
"""Links with passwords and pinned keys, in both directions."""

import os
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import HOST, TestCase, main, make_key, until  # noqa: E402

PASSWORD = "pass word & 100% ü" + "!" * 45  # 64 bytes, the longest that there is
assert len(PASSWORD.encode()) == 64


def query(password):
    return "?password=" + urllib.parse.quote(password)


class Password(TestCase):
    def up(self, axl, stock):
        axl.wait_for_peer(stock.key)
        stock.wait_for_peer(axl.key)
        until(lambda: stock.ping(axl.key.address), "a ping passes")

    def refused(self, node, peers):
        """The dialling node knows why its only link does not come up."""
        found = until(lambda: [peer for peer in peers() if peer.get("last_error")], f"{node.name} tells why")
        self.assertFalse(found[0]["up"] and found[0].get("key"), found)
        self.assertNotIn("pass word", found[0]["last_error"])

    def test_we_dial(self):
        for scheme in "tcp", "tls":
            with self.subTest(scheme=scheme):
                stock = self.yggdrasil(query=query(PASSWORD))
                self.up(self.axld(peers=[stock.uri(scheme) + query(PASSWORD)]), stock)
                for wrong in query("wrong"), "":
                    axl = self.axld(peers=[stock.uri(scheme) + wrong])
                    self.refused(axl, lambda axl=axl: axl.api.topology()["peers"])
                    self.assertFalse([peer for peer in stock.peers() if peer.get("key") == axl.key.hex])

    def test_we_listen(self):
        for scheme in "tcp", "tls":
            with self.subTest(scheme=scheme):
                axl = self.axld(listen=[f"{scheme}://0.0.0.0:0" + query(PASSWORD)])
                right = self.yggdrasil(peers=[axl.uri(scheme, HOST) + query(PASSWORD)], listen=[])
                self.up(axl, right)
                wrong = self.yggdrasil(peers=[axl.uri(scheme, HOST) + query("wrong")], listen=[])
                self.refused(wrong, wrong.peers)
                self.assertEqual([p["public_key"] for p in axl.api.topology()["peers"] if p["up"]], [right.key.hex])

    def test_pinned_key(self):
        stock = self.yggdrasil()
        self.up(self.axld(peers=[f"{stock.uri()}?key={make_key().hex}&key={stock.key.hex}"]), stock)
        axl = self.axld(peers=[f"{stock.uri()}?key={make_key().hex}"])
        self.refused(axl, lambda: axl.api.topology()["peers"])

    def test_allowed_public_keys(self):
        allowed, other = make_key(), make_key()
        axl = self.axld(listen=["tls://0.0.0.0:0"], settings={"AllowedPublicKeys": [allowed.hex]})
        self.up(axl, self.yggdrasil(key=allowed, peers=[axl.uri("tls", HOST)], listen=[]))
        stock = self.yggdrasil(key=other, peers=[axl.uri("tls", HOST)], listen=[])
        until(lambda: any(peer.get("last_error") for peer in stock.peers()), "the other is turned away")
        self.assertEqual([p["public_key"] for p in axl.api.topology()["peers"] if p["up"]], [allowed.hex])


if __name__ == "__main__":
    main()
