"""What the tests of /pubsub and /aggregate have in common."""

import base64
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import until  # noqa: E402


class Subscriber:
    """An open GET /pubsub/{topic}."""

    def __init__(self, node, topic, **headers):
        self.connection = node.api.connection()
        self.connection.request("GET", f"/pubsub/{topic}", headers={name.replace("_", "-"): text for name, text in headers.items()})
        self.file = self.connection.getresponse()
        if self.file.status != 200:
            raise AssertionError(f"{self.file.status} {self.file.read()!r}")

    def next(self):
        """The next event: its kind and its data, with the body decoded."""
        kind = None
        while line := self.file.readline():
            if line.startswith(b"event: "):
                kind = line[7:].strip().decode()
            if line.startswith(b"data: "):
                data = json.loads(line[6:])
                if "data" in data:
                    data["body"] = base64.b64decode(data["data"])
                return kind, data
        return None, None

    def message(self):
        kind, data = self.next()
        if kind != "message":
            raise AssertionError(f"{kind}: {data}")
        return data

    def close(self):
        self.file.close()
        self.connection.close()


def publish(node, topic, body):
    answer = node.api.request("POST", f"/pubsub/{topic}", body)
    if answer.status != 200:
        raise AssertionError(f"publishing: {answer!r}")
    return answer.json()


def mesh_of(node, topic):
    return next((entry["mesh"] for entry in node.api.get("/pubsub").json()["topics"] if entry["topic"] == topic), [])


def wait_for_mesh(nodes, topic):
    for node in nodes:
        until(lambda node=node: mesh_of(node, topic), f"{node.name} has a mesh for {topic}")


def give(node, session, **members):
    answer = node.api.request("PUT", f"/aggregate/{session}", json.dumps(members))
    if answer.status != 204:
        raise AssertionError(f"giving values: {answer!r}")


def ask(node, session, **question):
    return node.api.request("POST", f"/aggregate/{session}", json.dumps(question))


def ask_all(node, session, nodes, **question):
    """The outcome, once it is of so many nodes; while a tree forms it is of fewer, and says so."""

    def whole():
        answer = ask(node, session, **question)
        outcome = answer.json() if answer.status == 200 else {}
        return outcome if outcome.get("contributed", 0) + outcome.get("abstained", 0) == nodes else None

    return until(whole, f"{node.name} hears of all {nodes} nodes")
