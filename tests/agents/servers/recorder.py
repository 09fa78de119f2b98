"""What reached a server: every request with its headers and how it ended.

`GET /_record` on the server's own port answers with it, so that a test sees the far end of what it did."""

import json


class Recorder:
    def __init__(self, app):
        self.app = app
        self.requests = []

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"] == "/_record":
            await self._answer(send)
            return
        entry = {"method": scope["method"], "path": scope["path"], "query": scope["query_string"].decode(),
                 "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
                 "status": None, "end": None}
        self.requests.append(entry)

        async def watched_receive():
            message = await receive()
            if message["type"] == "http.disconnect" and entry["end"] is None:
                entry["end"] = "aborted"
            return message

        async def watched_send(message):
            if message["type"] == "http.response.start":
                entry["status"] = message["status"]
            elif message["type"] == "http.response.body" and not message.get("more_body") and entry["end"] is None:
                entry["end"] = "complete"
            await send(message)

        await self.app(scope, watched_receive, watched_send)

    async def _answer(self, send):
        body = json.dumps(self.requests).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})
