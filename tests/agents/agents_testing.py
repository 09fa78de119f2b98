"""Official MCP and A2A servers and clients around axld nodes, for the scripts of this folder."""

import json
import os
import re
import subprocess
import sys
import urllib.request

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(_HERE, "..", "support"))
from axl_testing import Process, TestCase, main, make_keys, until  # noqa: E402,F401  # for the scripts

ENVIRONMENT = os.environ.get("AXL_AGENTS_DIR", os.path.join(_HERE, "..", "..", "build", "agents"))
PATIENCE = 900  # ends a client that hangs altogether; its own watchdogs come first


def python(sdk):
    return os.path.join(ENVIRONMENT, f"sdk-{sdk}", "bin", "python")


class Server:
    """A server of this folder, by its script; `sdk` is the generation, 1 or 2."""

    def __init__(self, sdk, script, *arguments):
        self.process = Process(f"{script} {' '.join(arguments)} of SDK {sdk}",
                               [python(sdk), os.path.join(_HERE, "servers", script), *arguments])
        self.port = int(self.process.wait_for_line(r"^Listening on 127\.0\.0\.1:(\d+)$")[1])

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def record(self):
        """What has reached it, see servers/recorder.py; the headers as a dictionary."""
        with urllib.request.urlopen(self.url + "/_record", timeout=60) as answer:
            requests = json.load(answer)
        for request in requests:
            request["headers"] = dict(request["headers"])
        return requests

    def close(self):
        self.process.stop()


class AgentsCase(TestCase):
    def server(self, sdk, script, *arguments):
        return self.track(Server(sdk, script, *arguments))

    def client(self, sdk, script, url, checks, *arguments):
        """Runs checks of clients/; all must work. Returns what each had to say, by name."""
        done = subprocess.run([python(sdk), os.path.join(_HERE, "clients", script), url, "--checks", ",".join(checks), *arguments],
                              capture_output=True, text=True, check=False, timeout=PATIENCE)
        results = {}
        for line in done.stdout.splitlines():
            result = json.loads(line)
            if "check" in result:
                results[result["check"]] = result
        failed = [result for result in results.values() if not result["ok"]]
        missing = {"connect", *checks, "close"} - set(results)
        if failed or missing or done.returncode:
            self.fail(f"{script} of SDK {sdk} {arguments} at {url}:\n" + "\n".join(map(str, failed)) +
                      f"\nmissing: {sorted(missing)}, exit code {done.returncode}\n{done.stderr[-4000:]}")
        return {name: result["detail"] for name, result in results.items()}

    def direct_link(self, settings):
        """Caller's node and service's node, linked; `settings` are the latter's."""
        keys = make_keys(2)
        far = self.axld(key=keys[0], listen=["tls://127.0.0.1:0"], settings=settings)
        near = self.axld(key=keys[1], peers=[far.uri("tls")])
        for node in (far, near):
            node.wait_for_root(keys[0])
        return near, far

    def three_hops(self, settings):
        """As above with a stock daemon and one more of ours between them."""
        keys = make_keys(4)
        stock = self.yggdrasil(key=keys[0])
        far = self.axld(key=keys[1], peers=[stock.uri("tls")], settings=settings)
        middle = self.axld(key=keys[2], peers=[stock.uri("tcp")], listen=["tls://127.0.0.1:0"])
        near = self.axld(key=keys[3], peers=[middle.uri("tls")])
        for node in (stock, far, middle, near):
            node.wait_for_root(keys[0])
        return near, far

    @staticmethod
    def mcp_url(near, far, service):
        return f"http://{near.api.host}:{near.api.port}/mcp/{far.key.hex}/{service}"

    @staticmethod
    def a2a_url(near, far):
        return f"http://{near.api.host}:{near.api.port}/a2a/{far.key.hex}"

    def seen(self, server, condition, what):
        """Until the server's record has a request that fulfils the condition; returns it."""
        return until(lambda: [request for request in server.record() if condition(request)], what)[0]


def slug(text):
    return re.sub(r"\W+", "_", text.strip()).strip("_") or "default"
