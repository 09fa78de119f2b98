"""Programs of the older kind, scripted: they know /topology, /send and /recv of the node beside them, and nothing else."""

import base64
import json
import random
import struct
import threading

from axl_testing import until


class OldTalk:
    """Says and hears single gossipsub messages."""

    def __init__(self, node, peer):
        self.node, self.peer = node, peer

    def say(self, msg_type, **members):
        self.say_raw(json.dumps({"type": "gossipsub", "msg_type": msg_type, **members}).encode())

    def say_raw(self, body):
        answer = self.node.api.send(self.peer.key, body)
        if answer.status != 200:
            raise AssertionError(f"not sent: {answer!r}")

    def hear(self, msg_type):
        """The next message of this type; others are passed over."""
        while True:
            message = self.node.api.receive()
            if message is None:
                raise AssertionError(f"no {msg_type} came")
            said = json.loads(message.body)
            if said["type"] == "gossipsub" and said["msg_type"] == msg_type:
                return said

    def publish(self, topic, data, number=1):
        own = self.node.key.hex
        name = f"{own[:8]}:{number:06d}"
        self.say("MESSAGE", topic=topic, msg_id=name, origin=own, hop=0, data=base64.b64encode(data).decode(), **{"from": own})
        return name


class OldGossip(threading.Thread):
    """A whole such program, with its rules and its weaknesses: it asks for an id once in its life, forgets none, believes
    X-From-Peer-Id, and counts from 1."""

    WANTED, LOW, HIGH, GOSSIP, LONGEST_IHAVE, LONGEST_IWANT = 3, 2, 4, 1, 5000, 64
    HEARTBEAT = 0.2  # seconds; a fifth of what it is

    def __init__(self, node, topic):
        super().__init__(daemon=True)
        self.node, self.topic = node, topic
        self.mesh, self.seen, self.requested, self.cache = set(), set(), set(), {}
        self.got = []  # (data, origin, hop) of the messages of others, each once
        self.copies = self.count = 0
        self.fault = None
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.start()

    def run(self):
        try:
            while not self.ended.wait(self.HEARTBEAT):
                with self.lock:
                    self.drain()
                    self.heartbeat()
        except Exception as error:  # told to the test by close()
            self.fault = error

    def close(self):
        self.ended.set()
        self.join()
        if self.fault:
            raise self.fault

    def known(self):
        topology = self.node.api.topology()
        keys = {peer["public_key"] for peer in topology["peers"] if peer["up"]} | {one["public_key"] for one in topology["tree"]}
        return keys - {self.node.key.hex}

    def say(self, peer, msg_type, **members):
        self.node.api.send(peer, json.dumps({"type": "gossipsub", "msg_type": msg_type, **members}).encode())

    def publish(self, data):
        with self.lock:
            self.count += 1
            own = self.node.key.hex
            message = {"topic": self.topic, "msg_id": f"{own[:8]}:{self.count:06d}", "origin": own, "from": own, "hop": 0,
                       "data": base64.b64encode(data).decode()}
            self.seen.add(message["msg_id"])
            self.cache[message["msg_id"]] = message
            for peer in self.mesh or self.known():
                self.say(peer, "MESSAGE", **message)

    def drain(self):
        while message := self.node.api.receive(wait=0):
            said = json.loads(message.body)
            if said["type"] == "gossipsub":
                getattr(self, "on_" + said["msg_type"])(message.headers["X-From-Peer-Id"], said)

    def on_MESSAGE(self, sender, said):
        self.copies += 1
        if said["msg_id"] in self.seen:
            return
        self.seen.add(said["msg_id"])
        self.got.append((base64.b64decode(said["data"], validate=True), said["origin"], said["hop"]))
        copy = {name: said[name] for name in ("topic", "msg_id", "origin", "data")}
        copy.update({"from": self.node.key.hex, "hop": said["hop"] + 1})
        self.cache[said["msg_id"]] = copy
        others = [peer for peer in self.mesh if peer not in (sender, said["origin"])]
        if others:
            eager = random.choice(others)
            self.say(eager, "MESSAGE", **copy)
            for peer in set(others) - {eager}:
                self.say(peer, "IHAVE", topic=self.topic, msg_ids=[said["msg_id"]])

    def on_GRAFT(self, sender, said):
        if said["topic"] != self.topic:
            return
        if len(self.mesh) < self.HIGH:
            self.mesh.add(sender)
        else:
            self.say(sender, "PRUNE", topic=self.topic, peers=[])

    def on_PRUNE(self, sender, said):
        if said["topic"] == self.topic:
            self.mesh.discard(sender)

    def on_IHAVE(self, sender, said):
        if said["topic"] != self.topic:
            return
        new = [name for name in said["msg_ids"] if name not in self.seen and name not in self.requested]
        self.requested.update(new)
        if new:
            self.say(sender, "IWANT", msg_ids=new[:self.LONGEST_IWANT])

    def on_IWANT(self, sender, said):
        for name in said["msg_ids"]:
            if name in self.cache:
                self.say(sender, "MESSAGE", **self.cache[name])

    def heartbeat(self):
        known = self.known()
        self.mesh &= known
        if len(self.mesh) < self.LOW:
            free = sorted(known - self.mesh)
            for peer in random.sample(free, min(len(free), self.WANTED - len(self.mesh))):
                self.mesh.add(peer)
                self.say(peer, "GRAFT", topic=self.topic)
        while len(self.mesh) > self.HIGH:
            peer = random.choice(sorted(self.mesh))
            self.mesh.remove(peer)
            self.say(peer, "PRUNE", topic=self.topic, peers=[])
        outside = sorted(known - self.mesh)
        for peer in random.sample(outside, min(len(outside), self.GOSSIP)):
            if self.seen:
                self.say(peer, "IHAVE", topic=self.topic, msg_ids=list(self.seen)[:self.LONGEST_IHAVE])

    def wait_for(self, bodies):
        """Until these have come, and returns what has: body, origin and hop of each."""
        def all_there():
            if self.fault:
                raise self.fault
            return set(bodies) <= {data for data, _, _ in self.got}

        until(all_there, f"the program behind {self.node.name} has all messages")
        return list(self.got)


def packed(value):
    """MessagePack, of the few kinds that such programs use, with their choice of sizes."""
    if isinstance(value, dict):
        return bytes([0x80 | len(value)]) + b"".join(packed(part) for pair in value.items() for part in pair)
    if isinstance(value, str):
        text = value.encode()
        return (bytes([0xA0 | len(text)]) if len(text) < 32 else bytes([0xD9, len(text)])) + text
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    return bytes([value]) if value < 128 else b"\xcd" + struct.pack(">H", value)


def unpacked(data):
    """The same way back, for what an axld sends."""

    def take(size):
        nonlocal data
        part, data = data[:size], data[size:]
        return part

    def value():
        kind = take(1)[0]
        if kind < 0x80:
            return kind
        if kind < 0x90:
            return {value(): value() for _ in range(kind & 15)}
        if 0xA0 <= kind < 0xC0:
            return take(kind & 31).decode()
        if kind == 0xD9:
            return take(take(1)[0]).decode()
        if kind in (0xDE, 0xDF):
            return {value(): value() for _ in range(int.from_bytes(take(2 if kind == 0xDE else 4), "big"))}
        if kind == 0xCB:
            return struct.unpack(">d", take(8))[0]
        return int.from_bytes(take({0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}[kind]), "big")

    return value()


class OldConvergecast:
    """One session of such a program: parent and children from /topology, a map that is merged on the way up."""

    def __init__(self, node, session="default"):
        self.node, self.session = node, session
        tree = {one["public_key"]: one["parent"] for one in node.api.topology()["tree"]}
        self.parent = tree[node.key.hex]
        self.children = {key for key, parent in tree.items() if parent == node.key.hex and key != node.key.hex}

    def run(self, data):
        data, waiting = dict(data), set(self.children)
        while waiting:
            message = self.node.api.receive()
            if message is None:
                raise AssertionError(f"nothing came from {waiting}")
            said = unpacked(message.body)
            if said["type"] == "convergecast_data" and said["session_id"] == self.session:
                data.update(said["data"])
                waiting.remove(said["from"])
        if self.parent != self.node.key.hex:
            part = {"type": "convergecast_data", "session_id": self.session, "from": self.node.key.hex, "data": data}
            answer = self.node.api.send(self.parent, packed(part))
            if answer.status != 200:
                raise AssertionError(f"not sent: {answer!r}")
        return data
