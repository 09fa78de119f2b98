"""An event store in memory: what makes the streams of a server resumable."""

from mcp.server.streamable_http import EventMessage, EventStore


class MemoryEvents(EventStore):
    def __init__(self):
        self._events = []  # (stream, message); the id is the index

    async def store_event(self, stream_id, message):
        self._events.append((stream_id, message))
        return str(len(self._events) - 1)

    async def replay_events_after(self, last_event_id, send_callback):
        last = int(last_event_id)
        stream = self._events[last][0]
        for number, (other, message) in enumerate(self._events):
            if number > last and other == stream and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream
