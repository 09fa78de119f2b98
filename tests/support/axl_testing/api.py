"""HTTP as a client of axld sees it."""

import http.client
import json
import socket


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.reason = response.reason
        self.headers = response.headers
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode(errors="replace")

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.headers.items()} {self.body[:200]!r}>"


class UnixConnection(http.client.HTTPConnection):
    """To a socket file, by the name that curl uses then."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Api:
    """Requests on a connection of their own each, unless the caller keeps one (`connection()`).

    `host` may be `unix:/path`, then there is no port. `via` is the Namespace to connect from, if not the test's own."""

    def __init__(self, host, port, timeout=120, via=None):
        self.host, self.port, self.timeout, self.via = host, port, timeout, via

    def connection(self):
        if self.host.startswith("unix:"):
            return UnixConnection(self.host[len("unix:"):], self.timeout)
        connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        if self.via:
            connection.sock = self.via.connect(self.host, self.port, self.timeout)
        return connection

    def request(self, method, path, body=None, headers=None, connection=None):
        own = connection or self.connection()
        try:
            own.request(method, path, body=body, headers=headers or {})
            return Answer(own.getresponse())
        finally:
            if connection is None:
                own.close()

    def get(self, path, **headers):
        return self.request("GET", path, headers=headers)

    def topology(self):
        return self.get("/topology").json()

    def send(self, key, body, message_id=None, connection=None):
        """`key` is a Key or a peer id."""
        headers = {"X-Destination-Peer-Id": getattr(key, "hex", key)}
        if message_id is not None:
            headers["X-Axl-Message-Id"] = message_id
        return self.request("POST", "/send", body, headers, connection)

    def receive(self, wait=60, connection=None):
        """The next message; None when none came."""
        answer = self.request("GET", f"/recv?wait={wait}" if wait else "/recv", connection=connection)
        if answer.status == 204:
            return None
        if answer.status != 200:
            raise AssertionError(f"/recv answered {answer!r}")
        return answer
