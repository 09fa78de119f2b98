#!/usr/bin/env python3
"""Everybody in a topic gets everything once: the example in its short mode; and its chat, with the view on a terminal."""

import fcntl
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from axl_testing import TestCase, main, until  # noqa: E402
from short_run import short_run  # noqa: E402

EXAMPLE = HERE.parent.parent / "examples" / "gossipsub"
GOSSIP = os.path.join(os.environ["AXL_BUILD_DIR"], "examples", "gossipsub", "gossip")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Terminal:
    """A program on a terminal of its own, and what it draws there."""

    def __init__(self, *command):
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self._process = subprocess.Popen(command, stdin=theirs, stdout=theirs)
        os.close(theirs)
        self.drawn = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        try:
            while data := os.read(self._ours, 65536):
                self.drawn += data.decode(errors="replace")
        except OSError:
            pass  # how a terminal ends

    def frame(self):
        """Lines of the last picture that is complete."""
        pictures = self.drawn.split("\x1b[H")
        return [COLOURS.sub("", line).replace("\x1b[K", "").rstrip() for line in pictures[-2].split("\r\n")] if len(pictures) > 2 else []

    def type(self, line):
        os.write(self._ours, line.encode() + b"\n")

    def close(self):
        if self._process.poll() is None:
            self._process.terminate()
        code = self._process.wait(30)
        self._reader.join(30)
        if self._ours is not None:
            os.close(self._ours)
        self._ours = None
        return code


class GossipSub(TestCase):
    def test_the_short_run_delivers_everything_once_and_says_so(self):
        status, output, picture = short_run(EXAMPLE, self.folder)
        self.assertEqual(status, 0)
        lines = output.splitlines()
        self.assertRegex(lines[-1], r"^PASS: everybody got everything once: 9000 of 9000 deliveries, 0 missing, 0 twice, 0 wrong, ")
        self.assertEqual(sum("delivered    900, copies of each" in line for line in lines), 10)
        self.assertRegex(output, r"half within \d+\.\d+ ms, 99 % within \d+\.\d+ ms")
        texts = [one.text for one in xml.etree.ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}text")]
        self.assertIn("judy", texts)
        self.assertTrue(any(text.startswith("1000 messages of 1 KiB, 9000 deliveries") for text in texts), texts)

    def test_a_run_that_cannot_work_says_that_it_failed(self):
        status, output, picture = short_run(EXAMPLE, self.folder, "--gossip", "/bin/false")
        self.assertEqual(status, 1)
        self.assertEqual(output.splitlines()[-1][:5], "FAIL:")
        self.assertFalse(os.path.exists(picture))

    def test_two_people_talk_and_one_sees_the_mesh(self):
        alice = subprocess.Popen([GOSSIP, "--name", "alice", "--listen", "tls://127.0.0.1:0"], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)
        self.addCleanup(alice.stdout.close)
        self.addCleanup(lambda: alice.poll() is None and alice.kill())
        key, uri = re.fullmatch(r"alice is ([0-9a-f]{64}), listens on (\S+)\n", alice.stdout.readline()).groups()
        bob = Terminal(GOSSIP, "--name", "bob", "--peer", uri)
        self.addCleanup(bob.close)
        row = re.compile(rf" └── alice +{key[:8]} +1 message, ")
        alice.stdin.write("hello\x1b[2J\n")
        alice.stdin.flush()
        until(lambda: any(row.match(line) for line in bob.frame()), "bob's view shows alice in the mesh")
        frame = bob.frame()
        self.assertRegex(frame[0], r"^topic room +1 subscribe, 1 of them in the mesh; 1 connected$")
        self.assertTrue(any(re.fullmatch(rf"\d\d:\d\d:\d\d alice {key[:8]}: hello\?\[2J", line) for line in frame), frame)
        bob.type("hello yourself")
        self.assertRegex(alice.stdout.readline(), r"^\d\d:\d\d:\d\d bob [0-9a-f]{8}: hello yourself\n$")
        bob.type("/quit")
        self.assertEqual(bob.close(), 0)
        self.assertTrue(bob.drawn.endswith("\x1b[?7h\x1b[?1049l"), "the terminal is as it was")
        alice.stdin.close()
        self.assertEqual(alice.wait(30), 0)


if __name__ == "__main__":
    main()
