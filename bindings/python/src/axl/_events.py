"""Server-sent events from the local API, as far as it makes use of them."""

from __future__ import annotations

import json
from typing import Any

from ._http import Connection, Http, read_answer, read_head

_PIECE = 1 << 16


class EventsRefused(Exception):
    """The answer was no stream of events."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Events:
    """An open stream. What nobody asks for stays with the node."""

    def __init__(self, connection: Connection) -> None:
        self._reader, self._writer = connection
        self._bytes = bytearray()
        self._searched = 0

    @staticmethod
    async def open(http: Http, target: str) -> Events:
        connection = await http.open()
        reader, writer = connection
        try:
            # To HTTP/1.0 the answer goes as it is, up to the end of the connection.
            writer.write(http.head("GET", target, {"Accept": "text/event-stream"}, version="1.0"))
            status, headers = await read_head(reader)
            if status != 200:
                answer = await read_answer(reader, "GET", (status, headers))
                raise EventsRefused(status, answer.text)
        except BaseException:
            writer.close()
            raise
        return Events(connection)

    async def next(self) -> tuple[str, Any] | None:
        """Name and data of the next event; None: the stream has ended. May be cancelled, and loses nothing then."""
        while True:
            end = self._bytes.find(b"\n\n", max(0, self._searched - 1))
            if end < 0:
                self._searched = len(self._bytes)
                try:
                    piece = await self._reader.read(_PIECE)
                except ConnectionError:
                    return None
                if not piece:
                    return None
                self._bytes += piece
                continue
            lines = bytes(self._bytes[:end]).split(b"\n")
            del self._bytes[:end + 2]
            self._searched = 0
            fields = dict(line.split(b": ", 1) for line in lines if b": " in line)
            if b"data" in fields:
                return fields.get(b"event", b"message").decode(), json.loads(fields[b"data"])

    def close(self) -> None:
        self._writer.close()
