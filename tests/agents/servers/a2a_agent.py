#!/usr/bin/env python3
"""An A2A agent of the official SDK, whichever generation is installed. What it does is said by the text of a message:

    echo TEXT        answers with a message
    count GATE N     a task that reports N steps, each after the one before was released
    hang             a task that runs until it is cancelled
    drip GATE        a task that reports something again and again until it is released
    release GATE     lets a task go one step further
"""

import argparse

import anyio
import recorder as record_module
import serve
from gates import Gates

try:
    import a2a_kind_2 as kind  # the 1.x SDK
except ImportError:
    import a2a_kind_1 as kind


class Executor(kind.AgentExecutor):
    def __init__(self):
        self.gates = Gates()

    async def execute(self, context, event_queue):
        word, *rest = context.get_user_input().split(" ")
        if word == "echo":
            await event_queue.enqueue_event(kind.message(" ".join(rest), context))
        elif word == "release":
            self.gates.open(rest[0])
            await event_queue.enqueue_event(kind.message("released", context))
        else:
            task = await kind.start(context, event_queue)
            if word == "hang":
                await task.working("hanging")
                await anyio.Event().wait()  # until it is cancelled
            if word == "drip":
                released = False
                while not released:
                    await task.working("drip")
                    with anyio.move_on_after(0.05):
                        await self.gates.wait(rest[0], 1)
                        released = True
                await task.finish("dripped")
                return
            for step in range(1, int(rest[1]) + 1):
                await task.working(f"step {step}")
                await self.gates.wait(rest[0], step)
            await task.finish(f"{rest[1]} steps")

    async def cancel(self, context, event_queue):
        await kind.canceled(context, event_queue)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    sock, port = serve.bind(options.port)
    serve.serve(record_module.Recorder(kind.app(Executor(), f"http://127.0.0.1:{port}")), sock)


if __name__ == "__main__":
    main()
