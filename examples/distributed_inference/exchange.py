#!/usr/bin/env python3
"""Tensors to a peer, and from peers.

    exchange.py recv                          takes what comes, and answers bandwidth tests
    exchange.py tensor [PEER]                 sends one tensor
    exchange.py bandwidth [PEER] [TEST...]    how fast tensors get there, whole; a TEST is 1000x1000, or 1000x1000:ROUNDS

Through the local HTTP API of a node (--api ADDRESS), as messages, in pieces when they are large; without PEER to the first
peer that is up. Or over sessions, whole, with a node in this process: recv --listen URI prints its key and URI, which are PEER
and --link URI of the others.
"""

import argparse
import asyncio
import re
import signal
import sys

import axl
import over_api
import over_session

KEY = re.compile(r"[0-9a-fA-F]{64}")


def test(text):
    """1000x1000:4 -> ((1000, 1000), 4)"""
    found = re.fullmatch(r"(\d{1,9}(?:x\d{1,9}){0,7})(?::(\d{1,5}))?", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no test like 1000x1000 or 1000x1000:4")
    return tuple(map(int, found[1].split("x"))), int(found[2] or 1)


async def run(arguments):
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    work = asyncio.create_task(perform(arguments, ended))
    stopping = asyncio.create_task(ended.wait())
    await asyncio.wait([work, stopping], return_when=asyncio.FIRST_COMPLETED)
    if stopping.done() and not arguments.listen:
        work.cancel()
        await asyncio.wait([work])
        return arguments.command == "recv"
    return await work


async def perform(arguments, ended):
    tests = arguments.tests or [(shape, 1) for shape in over_api.SIZES]
    if arguments.listen:
        await over_session.recv(arguments.listen, ended)
        return True
    if arguments.link:
        if arguments.command == "tensor":
            await over_session.tensor(arguments.peer, arguments.link)
            return True
        return await over_session.bandwidth(arguments.peer, arguments.link, tests, arguments.plain)
    async with axl.Client(arguments.api) as client:
        if arguments.command == "recv":
            await over_api.Receiver(client, say=lambda text: print(text, flush=True)).serve()
        peer = arguments.peer or await over_api.first_peer(client)
        if arguments.command == "tensor":
            await over_api.tensor(client, peer)
            return True
        return await over_api.bandwidth(client, peer, [shape for shape, _ in tests])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("recv", "tensor", "bandwidth"))
    parser.add_argument("targets", nargs="*", metavar="PEER or TEST")
    parser.add_argument("--api", default="http://127.0.0.1:9002", metavar="ADDRESS")
    parser.add_argument("--listen", metavar="URI", help="recv: a node that listens for links here, such as tls://127.0.0.1:0")
    parser.add_argument("--link", metavar="URI", help="tensor, bandwidth: a node that links to this one")
    parser.add_argument("--plain", action="store_true", help="bandwidth over sessions: the same bytes without a map around")
    arguments = parser.parse_intermixed_args()
    arguments.peer = arguments.targets.pop(0) if arguments.targets and KEY.fullmatch(arguments.targets[0]) else None
    try:
        arguments.tests = [test(text) for text in arguments.targets]
    except argparse.ArgumentTypeError as error:
        parser.error(str(error))
    if (arguments.listen and arguments.command != "recv") or (arguments.link and (arguments.command == "recv" or not arguments.peer)):
        parser.error("--listen is for recv; --link for the others, with the peer's key")
    try:
        sys.exit(0 if asyncio.run(run(arguments)) else 1)
    except (axl.Error, OSError) as error:
        sys.exit(f"exchange: {error}")


if __name__ == "__main__":
    main()
