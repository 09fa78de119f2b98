"""The stock yggdrasil daemon, on a host (namespace) of its own with a TUN interface."""

import json
import os
import socket

from .keys import make_key
from .network import Namespace
from .process import Process
from .tree import TreeMember
from .wait import until


class Yggdrasil(TreeMember):
    """`listen` names schemes; the ports are fixed, since the namespace is the daemon's alone."""

    PORTS = {"tcp": 6001, "tls": 6002}

    def __init__(self, binary, folder, key=None, peers=(), listen=("tcp", "tls"), query="", mtu=65535, settings=None):
        self.binary = binary
        self.key = key or make_key()
        self.host = Namespace()
        self.query = query
        self._folder = folder
        self._admin = os.path.join(folder, "admin.sock")
        self.config = {
            "PrivateKey": self.key.private_hex, "Peers": list(peers),
            "Listen": [f"{scheme}://{self.host.ip}:{self.PORTS[scheme]}{query}" for scheme in listen],
            "AdminListen": f"unix://{self._admin}", "MulticastInterfaces": [], "IfName": "ygg0", "IfMTU": mtu,
            **(settings or {}),
        }
        self.process = None
        self.start()

    def uri(self, scheme="tls"):
        return f"{scheme}://{self.host.ip}:{self.PORTS[scheme]}"

    @property
    def name(self):
        return "yggdrasil " + self.key.hex[:8]

    def start(self):
        path = os.path.join(self._folder, "yggdrasil.conf")
        with open(path, "w", encoding="ascii") as file:
            json.dump(self.config, file)
        self.process = Process(self.name, self.host.command(self.binary, "-useconffile", path))
        until(lambda: self.request("getTun")["enabled"], f"{self.name} has its TUN")

    def request(self, name, **arguments):
        """One request on the admin socket, as yggdrasilctl makes it."""
        if not self.process.running:
            raise AssertionError(f"{self.name} is gone")
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(30)
            sock.connect(self._admin)
            sock.sendall(json.dumps({"request": name, "arguments": arguments}).encode())
            answer = json.load(sock.makefile())
        if answer["status"] != "success":
            raise OSError(f"{name}: {answer.get('error')}")
        return answer["response"]

    def peers(self):
        return self.request("getPeers").get("peers") or []

    def tree(self):
        """Parent's key by key, as this node knows the tree."""
        return {entry["key"]: entry["parent"] for entry in self.request("getTree").get("tree") or []}

    def wait_for_peer(self, key):
        return until(lambda: [peer for peer in self.peers() if peer["up"] and peer.get("key") == key.hex],
                     f"{self.name} lists {key.hex[:8]} as a peer that is up")[0]

    def ping(self, address, count=1):
        return self.host.run("ping", "-6", "-n", "-c", str(count), "-W", "1", address).returncode == 0

    def stop(self):
        self.process.stop()

    def kill(self):
        self.process.kill()

    def close(self):
        self.process.kill()
        self.host.close()
