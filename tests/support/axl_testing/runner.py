"""Command line and base class of the scripts."""

import argparse
import os
import shutil
import sys
import tempfile
import unittest

from . import network
from .axld import Axld
from .wait import until
from .yggdrasil import Yggdrasil

options = argparse.Namespace(axld=None, yggdrasil=None, sanitized=False, vectors=None)


class TestCase(unittest.TestCase):
    """Keeps track of what a test starts; stops it, and shows its logs when the test failed."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="axl-test.")
        self._started = []
        self._count = 0
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(self._close)

    def subfolder(self):
        self._count += 1
        path = os.path.join(self.folder, str(self._count))
        os.mkdir(path)
        return path

    def axld(self, **arguments):
        return self.track(Axld(options.axld, self.subfolder(), **{"start": False, **arguments}), arguments.get("start", True))

    def yggdrasil(self, **arguments):
        return self.track(Yggdrasil(options.yggdrasil, self.subfolder(), **arguments))

    def line(self, count=3, settings=None):
        """axld processes in a row on loopback, each linked to the next, all in one tree."""
        nodes = []
        for index in range(count):
            scheme = "tls" if index % 2 == 0 else "tcp"
            peers = [nodes[-1].uri("tls" if index % 2 == 1 else "tcp")] if nodes else []
            nodes.append(self.axld(peers=peers, listen=[f"{scheme}://127.0.0.1:0"], settings=settings))
        root = min(node.key for node in nodes)
        for node in nodes:
            node.wait_for_root(root)
        return nodes

    def assert_works(self, sender, receiver):
        """A message passes; what a fault may not have broken."""
        token = os.urandom(16)
        until(lambda: sender.api.send(receiver.key, token, message_id=token.hex()).status == 200,
              f"{sender.name} delivers to {receiver.name}")
        self.assertEqual(receiver.api.receive().body, token)

    def track(self, node, start=False):
        self._started.append(node)  # before it starts: its log matters most when it does not
        if start:
            node.start()
        return node

    def _close(self):
        errors = []
        for node in reversed(self._started):
            try:
                node.close()
            except Exception as error:  # pylint: disable=broad-except  # the others must be stopped all the same
                errors.append(error)
        if errors:
            raise errors[0]

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(f"\nLogs of {self.id()}:", file=sys.stderr)
            for node in getattr(self, "_started", []):
                if getattr(node, "process", None) is not None:
                    print(node.process.tail(), file=sys.stderr)
            sys.stderr.flush()
        return result


def main(namespaces="required"):
    """Runs the calling script's tests. `namespaces`: required, or preferred where loopback does as well."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--axld", help="the axld to test")
    parser.add_argument("--yggdrasil", help="the stock daemon")
    parser.add_argument("--sanitized", action="store_true", help="axld has a sanitizer in it: memory figures mean nothing")
    parser.add_argument("--vectors", help="folder of recorded answers, for the scripts that replay them")
    # What is left over goes to unittest: names of tests, -k PATTERN, -f.
    known, rest = parser.parse_known_args()
    options.__dict__.update(vars(known))
    network.enter(namespaces == "required")
    unittest.main(module="__main__", argv=[sys.argv[0], "-v", *rest])
