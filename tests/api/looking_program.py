"""An MCP server on standard input and output that tells what it finds around itself, for command_service_test.py."""

import json
import os
import signal
import subprocess
import sys


def look():
    fds = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            fds[int(name)] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            pass  # the listing's own
    with open("/proc/self/status", encoding="ascii") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    return {"pid": os.getpid(), "group": os.getpgid(0), "session": os.getsid(0), "cwd": os.getcwd(), "fds": fds,
            "environment": dict(os.environ), "ignored": status["SigIgn"], "blocked": status["SigBlk"]}


def spawn():
    """Children that take no hint, one of them through a shell."""
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"
    child = subprocess.Popen([sys.executable, "-c", stubborn], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    child.stdout.readline()
    shell = subprocess.Popen(["sh", "-c", "sleep 1000 & echo $!; wait"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    return {"pid": os.getpid(), "children": [child.pid, shell.pid, int(shell.stdout.readline())]}


if "--stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    answer = {"initialize": lambda: {"protocolVersion": "2025-06-18"}, "look": look, "spawn": spawn}[message["method"]]()
    if message["method"] == "initialize":
        print("begun \x1b[31m\u202e", file=sys.stderr, flush=True)
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": answer}), flush=True)
if "--stubborn" in sys.argv:
    signal.pause()
