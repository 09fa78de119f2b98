"""HTTP as a client of axld sees it."""

import http.client
import json


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


class Api:
    """Requests on a connection of their own each, unless the caller keeps one (`connection()`).

    `via` is the Namespace to connect from, if not the test's own."""

    def __init__(self, host, port, timeout=120, via=None):
        self.host, self.port, self.timeout, self.via = host, port, timeout, via

    def connection(self):
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
