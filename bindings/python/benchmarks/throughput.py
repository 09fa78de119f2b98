#!/usr/bin/env python3
"""Messages a second and arrays a second between two processes, each with one node, linked over TLS on loopback.

    python throughput.py                     1 KiB messages to the receive queue, with receipts, and in a session
    python throughput.py --arrays PROGRAM    64 MiB NumPy arrays in a session, beside PROGRAM, which is array_rate of this folder:
                                             the same in C++. The runs alternate.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import time

import axl
import numpy

PORT = 4000
ARRAY_BYTES = 1 << 26


async def receive(count):
    """Takes the messages of one kind, as the first session says, and answers when the last is there."""
    async with axl.Node(listen=["tls://127.0.0.1:0"], log_level=axl.LogLevel.off) as node:
        listener = node.listen(PORT)
        print(node.key, node.listeners[0], flush=True)
        control = await listener.accept()
        control.max_message_size = 2 * ARRAY_BYTES
        kind = bytes(await control.receive())
        if kind == b"queue":
            async with node.messages() as messages:
                for _ in range(count):
                    await messages.__anext__()
        else:
            total = 0.0
            for _ in range(count):
                body = await control.receive()
                total += float(numpy.frombuffer(body, dtype="<f4")[-1]) if kind == b"arrays" else 0.0
        async with control:
            await control.send_message(b"done")


async def send(kind, key, uri, count, size, window):
    """Seconds from the first message to the answer."""
    async with axl.Node(peers=[uri], log_level=axl.LogLevel.off) as node:
        await node.ping(key, 60)
        control = await node.connect(key, PORT)
        await control.send_message(kind)
        body = numpy.zeros(size // 4, dtype="<f4") if kind == b"arrays" else b"x" * size
        begin = time.perf_counter()
        if kind == b"queue":
            left = iter(range(count))

            async def worker():
                for _ in left:
                    await node.send(key, body)

            await asyncio.gather(*(worker() for _ in range(window)))
        else:
            for _ in range(count):
                await control.send_message(body)
        await control.receive()
        return time.perf_counter() - begin


def python_run(kind, count, size, window):
    receiver = subprocess.Popen([sys.executable, __file__, "--receive", str(count)], stdout=subprocess.PIPE, text=True)
    key, uri = receiver.stdout.readline().split()
    seconds = asyncio.run(send(kind, key, uri, count, size, window))
    receiver.wait()
    return seconds


def cpp_run(program, count, size):
    receiver = subprocess.Popen([program, "receive", str(count)], stdout=subprocess.PIPE, text=True)
    key, uri = receiver.stdout.readline().split()
    done = subprocess.run([program, "send", str(count), str(size), key, uri], capture_output=True, text=True, check=True)
    receiver.wait()
    return float(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arrays", metavar="PROGRAM")
    parser.add_argument("--count", type=int, help="messages (20 000) or arrays (8) of one run")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--window", type=int, default=256, help="messages on their way at once")
    parser.add_argument("--receive", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.receive:
        asyncio.run(receive(arguments.receive))
        return
    if arguments.arrays:
        count = arguments.count or 8
        rates = {"C++": [], "Python": []}
        for _ in range(arguments.runs):
            rates["C++"].append(count * ARRAY_BYTES / cpp_run(arguments.arrays, count, ARRAY_BYTES) / 1e6)
            rates["Python"].append(count * ARRAY_BYTES / python_run(b"arrays", count, ARRAY_BYTES, 1) / 1e6)
        medians = {name: statistics.median(values) for name, values in rates.items()}
        for name, values in rates.items():
            print(f"64 MiB arrays, {name}: {medians[name]:.0f} MB/s ({', '.join(f'{rate:.0f}' for rate in values)})")
        print(f"Python is at {100 * medians['Python'] / medians['C++']:.0f} % of C++")
        return
    count = arguments.count or 20_000
    for name, kind in (("to the receive queue, with receipts", b"queue"), ("in a session", b"session")):
        rates = [count / python_run(kind, count, 1024, arguments.window) for _ in range(arguments.runs)]
        print(f"1 KiB messages {name}: {statistics.median(rates):.0f} a second ({', '.join(f'{rate:.0f}' for rate in rates)})")


if __name__ == "__main__":
    main()
