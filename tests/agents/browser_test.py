#!/usr/bin/env python3
"""A web page of another origin gets nothing from a node, and what a peer answers runs nothing in the node's origin.

Headless Chromium, as users have it. The attempts are those of node/attacks.html; the same page against a server that lets
everyone in shows that they do reach what they aim at."""

import http.server
import json
import os
import queue
import shutil
import signal
import subprocess
import threading
import unittest
import urllib.parse

from agents_testing import AgentsCase, main, until

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node", "attacks.html")
BROWSER = shutil.which("chromium-headless-shell")
# A script that shows that it ran.
MARKED = b"<!doctype html><p id='mark'>untouched</p><script>document.getElementById('mark').textContent = 'scripted'</script>"


class Web:
    """A server on a free port of 127.0.0.1 that records what it is asked and answers by `answer(method, path, body)`:
    content type and body."""

    def __init__(self, answer, headers=None):
        self.requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(handler):
                body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
                self.requests.append((handler.command, handler.path))
                kind, content = answer(handler.command, handler.path, body)
                handler.send_response(200)
                for name, value in {**(headers or {}), "Content-Type": kind, "Content-Length": str(len(content))}.items():
                    handler.send_header(name, value)
                handler.end_headers()
                handler.wfile.write(content)

            do_POST = do_OPTIONS = do_GET

            def log_message(handler, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class PageServer(Web):
    def __init__(self):
        self.findings = queue.Queue()
        super().__init__(self._answer)

    def _answer(self, _method, path, body):
        if path == "/findings":
            self.findings.put(json.loads(body))
            return "text/plain", b""
        with open(PAGE, "rb") as file:
            return "text/html", file.read()


@unittest.skipUnless(BROWSER, "needs chromium-headless-shell")
class Browser(AgentsCase):
    def command(self, *arguments):
        return [BROWSER, "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={self.subfolder()}", *arguments]

    def attack(self, host, api, peer):
        """What came of each attempt of the page, served under `host`."""
        server = self.track(PageServer())
        query = urllib.parse.urlencode({"api": api, "peer": peer})
        # The command may be a script that starts the browser: the whole group must end, and no pipe holds up that end.
        browser = subprocess.Popen(self.command("--remote-debugging-port=0", f"http://{host}:{server.port}/?{query}"),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        try:
            return until(lambda: None if server.findings.empty() else server.findings.get(), "the page has reported")
        finally:
            os.killpg(browser.pid, signal.SIGTERM)
            browser.wait()

    def dom(self, url):
        """The document at `url` once it is loaded and its scripts have run."""
        done = subprocess.run(self.command("--dump-dom", url), capture_output=True, text=True, check=True, timeout=300)
        return done.stdout

    def test_the_attempts_reach_who_lets_them(self):
        open_to_all = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
        node = self.track(Web(lambda *_: ("text/plain", b"secret"), open_to_all))
        findings = self.attack("127.0.0.1", node.url, "peer")
        for name in ("topology", "recv", "send", "mcp", "a2a"):
            self.assertEqual(findings[name], "read 200 secret", name)
        for request in (("GET", "/recv"), ("GET", "/recv?ack=1"), ("GET", "/recv/stream"), ("GET", "/ws"), ("POST", "/send"),
                        ("POST", "/mcp/peer/notes"), ("GET", "/mcp/peer/notes"), ("POST", "/a2a/peer"), ("GET", "/a2a/peer/x")):
            self.assertIn(request, node.requests)

    def test_a_page_neither_reads_nor_sends(self):
        service, agent = (self.track(Web(lambda *_: ("text/html", MARKED))) for _ in range(2))
        near, far = self.direct_link({"services": {"notes": {"url": service.url + "/mcp"}},
                                      "a2a_addr": "http://127.0.0.1", "a2a_port": agent.port})
        self.assertEqual(far.api.send(near.key, b"secret").status, 200)
        # Of another site and, which browsers trust more, of the same one on another port.
        for host in ("localhost", "127.0.0.1"):
            with self.subTest(page=host):
                findings = self.attack(host, f"http://{near.api.host}:{near.api.port}", far.key.hex)
                read = {name: outcome for name, outcome in findings.items() if outcome not in ("refused", "unreadable")}
                self.assertEqual(read, {})
                self.assertEqual((service.requests, agent.requests), ([], []))
                self.assertEqual(far.api.get("/recv").status, 204)
        self.assertEqual(near.api.receive().body, b"secret")

    def test_what_a_peer_answers_runs_nothing(self):
        agent = self.track(Web(lambda *_: ("text/html", MARKED)))
        near, far = self.direct_link({"a2a_addr": "http://127.0.0.1", "a2a_port": agent.port})
        self.assertIn("scripted</p>", self.dom(agent.url + "/x"))  # at home it runs
        home = len(agent.requests)
        # A browser that says what it asks for gets no further than the node.
        self.assertIn("not allowed", self.dom(self.a2a_url(near, far) + "/x"))
        self.assertEqual(len(agent.requests), home)
        # One that does not say it is given the answer, and with it the order to run nothing.
        answer = near.api.get(f"/a2a/{far.key.hex}/x")
        self.assertEqual(answer.body, MARKED)
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in ("content-type", "content-length", "date", "server")}
        as_given = self.track(Web(lambda *_: (answer.headers["Content-Type"], answer.body), kept))
        self.assertIn("untouched</p>", self.dom(as_given.url))


if __name__ == "__main__":
    main()
