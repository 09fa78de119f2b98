"""What load is put on: nodes in a line, or the server that stands for the ceiling."""

import os
import socket

from axl_testing import Axld, Process, until


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


class Null:
    """The HTTP server without a network."""

    def __init__(self, tools):
        ports = free_ports(2)
        self.process = Process("null", [os.path.join(tools, "null_node"), *map(str, ports)])
        self.process.wait_for_line("ready")
        self.send_port, self.recv_port = ports
        self.key = "0" * 64
        self.pids = {"node": self.process.pid}

    def stop(self):
        self.process.kill()


class Chain:
    """Nodes in a line; the first sends, the last receives, and has the service `bench` if `service` names its port."""

    def __init__(self, binary, folder, length=2, settings=None, service=None):
        self.nodes = []
        for index in range(length):
            home = os.path.join(folder, f"{length}-{len(os.listdir(folder))}")
            os.mkdir(home)
            own = dict(settings or {})
            if service and index == length - 1:
                own["services"] = {"bench": {"url": f"http://127.0.0.1:{service}/mcp"}}
            peers = [self.nodes[-1].uri()] if self.nodes else []
            self.nodes.append(Axld(binary, home, peers=peers, listen=["tls://127.0.0.1:0"], settings=own))
        for dialled, dialling in zip(self.nodes, self.nodes[1:]):
            dialling.wait_for_peer(dialled.key)
        first, last = self.nodes[0], self.nodes[-1]
        self.key = last.key.hex
        self.send_port, self.recv_port = first.api.port, last.api.port
        names = ["sender", "receiver"] if length == 2 else ["sender", *["hop"] * (length - 2), "receiver"]
        self.pids = {name: node.process.pid for name, node in zip(names, self.nodes)}
        until(lambda: first.api.send(self.key, b"warm").status == 200, "the first message arrives")
        last.api.receive()

    def stop(self):
        for node in self.nodes:
            node.stop()
