"""An MCP server over standard input and output for the tests of command services: answers what it is asked to, and
keeps a record of what it got. Nothing but the standard library, so that every byte on the wire is decided here."""

import json
import os
import sys

seen = []  # notifications, and responses to our own requests
held = {}  # name -> id of the request that waits for its release


def send(message):
    sys.stdout.write(json.dumps(message, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def result(id_, value):
    send({"jsonrpc": "2.0", "id": id_, "result": value})


def call(id_, name, arguments, meta):
    if name == "echo":
        result(id_, {"echo": arguments})
    elif name == "big":
        result(id_, {"big": "x" * arguments["size"]})
    elif name == "progress":
        for step in range(arguments["steps"]):
            params = {"progressToken": meta["progressToken"], "progress": step}
            send({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})
        result(id_, {"steps": arguments["steps"]})
    elif name == "hold":
        held[arguments["name"]] = id_
    elif name == "release":
        for other in arguments["names"]:
            result(held.pop(other), {"released": other})
        result(id_, {})
    elif name == "log":
        send({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": arguments["text"]}})
        result(id_, {})
    elif name == "ask":
        held["ask"] = id_
        send({"jsonrpc": "2.0", "id": "srv-1", "method": "sampling/createMessage", "params": {}})
    elif name == "seen":
        result(id_, {"seen": seen})
    elif name == "pid":
        result(id_, {"pid": os.getpid()})
    elif name == "noise":
        sys.stdout.write("this is no message\n")
        sys.stdout.flush()
        sys.stderr.write("a line\twith \x1b[31mcolour\n")
        sys.stderr.flush()
        result(id_, {})
    elif name == "die":
        sys.exit(3)
    else:
        send({"jsonrpc": "2.0", "id": id_, "error": {"code": -32602, "message": "no such tool"}})


def handle(message):
    method = message.get("method")
    if method is None:
        seen.append(message)
        if message.get("id") == "srv-1":
            result(held.pop("ask"), {"answer": message.get("result")})
        return
    params = message.get("params", {})
    if "id" not in message:
        seen.append(message)
        return
    id_ = message["id"]
    if method == "initialize":
        if params.get("refuse"):
            send({"jsonrpc": "2.0", "id": id_, "error": {"code": -32602, "message": "no"}})
            return
        result(id_, {"protocolVersion": params.get("protocolVersion", "2025-06-18"), "pid": os.getpid()})
    elif method == "server/discover" and "--modern" in sys.argv:
        result(id_, {"supportedVersions": ["2026-07-28"]})
    elif method == "subscriptions/listen":
        subscription = {"_meta": {"io.modelcontextprotocol/subscriptionId": id_}}
        send({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": subscription})
    elif method == "tools/call":
        call(id_, params["name"], params.get("arguments", {}), params.get("_meta", {}))
    else:
        send({"jsonrpc": "2.0", "id": id_, "error": {"code": -32601, "message": "Method not found"}})


for line in sys.stdin:
    handle(json.loads(line))
