#!/usr/bin/env python3
"""axld and the stock daemon in each other's tree: as root, as child, as transit; and how each lists the other."""

import hashlib
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import HOST, TestCase, main, make_keys, until  # noqa: E402


class Pair(TestCase):
    def join(self, axl_key, stock_key, dialler, scheme):
        if dialler == "axl":
            stock = self.yggdrasil(key=stock_key)
            return self.axld(key=axl_key, peers=[stock.uri(scheme)]), stock
        axl = self.axld(key=axl_key, listen=[f"{scheme}://0.0.0.0:0"])
        return axl, self.yggdrasil(key=stock_key, peers=[axl.uri(scheme, HOST)], listen=[])

    def check(self, axl, stock, root, child, dialler, scheme):
        # The stock daemon's view of us ...
        peer = stock.wait_for_peer(axl.key)
        self.assertEqual(peer["address"], axl.key.address)
        self.assertEqual(peer["inbound"], dialler == "axl")
        self.assertTrue(peer["remote"].startswith(scheme + "://"), peer)
        self.assertEqual(stock.request("getSelf")["key"], stock.key.hex)
        stock.wait_for_root(root)
        stock.wait_for_parent(root, child=child)
        stock.wait_for_parent(root, child=root)
        entry = next(e for e in stock.request("getTree")["tree"] if e["key"] == axl.key.hex)
        self.assertEqual(entry["address"], axl.key.address)
        self.assertGreaterEqual(entry["sequence"], 1)

        # ... and ours of it.
        axl.wait_for_root(root)
        axl.wait_for_parent(root, child=child)
        topology = axl.api.topology()
        self.assertEqual(topology["our_public_key"], axl.key.hex)
        self.assertEqual(topology["our_ipv6"], axl.key.address)
        peer = axl.wait_for_peer(stock.key)
        self.assertEqual(peer["inbound"], dialler == "stock")
        self.assertTrue(peer["uri"].startswith(scheme + "://"), peer)
        until(lambda: axl.wait_for_peer(stock.key)["root"] == root.hex, "the peer's root is shown")
        self.assertEqual(len(axl.wait_for_peer(stock.key)["coords"]), 0 if stock.key is root else 1)

        # Questions about us that travel in an encrypted session.
        def ask(name):
            return list(until(lambda: stock.request(name, key=axl.key.hex), f"we answer {name}").values())[0]

        self.assertIsInstance(ask("getNodeInfo"), dict)
        self.assertEqual(ask("debug_remoteGetSelf")["key"], axl.key.hex)
        self.assertEqual(ask("debug_remoteGetPeers")["keys"], [stock.key.hex])
        self.assertEqual(set(ask("debug_remoteGetTree")["keys"]), {axl.key.hex, stock.key.hex})
        until(lambda: stock.ping(axl.key.address), "we answer a ping")

    def test_every_role_dialling_and_listening(self):
        for root in "axl", "stock":
            for dialler, scheme in ("axl", "tls"), ("axl", "tcp"), ("stock", "tls"), ("stock", "tcp"):
                with self.subTest(root=root, dialler=dialler, scheme=scheme):
                    low, high = make_keys(2)
                    axl_key, stock_key = (low, high) if root == "axl" else (high, low)
                    axl, stock = self.join(axl_key, stock_key, dialler, scheme)
                    self.check(axl, stock, low, high, dialler, scheme)
                    axl.stop()
                    stock.stop()


class Transit(TestCase):
    def exchange(self, one, other):
        """A kernel TCP stream each way, 4 MiB, equal hashes."""
        data = os.urandom(4 << 20)
        received = hashlib.sha256()
        with one.host.socket() as server:
            server.bind(("::", 5000))
            server.listen()
            with other.host.connect(one.key.address, 5000) as client:
                accepted, peer = server.accept()
                self.assertEqual(peer[0], other.key.address)
                with accepted:
                    def echo():
                        while part := accepted.recv(1 << 16):
                            accepted.sendall(part)

                    def write():
                        client.sendall(data)
                        client.shutdown(1)

                    threads = [threading.Thread(target=target, daemon=True) for target in (echo, write)]
                    for thread in threads:
                        thread.start()
                    total = 0
                    while total < len(data):
                        part = client.recv(1 << 16)
                        self.assertTrue(part, "the stream ended early")
                        received.update(part)
                        total += len(part)
                    for thread in threads:
                        thread.join()
        self.assertEqual(received.hexdigest(), hashlib.sha256(data).hexdigest())

    def line(self, left, middle, right):
        axl = self.axld(key=middle, listen=["tcp://0.0.0.0:0", "tls://0.0.0.0:0"])
        ends = [self.yggdrasil(key=left, peers=[axl.uri("tls", HOST)], listen=[]),
                self.yggdrasil(key=right, peers=[axl.uri("tcp", HOST)], listen=[])]
        root = min(left, middle, right)
        for node in (axl, *ends):
            node.wait_for_root(root)
        until(lambda: ends[0].ping(right.address), "a ping passes through us")
        self.exchange(*ends)
        until(lambda: [peer["key"] for peer in ends[0].peers()] == [middle.hex], "the only link is the one to us")
        return axl, ends

    def test_axld_as_root_between_two_stock_nodes(self):
        low, left, right = make_keys(3)
        self.line(left, low, right)

    def test_axld_as_inner_node_between_root_and_leaf(self):
        low, middle, high = make_keys(3)
        axl, ends = self.line(low, middle, high)
        # The leaf hears of the whole chain through us.
        ends[1].wait_for_parent(low, child=middle)
        ends[1].wait_for_parent(middle)
        self.assertEqual(axl.tree()[middle.hex], low.hex)

    def test_stock_node_between_two_axld(self):
        low, middle, high = make_keys(3)
        for left, between, right in (low, middle, high), (middle, low, high):
            with self.subTest(root="axl" if left is low else "stock"):
                stock = self.yggdrasil(key=between)
                ends = [self.axld(key=left, peers=[stock.uri("tls")]), self.axld(key=right, peers=[stock.uri("tcp")])]
                for node in (stock, *ends):
                    node.wait_for_root(low)
                for one, other in (ends, ends[::-1]):
                    answer = one.api.send(other.key, b"through the stock node")
                    self.assertEqual((answer.status, answer.headers["X-Axl-Delivered"]), (200, "1"), answer)
                    received = other.api.receive()
                    self.assertEqual(received.body, b"through the stock node")
                    self.assertEqual(received.headers["X-From-Peer-Id"], one.key.hex)
                for node in (*ends, stock):
                    node.stop()


if __name__ == "__main__":
    main()
