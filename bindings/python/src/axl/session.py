"""A conversation with one peer: encrypted end to end, ordered, nothing lost while it is up."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from ._native import Backlog, Conversation
from ._waiting import Waiting
from .errors import Closed

if TYPE_CHECKING:
    from .node import Data, Node

_PIECE = 65_536


class Session(Waiting):
    """Use it for bytes, as asyncio's streams, or for messages; not for both in one direction.

    Bytes: ``read``, ``readexactly``, ``readline``, ``write``, ``drain``. Messages: ``send_message``, ``receive``,
    ``messages``. A session that is dropped is closed; what it had queued is still sent.
    """

    def __init__(self, node: Node, native: Conversation) -> None:
        super().__init__(node, native.id)
        self._native = native
        self._reads: Literal["", "bytes", "messages"] = ""
        self._line = b""  # read ahead by readline()
        #: A longer message ends the session with TooLarge. To be set before the first is received.
        self.max_message_size = 16_777_216
        #: The peer's key, which it has proved.
        self.peer = native.peer
        self.local_port = native.local_port
        self.remote_port = native.remote_port

    def __repr__(self) -> str:
        return f"<axl.Session with {self.peer[:16]} at port {self.remote_port}>"

    # --- Sending

    @property
    def pending(self) -> int:
        """Bytes queued that the peer's TCP has not acknowledged."""
        return self._native.pending

    def write(self, data: Data) -> None:
        """Queues bytes; WouldBlock when 64 MiB are pending already. Large buffers are not copied: leave them unchanged
        until ``flush()`` returns."""
        self._native.write(data.encode() if isinstance(data, str) else data)

    async def drain(self) -> None:
        """Waits until there is room, as a fair writer does after each ``write``."""
        while self._native.congested and not self._native.closed:
            await self._change()
        self._check()

    async def flush(self) -> None:
        """Waits until the peer's TCP has all of it."""
        while self._native.pending and not self._native.closed:
            await self._change()
        self._check()

    async def send_message(self, data: Data) -> None:
        """Waits for room and queues one message. A large buffer is not copied: leave it unchanged until ``flush()``."""
        await self.drain()
        self._native.send_message(data.encode() if isinstance(data, str) else data)

    def write_eof(self) -> None:
        """Ends our direction after what is queued; receiving goes on."""
        self._native.finish()

    # --- Receiving

    async def read(self, n: int = -1) -> bytes:
        """Up to ``n`` bytes as soon as there are some; with -1 all until the peer's end. Empty at the end."""
        self._read_as("bytes")
        if n < 0:
            pieces = [piece async for piece in self._pieces()]
            return b"".join(pieces)
        if n == 0:
            return b""
        if self._line:
            taken, self._line = self._line[:n], self._line[n:]
            return taken
        while True:
            over = self._native.ended  # asked first: what had come before the end is there
            data = self._native.take_bytes(n)
            if data:
                return data
            if over:
                self._check()
                return b""
            await self._change()

    async def readexactly(self, n: int) -> bytes:
        """Raises ``asyncio.IncompleteReadError``, which has the rest, when the peer ends before."""
        pieces: list[bytes] = []
        missing = n
        while missing:
            piece = await self.read(missing)
            if not piece:
                raise asyncio.IncompleteReadError(b"".join(pieces), n)
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    async def readline(self, limit: int = 65_536) -> bytes:
        """Through the next newline, or what is left at the end. ``ValueError`` when a line is longer than ``limit``."""
        line = b""
        while True:
            piece = await self.read(_PIECE)
            head, newline, rest = piece.partition(b"\n")
            line += head + newline
            self._line = rest + self._line
            if len(line) > limit:
                raise ValueError(f"a line is longer than {limit} bytes")
            if newline or not piece:
                return line

    async def receive(self) -> memoryview:
        """The next message, not copied: a view that NumPy and others read in place. Closed at the peer's end."""
        body = await self._next_message()
        if body is None:
            raise Closed("the peer has ended the session")
        return body

    async def messages(self) -> AsyncIterator[memoryview]:
        """The messages until the peer's end."""
        while (body := await self._next_message()) is not None:
            yield body

    async def _next_message(self) -> memoryview | None:
        self._read_as("messages")
        while True:
            over = self._native.ended
            body = self._native.take_message()
            if body is not None:
                return body
            if over:
                self._check()
                return None
            await self._change()

    async def _pieces(self) -> AsyncIterator[bytes]:
        while piece := await self.read(1 << 20):
            yield piece

    def _read_as(self, what: Literal["bytes", "messages"]) -> None:
        if self._reads == what:
            return
        if self._reads:
            raise RuntimeError(f"this session is read as {self._reads}")
        self._reads = what
        if what == "bytes":
            self._native.read_bytes()
        else:
            self._native.read_messages(self.max_message_size)

    # --- The end

    @property
    def closed(self) -> bool:
        """The session is over, in both directions."""
        return self._native.closed

    def _check(self) -> None:
        error = self._native.error
        if error is not None:
            raise error

    def close(self) -> None:
        """Sends what is queued, then ends both directions."""
        self._native.close()

    def abort(self) -> None:
        """Drops what is queued and ends at once."""
        self._native.abort()

    async def wait_closed(self) -> None:
        """Waits for the end of both directions; raises why, unless it was an orderly one."""
        while not self._native.closed:
            await self._change()
        self._check()

    async def __aenter__(self) -> Session:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes when all is sent; after an exception at once."""
        if kind is not None:
            self.abort()
            return
        try:
            await self.flush()
        except Closed:
            pass  # the peer was first
        self.close()


class Listener(Waiting):
    """``async for session in node.listen(port)``. At most 128 sessions wait; further ones are turned away."""

    def __init__(self, node: Node, native: Backlog) -> None:
        super().__init__(node, native.id)
        self._native = native
        self._sessions: deque[Session] = deque()
        self._open = True
        self.port = native.port

    def _arrived(self, value: Conversation) -> None:
        self._sessions.append(Session(self._node, value))
        self._changed()

    async def accept(self) -> Session:
        """The next session; Closed when the listener is."""
        while self._open:
            if self._sessions:
                self._native.taken()
                return self._sessions.popleft()
            await self._change()
        raise Closed("this port is no longer listened on")

    def __aiter__(self) -> Listener:
        return self

    async def __anext__(self) -> Session:
        try:
            return await self.accept()
        except Closed:
            if self._open and self._node.closed is False:
                raise
            raise StopAsyncIteration from None

    def close(self) -> None:
        """Takes no more sessions, and closes those that wait."""
        if not self._open:
            return
        self._open = False
        self._sessions.clear()
        try:
            self._node._native.stop_listening(self.port)
        except Closed:
            pass
        self._changed()

    def __del__(self) -> None:
        if getattr(self, "_open", False):
            self.close()

    async def __aenter__(self) -> Listener:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
