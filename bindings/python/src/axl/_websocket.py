"""The client's side of a WebSocket (RFC 6455), on a connection to the local API. No extensions."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os

from ._http import Connection, Http, read_answer

_ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_PATIENCE = 5.0  # seconds for the server's end
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10


class WebSocketClosed(ConnectionError):
    """The server has closed it; ``code`` is its reason's, 1006 when it gave none."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"the node has closed the connection: {code} {reason}".rstrip())
        self.code = code


class WebSocketRefused(Exception):
    """The answer was no handshake."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class WebSocket:
    def __init__(self, connection: Connection) -> None:
        self._reader, self._writer = connection

    @staticmethod
    async def open(http: Http, target: str) -> WebSocket:
        connection = await http.open()
        key = base64.b64encode(os.urandom(16))
        connection[1].write(http.head("GET", target, {
            "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key.decode(),
        }))
        try:
            answer = await read_answer(connection[0], "GET")
            if answer.status != 101:
                raise WebSocketRefused(answer.status, answer.text)
            expected = base64.b64encode(hashlib.sha1(key + _ACCEPT, usedforsecurity=False).digest()).decode()
            if answer.headers.get("sec-websocket-accept") != expected:
                raise WebSocketRefused(answer.status, "the answer belongs to another handshake")
        except BaseException:
            connection[1].close()
            raise
        return WebSocket(connection)

    async def receive(self) -> str | bytes:
        """The next message; pings are answered on the way."""
        kind, pieces = 0, []
        while True:
            final, opcode, payload = await self._read_frame()
            if opcode == _PING:
                self._write_frame(_PONG, payload)
            elif opcode == _CLOSE:
                self._write_frame(_CLOSE, payload[:2])
                self._writer.close()
                code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
                raise WebSocketClosed(code, payload[2:].decode("utf-8", "replace"))
            elif opcode in (_TEXT, _BINARY, _CONTINUATION):
                kind = opcode or kind
                pieces.append(payload)
                if final:
                    whole = pieces[0] if len(pieces) == 1 else b"".join(pieces)
                    return whole.decode() if kind == _TEXT else whole

    async def send(self, text: str) -> None:
        self._write_frame(_TEXT, text.encode())
        await self._writer.drain()

    async def close(self) -> None:
        """Reads to the server's end: what was said before is heard, and not cut off by what nobody reads."""
        if self._writer.is_closing():
            return
        self._write_frame(_CLOSE, (1000).to_bytes(2, "big"))
        try:
            await asyncio.wait_for(self._read_to_end(), _PATIENCE)
        except (OSError, asyncio.TimeoutError):
            pass
        finally:
            self._writer.close()

    async def _read_to_end(self) -> None:
        while True:
            await self.receive()


    async def _read_frame(self) -> tuple[bool, int, bytes]:
        try:
            first, second = await self._reader.readexactly(2)
            size = second & 0x7F
            if size >= 126:
                size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8), "big")
            return bool(first & 0x80), first & 0x0F, await self._reader.readexactly(size)
        except asyncio.IncompleteReadError:
            raise WebSocketClosed(1006, "") from None

    def _write_frame(self, opcode: int, payload: bytes) -> None:
        mask = os.urandom(4)
        size = len(payload)
        head = bytes([0x80 | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65_536:
            head += bytes([0x80 | 126]) + size.to_bytes(2, "big")
        else:
            head += bytes([0x80 | 127]) + size.to_bytes(8, "big")
        repeated = (mask * (size // 4 + 1))[:size]
        masked = (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")
        self._writer.write(head + mask + masked)
