"""HTTP/1.1 to one server of this machine, with connections that are used again. As much of it as the local API needs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_MOST_IDLE = 32


@dataclass(frozen=True)
class Answer:
    """``headers`` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace").strip()


class Http:
    """A server at ``http://host:port`` or ``unix:/path``."""

    def __init__(self, address: str, headers: Mapping[str, str]) -> None:
        self._unix: str | None = None
        if address.startswith("unix:"):
            self._unix = address[len("unix:"):]
            self._authority = "localhost"
        else:
            authority = address.removeprefix("http://").rstrip("/")
            host, colon, port = authority.rpartition(":")
            if "/" in authority or not colon or not port.isdigit():
                raise ValueError(f"not http://host:port or unix:/path: {address!r}")
            self._host, self._port, self._authority = host.strip("[]"), int(port), authority
        self._headers = dict(headers)
        self._idle: list[Connection] = []

    async def open(self) -> Connection:
        if self._unix is not None:
            return await asyncio.open_unix_connection(self._unix, limit=1 << 20)
        return await asyncio.open_connection(self._host, self._port, limit=1 << 20)

    async def request(self, method: str, target: str, headers: Mapping[str, str] | None = None, body: object = b"",
                      again: bool = True) -> Answer:
        """``again``: an idle connection that turns out to be closed is no reason to fail; doing this twice does no harm."""
        while self._idle:
            connection = self._idle.pop()
            try:
                return await self._exchange(connection, method, target, headers, body)
            except (ConnectionError, asyncio.IncompleteReadError):
                if not again:
                    raise
        return await self._exchange(await self.open(), method, target, headers, body)

    async def _exchange(self, connection: Connection, method: str, target: str, headers: Mapping[str, str] | None,
                        body: object) -> Answer:
        reader, writer = connection
        try:
            data = memoryview(body).cast("B")  # type: ignore[arg-type]
            writer.write(self.head(method, target, {**(headers or {}), "Content-Length": str(len(data))}))
            if data:
                writer.write(data)
            await writer.drain()
            answer = await read_answer(reader, method)
        except BaseException:
            writer.close()
            raise
        if answer.headers.get("connection", "").lower() == "close" or len(self._idle) >= _MOST_IDLE:
            writer.close()
        else:
            self._idle.append(connection)
        return answer

    def head(self, method: str, target: str, headers: Mapping[str, str], version: str = "1.1") -> bytes:
        lines = [f"{method} {target} HTTP/{version}", f"Host: {self._authority}"]
        for name, value in {**self._headers, **headers}.items():
            if "\r" in value or "\n" in value:
                raise ValueError(f"a line break in {name}")
            lines.append(f"{name}: {value}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        for _, writer in idle:
            writer.close()
        for _, writer in idle:
            try:
                await writer.wait_closed()
            except OSError:
                pass


async def read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(lines[0].split(" ", 2)[1])
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return status, headers


async def read_answer(reader: asyncio.StreamReader, method: str, head: tuple[int, dict[str, str]] | None = None) -> Answer:
    """``head``: it has been read before."""
    status, headers = head or await read_head(reader)
    while 100 <= status < 200 and status != 101:
        status, headers = await read_head(reader)
    if method == "HEAD" or status in (101, 204, 304):
        return Answer(status, headers, b"")
    if headers.get("transfer-encoding", "").lower() == "chunked":
        pieces = []
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            pieces.append(await reader.readexactly(size))
            await reader.readexactly(2)
        while await reader.readuntil(b"\r\n") != b"\r\n":
            pass
        return Answer(status, headers, b"".join(pieces))
    return Answer(status, headers, await reader.readexactly(int(headers.get("content-length", "0"))))
