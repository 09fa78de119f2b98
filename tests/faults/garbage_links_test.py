#!/usr/bin/env python3
"""Garbage, truncated, oversize and hostile bytes on links: that link ends, or goes on; nothing else notices."""

import contextlib
import os
import random
import socket
import ssl
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import RawLink, TestCase, field, link_frame, main, make_key, meta, options, until, uvarint  # noqa: E402

MAX_MESSAGE = 131_070
SIGNATURE = bytes(64)


class GarbageLinks(TestCase):
    def setUp(self):
        super().setUp()
        self.axl = self.axld(listen=["tcp://127.0.0.1:0", "tls://127.0.0.1:0"])
        self.honest = self.axld(peers=[self.axl.uri("tls")])
        self.axl.wait_for_peer(self.honest.key)

    def tearDown(self):
        self.assert_works(self.honest, self.axl)
        self.assertEqual([peer["public_key"] for peer in self.axl.api.topology()["peers"] if peer["public_key"] == self.honest.key.hex],
                         [self.honest.key.hex], "the honest link has stayed up")

    def connect(self, scheme="tcp"):
        return RawLink(scheme, "127.0.0.1", self.axl.listener(scheme)[1])

    def test_the_raw_link_is_one(self):
        # Else the tests below would show nothing.
        key = make_key()
        for scheme in "tcp", "tls":
            with self.connect(scheme) as link:
                self.assertEqual(link.handshake(key), self.axl.key.public)
                with link.kept_alive():
                    self.axl.wait_for_peer(key)

    def test_garbage_instead_of_a_meta(self):
        key = make_key()
        good = meta(key)
        version = field(0, b"\0\0") + field(1, b"\0\5")
        cases = {
            "random": os.urandom(200), "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 10, "nothing": b"meta\0\0",
            "shorter than a signature": b"meta\0\x3f" + bytes(63), "longer than the cap": b"meta\xff\xff" + bytes(0xFFFF),
            "wrong signature": meta(key, signature=SIGNATURE), "wrong password": meta(key, b"secret"),
            "another major": meta(key, version=(1, 5)), "another minor": meta(key, version=(0, 4)),
            "no key": meta(key, fields=version), "empty fields": meta(key, fields=version + field(2, b"") + field(3, b"")),
            "field past the end": meta(key, fields=version + b"\0\2\0\xff" + key.public),
            "short key": meta(key, fields=version + field(2, key.public[:31])), "our own key": meta(self.axl.key),
            "flipped bit": good[:20] + bytes([good[20] ^ 1]) + good[21:], "preamble only": b"meta",
        }
        for scheme in "tcp", "tls":
            for name, data in cases.items():
                with self.subTest(scheme=scheme, case=name), self.connect(scheme) as link:
                    with contextlib.suppress(OSError):  # it may close before all is written
                        link.send(data)
                    link.wait_closed()
        self.assertFalse([peer for peer in self.axl.api.topology()["peers"] if peer["public_key"] == key.hex])

    def test_a_meta_cut_short(self):
        good = meta(make_key())
        for size in range(0, len(good), 7):
            with self.subTest(size=size), self.connect() as link:
                link.send(good[:size])
                link.sock.shutdown(socket.SHUT_WR)
                link.wait_closed()

    def test_silence_instead_of_a_meta(self):
        links = [self.connect(scheme) for scheme in ("tcp", "tls") for _ in range(5)]
        links[0].send(b"meta\0")
        for link in links:
            link.wait_closed()
            link.close()

    def test_garbage_instead_of_tls(self):
        for data in (os.urandom(500), b"GET / HTTP/1.0\r\n\r\n", meta(make_key()), b"\x16\x03\x01\xff\xff" + os.urandom(100)):
            with socket.create_connection(("127.0.0.1", self.axl.listener("tls")[1]), 60) as sock:
                sock.sendall(data)
                with contextlib.suppress(ConnectionError):
                    while sock.recv(1000):
                        pass

    def test_old_tls_is_refused(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with socket.create_connection(("127.0.0.1", self.axl.listener("tls")[1]), 60) as sock:
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                context.wrap_socket(sock)

    def test_frames_that_end_the_link(self):
        key = make_key()
        announce = key.public + key.public + uvarint(1) + uvarint(2) + uvarint(0)
        cases = {
            "length 0": uvarint(0), "over the maximum": uvarint(MAX_MESSAGE + 1) + bytes(1000), "huge": uvarint(2**62),
            "length overflow": b"\xff" * 11, "ten bytes, too large": b"\xff" * 9 + b"\x02",
            "unknown type 10": link_frame(10), "unknown type 255": link_frame(255, os.urandom(50)),
            "empty SigReq": link_frame(2), "SigReq and more": link_frame(2, b"\1\2\3"),
            "short SigRes": link_frame(3, b"\1\2\3" + SIGNATURE[1:]), "false SigRes": link_frame(3, b"\1\2\3" + SIGNATURE),
            "empty Announce": link_frame(4), "false Announce": link_frame(4, announce + SIGNATURE + SIGNATURE),
            "Announce without port": link_frame(4, key.public + make_key().public + b"\1\1\0" + SIGNATURE * 2),
            "empty filter": link_frame(5), "filter cut short": link_frame(5, bytes(32)),
            "filter with both flags": link_frame(5, b"\xff" * 32), "filter too long": link_frame(5, b"\xff" * 16 + bytes(16) + b"x"),
            "empty lookup": link_frame(6), "path without end": link_frame(6, bytes(64) + b"\1\1"),
            "notify cut short": link_frame(7, b"\0\0" + bytes(100)), "broken and more": link_frame(8, b"\0\0" + bytes(65)),
            "traffic cut short": link_frame(9, b"\0\0" + bytes(63)), "empty traffic": link_frame(9),
        }
        for name, data in cases.items():
            with self.subTest(case=name), self.connect() as link:
                link.handshake(key)
                with link.kept_alive():
                    with contextlib.suppress(OSError):
                        link.send(data)
                    link.wait_closed()

    def test_hostile_frames_that_say_nothing_against_the_link(self):
        seed = random.randrange(1 << 32)
        print("seed", seed)
        source = random.Random(seed)
        key, ours = make_key(), self.axl.key.public
        with self.connect() as link:
            link.handshake(key)
            with link.kept_alive():
                self.axl.wait_for_peer(key)
                for _ in range(300):
                    noise = source.randbytes(source.randrange(300))
                    stranger = source.randbytes(32)
                    link.send(source.choice([
                        # Traffic for us that no session explains: garbage, Init, Ack, Traffic.
                        link_frame(9, b"\0\0" + stranger + ours + uvarint(2**64 - 1) + noise),
                        link_frame(9, b"\0\0" + key.public + ours + b"\1" + source.choice([b"\1", b"\2"]) + source.randbytes(192)),
                        link_frame(9, b"\0\0" + key.public + ours + b"\1\3" + noise),
                        # Traffic and notices for nobody.
                        link_frame(9, b"\5\7\0\1\0" + key.public + stranger + b"\1" + noise),
                        link_frame(8, b"\1\0\1" + ours + stranger), link_frame(6, key.public + stranger + b"\1\2\0"),
                        link_frame(7, b"\0\1" + stranger + ours + b"\1\1\0" + source.randbytes(64)),
                        link_frame(0, noise), link_frame(1, noise),
                    ]))
                # After all that, still a peer, and not because nobody has looked yet.
                self.assert_works(self.honest, self.axl)
                link.send(link_frame(1))
                self.axl.wait_for_peer(key)

    def test_random_bytes_after_the_handshake(self):
        seed = random.randrange(1 << 32)
        print("seed", seed)
        source = random.Random(seed)
        key = make_key()
        for _ in range(40):
            with self.connect() as link:
                link.handshake(key)
                with contextlib.suppress(OSError):
                    link.send(source.randbytes(source.randrange(1, 5000)))

    def test_announced_lengths_cost_nothing(self):
        before = self.axl.process.status("VmRSS")
        keys = make_key()
        links = []
        for _ in range(60):
            link = self.connect()
            link.handshake(keys)
            link.send(uvarint(MAX_MESSAGE) + b"\x09")
            links.append(link)
        self.assert_works(self.honest, self.axl)
        if not options.sanitized:
            self.assertLess(self.axl.process.status("VmRSS") - before, 60 * MAX_MESSAGE // 1024, "kB")
        for link in links:
            link.close()

    def test_many_connections_leave_no_files_behind(self):
        before = self.axl.process.open_files()
        for _ in range(5):
            links = [self.connect(scheme) for scheme in ("tcp", "tls") for _ in range(20)]
            for link in links:
                with contextlib.suppress(OSError):
                    link.send(b"garbage.")
                link.close()
        until(lambda: self.axl.process.open_files() <= before + 2, "their descriptors are closed")


if __name__ == "__main__":
    main(namespaces="preferred")
