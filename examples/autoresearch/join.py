#!/usr/bin/env python3
"""One agent on the mesh, which works with agents on other machines.

    join.py --key-file agent.pem --with KEY [--with KEY ...] [--run-code-of KEY ...]
            [--peer tls://HOST:PORT ...] [--listen tls://[::]:PORT ...] [--rounds N] [--steps N] [--text FILE]

All of a team use the same text and the same number of steps. Prints this agent's key, and a line for each experiment.
"""
import argparse
import asyncio
import logging
import os
import pathlib

import axl
from agent import Agent
from corpus import Corpus, own_text
from exchange import Exchange
from findings import Signer
from laboratory import Laboratory

HERE = pathlib.Path(__file__).resolve().parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--key-file", type=pathlib.Path, required=True, help="the agent's identity; made when it is not there")
    parser.add_argument("--with", dest="team", action="append", default=[], metavar="KEY", help="whose findings to hear, and whom to tell")
    parser.add_argument("--run-code-of", action="append", default=[], metavar="KEY", help="whose programs to run on this machine")
    parser.add_argument("--peer", action="append", default=[], metavar="URI")
    parser.add_argument("--listen", action="append", default=[], metavar="URI")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--text", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    return parser.parse_args()


class Rounds:
    """The number of the next round, in a file beside the key: a number counts once for those who listen."""

    def __init__(self, key_file):
        self._file = key_file.with_name(key_file.name + ".round")
        self.next = int(self._file.read_text()) if self._file.exists() else 0

    def begin(self):
        self.next += 1
        self._file.write_text(f"{self.next}\n")


async def main():
    given = arguments()
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("autoresearch").setLevel(logging.INFO)
    key = axl.PrivateKey.load_or_make(str(given.key_file))
    print(f"This agent's key is {key.public_key}", flush=True)
    if given.run_code_of:
        print(f"WARNING: programs of {len(given.run_code_of)} other agent(s) will run on this machine. They are held to limits of time and "
              "memory, and can read what you can read.", flush=True)
    else:
        print("Programs of others are not run here: their findings are heard, and none is taken over (--run-code-of KEY).", flush=True)
    rounds = Rounds(given.key_file)
    laboratory = Laboratory(Corpus(given.text.read_bytes() if given.text else own_text()), given.steps, places=1)
    async with axl.Node(identity=key, peers=given.peer, listen=given.listen, pubsub={"peers": given.team}) as node:
        async with Exchange(node, Signer(key), [*given.team, node.key]) as exchange:
            agent = Agent(key.public_key[:8], HERE.joinpath("train.py").read_text(), laboratory, given.seed, exchange, given.run_code_of,
                          first_round=rounds.next)
            await exchange.catch_up()
            for _ in range(given.rounds):
                rounds.begin()
                await agent.round()
    print(f"The best is {agent.best:.4f} bits per byte:\n\n{agent.source}" if agent.best else "Nothing has worked.")


if __name__ == "__main__":
    asyncio.run(main())
