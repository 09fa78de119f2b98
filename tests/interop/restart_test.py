#!/usr/bin/env python3
"""Either side ends, politely or not, and comes back with its key: the link, the tree and the messages come back too."""

import itertools
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import HOST, TestCase, frame, main, make_keys, until  # noqa: E402


class Restart(TestCase):
    numbers = itertools.count()

    def deliver(self, sender, receiver):
        """One message, offered until it is taken: repeating the id makes that safe."""
        number = str(next(self.numbers))
        until(lambda: sender.api.send(receiver.key, number.encode(), message_id=number).status == 200,
              f"{sender.name} delivers to {receiver.name}")
        self.assertEqual(receiver.api.receive().body, number.encode())
        self.assertIsNone(receiver.api.receive(wait=0), "exactly once")

    def test_the_stock_node_between_us(self):
        for roles in (0, 1, 2), (1, 0, 2):
            for ending in "stop", "kill":
                with self.subTest(stock_is_root=roles[1] == 0, ending=ending):
                    keys = make_keys(3)
                    stock = self.yggdrasil(key=keys[roles[1]])
                    ends = [self.axld(key=keys[roles[0]], peers=[stock.uri("tls")]),
                            self.axld(key=keys[roles[2]], peers=[stock.uri("tcp")])]
                    self.deliver(*ends)
                    getattr(stock, ending)()
                    for end in ends:
                        until(lambda end=end: not any(peer["up"] for peer in end.api.topology()["peers"]), f"{end.name} sees it gone")
                    stock.start()
                    for node in (stock, *ends):
                        node.wait_for_root(keys[0])
                    for end in ends:
                        stock.wait_for_peer(end.key)
                    self.deliver(*ends)
                    self.deliver(*ends[::-1])
                    for node in (*ends, stock):
                        node.stop()

    def test_axld_as_neighbour_of_the_stock_node(self):
        for axl_is_root, ending in itertools.product((True, False), ("stop", "kill")):
            with self.subTest(axl_is_root=axl_is_root, ending=ending):
                low, high = make_keys(2)
                axl_key, stock_key = (low, high) if axl_is_root else (high, low)
                axl = self.axld(key=axl_key, listen=["tls://0.0.0.0:0"])
                stock = self.yggdrasil(key=stock_key, peers=[axl.uri("tls", HOST)], listen=[])
                stock.wait_for_peer(axl.key)

                def exchange(text, axl=axl, stock=stock):
                    with stock.host.connect(axl.key.address, 7000) as sock:
                        sock.sendall(frame(text))
                        self.assertEqual(axl.api.receive().body, text)

                exchange(b"before")
                getattr(axl, ending)()
                until(lambda: not any(peer["up"] for peer in stock.peers()), "the stock node sees us gone")
                axl.start()
                stock.wait_for_peer(axl.key)
                for node in axl, stock:
                    node.wait_for_root(low)
                stock.wait_for_parent(low, child=high)
                # Our session with it is a new one; it must not hold on to the old one.
                exchange(b"after")
                axl.stop()
                stock.stop()

    def test_axld_as_transit(self):
        low, middle, high = make_keys(3)
        axl = self.axld(key=middle, listen=["tls://0.0.0.0:0"])
        ends = [self.yggdrasil(key=key, peers=[axl.uri("tls", HOST)], listen=[]) for key in (low, high)]
        until(lambda: ends[0].ping(high.address), "a ping passes through us")
        axl.restart()
        for end in ends:
            end.wait_for_peer(axl.key)
        ends[1].wait_for_root(low)
        until(lambda: ends[0].ping(high.address), "a ping passes through us again")


if __name__ == "__main__":
    main()
