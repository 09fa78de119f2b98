"""Steps that one call waits for and another one allows."""

import anyio


class Gates:
    """`wait` returns once `open` has been called for as many steps."""

    def __init__(self):
        self._steps = {}
        self._changed = anyio.Event()

    def open(self, name):
        self._steps[name] = self._steps.get(name, 0) + 1
        self._changed.set()
        self._changed = anyio.Event()

    async def wait(self, name, steps):
        while self._steps.get(name, 0) < steps:
            await self._changed.wait()
