"""An axld process."""

import json
import os
import re

from .api import Api
from .keys import make_key
from .process import Process
from .tree import TreeMember
from .wait import until


class Axld(TreeMember):
    """Started with a config file in `folder`, on any free API port. `listen` holds URIs; port 0 is any free one.

    `within` is the Namespace that it lives in, if not the test's own."""

    def __init__(self, binary, folder, key=None, peers=(), listen=(), arguments=(), settings=None, start=True, within=None):
        self.binary, self.folder, self.within = binary, folder, within
        self.key = key or make_key()
        self.arguments = list(arguments)
        self.config = {"PrivateKeyPath": os.path.join(folder, "key.pem"), "Peers": list(peers), "Listen": list(listen),
                       **(settings or {})}
        # Listeners that `settings` brings may be meant to fail: nobody waits for those.
        self._awaited = len(self.config["Listen"]) if "Listen" not in (settings or {}) else 0
        self.process = self.api = None
        if "PrivateKeyPath" not in (settings or {}):  # a test that names a key file has written it
            descriptor = os.open(self.config["PrivateKeyPath"], os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(self.key.pem)
        if start:
            self.start()

    @property
    def name(self):
        return "axld " + self.key.hex[:8]

    def start(self):
        path = os.path.join(self.folder, "node-config.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.config, file)
        command = [self.binary, "-config", path, "--api-port", "0", "--router-port", "0", *self.arguments]
        self.process = Process(self.name, self.within.command(*command) if self.within else command)
        found = self.process.wait_for_line(r"^Listening on (?:(unix:.+)|(\S+):(\d+))$")
        self.api = Api(found[1], None) if found[1] else Api(found[2].strip("[]"), int(found[3]))
        for index, uri in enumerate(self.config["Listen"][: self._awaited]):
            scheme = uri.split(":")[0]
            earlier = sum(other.startswith(scheme + ":") for other in self.config["Listen"][:index])
            # A restart must come back where its peers look for it.
            self.config["Listen"][index] = re.sub(r":\d+(?=$|[/?])", f":{self.listener(scheme, earlier)[1]}", uri)

    def listener(self, scheme, skip=0):
        """Address and port of a listener, from the log."""
        found = self.process.wait_for_line(rf"^\[node\] {scheme.upper()} listener started on (\S+):(\d+)$", skip)
        return found[1], int(found[2])

    def uri(self, scheme="tls", host="127.0.0.1", query=""):
        """How a peer dials us."""
        return f"{scheme}://{host}:{self.listener(scheme)[1]}{query}"

    def wait_for_peer(self, key):
        """Until the link to `key` is up, as /topology shows it."""
        return until(lambda: [peer for peer in self.api.topology()["peers"] if peer["up"] and peer["public_key"] == key.hex],
                     f"{self.name} lists {key.hex[:8]} as a peer that is up")[0]

    def tree(self):
        """Parent's key by key, as this node knows the tree."""
        return {entry["public_key"]: entry["parent"] for entry in self.api.topology()["tree"]}

    def stop(self):
        """As an operator would: SIGTERM, a clean end, no complaint of a sanitizer."""
        code = self.process.stop()
        if code != 0 or self.process.reports():
            raise AssertionError(f"{self.name} ended with {code}, reports: {self.process.reports()}\n{self.process.tail()}")

    def kill(self):
        self.process.kill()

    def restart(self):
        self.stop()
        self.start()

    def close(self):
        """The end of every axld that a test has not ended itself."""
        if self.process is not None:
            if self.process.running:
                self.stop()
            elif self.process.reports():
                raise AssertionError(f"{self.name}: {self.process.reports()}")
