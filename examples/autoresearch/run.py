#!/usr/bin/env python3
"""Four agents that share what they find, against the same four each alone: same seeds, same number of training steps.

    run.py [--short] [--seed N] [--agents N] [--rounds N] [--steps N] [--text FILE] [--backend numpy|torch] [--out FOLDER]
"""
import argparse
import asyncio
import contextlib
import hashlib
import importlib.util
import json
import logging
import pathlib
import sys
import time

import axl
import plot
from agent import Agent
from corpus import ROOT, Corpus, own_text
from exchange import Exchange
from findings import Signer
from laboratory import Laboratory

HERE = pathlib.Path(__file__).resolve().parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="fewer and smaller experiments: some ten seconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--agents", type=int, default=4)
    parser.add_argument("--rounds", type=int, help="experiments of each agent")
    parser.add_argument("--steps", type=int, help="training steps of each experiment")
    parser.add_argument("--text", type=pathlib.Path, help="what to learn; by default this project's own documentation and headers")
    parser.add_argument("--backend", choices=["numpy", "torch"], help="by default torch where it is installed, unless --short")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build" / "examples" / "autoresearch")
    parser.add_argument("--verbose", action="store_true", help="tell of each experiment")
    given = parser.parse_args()
    # PyTorch takes seconds to start: fewer experiments then, and none in a short run.
    given.backend = given.backend or ("torch" if importlib.util.find_spec("torch") and not given.short else "numpy")
    given.rounds = given.rounds or (12 if given.short or given.backend == "torch" else 20)
    given.steps = given.steps or (80 if given.short else 200)
    return given


async def in_step(agents, rounds):
    """Everybody's round, then the next: the same result on every machine, however fast its processors are."""
    for number in range(rounds):
        await asyncio.gather(*(agent.round() for agent in agents))
        await asyncio.gather(*(agent.exchange.heard(number) for agent in agents if agent.exchange))


async def alone(given, source, laboratory):
    agents = [Agent(f"agent {index}", source, laboratory, given.seed * 1000 + index) for index in range(given.agents)]
    await in_step(agents, given.rounds)
    return agents


async def together(given, source, laboratory):
    """The agents, and a newcomer who joins when they have finished, and asks them over MCP."""
    keys = [axl.PrivateKey.from_seed(hashlib.sha256(f"{given.seed} {index}".encode()).digest()) for index in range(given.agents + 1)]
    team = [key.public_key for key in keys]
    async with contextlib.AsyncExitStack() as stack:
        agents, last = [], None

        async def join(index, listened_to):
            nonlocal last
            node = await stack.enter_async_context(axl.Node(
                identity=keys[index], listen=["tls://127.0.0.1:0"], peers=last.listeners if last else [],
                pubsub={"peers": team}, log_level=axl.LogLevel.error))
            last = node
            exchange = await stack.enter_async_context(Exchange(node, Signer(keys[index]), listened_to, guests=team))
            return Agent(f"agent {index}", source, laboratory, given.seed * 1000 + index, exchange, run_code_of=listened_to)

        for index in range(given.agents):
            agents.append(await join(index, team[:-1]))
        await in_step(agents, given.rounds)

        newcomer = await join(given.agents, team)
        await newcomer.round()
        await newcomer.exchange.catch_up()
        await newcomer.round()
        return agents, newcomer


def mean_best(agents):
    """The mean of the agents' own best so far, after each round."""
    return [sum(row) / len(row) for row in zip(*([one.best for one in agent.history] for agent in agents))]


def best_of_all(agents):
    return [min(row) for row in zip(*([one.best for one in agent.history] for agent in agents))]


def area(curve):
    """Under the curve, per round: lower is better for longer."""
    return sum(curve) / len(curve)


def report(given, isolated, shared, newcomer):
    rows = {"shared": shared, "isolated": isolated}
    means = {name: mean_best(agents) for name, agents in rows.items()}
    bests = {name: best_of_all(agents) for name, agents in rows.items()}
    adopted = sum(one.status == "keep" and " of " in one.description for agent in shared for one in agent.history)
    result = {
        "seed": given.seed, "agents": given.agents, "rounds": given.rounds, "steps": given.steps, "backend": given.backend,
        "mean": means, "best": bests, "adopted": adopted,
        "newcomer": {"before": newcomer.history[0].best, "after": newcomer.best, "from": newcomer.history[-1].description},
    }
    print(f"{'':10}{'mean at the end':>17}{'area':>9}{'best of all':>13}   val_bpb, lower is better")
    for name in rows:
        print(f"{name:10}{means[name][-1]:17.4f}{area(means[name]):9.4f}{bests[name][-1]:13.4f}")
    print(f"{adopted} times an agent took over what another had found, each time after it had measured it itself.")
    print(f"A newcomer asked over MCP and went from {newcomer.history[0].best:.4f} to {newcomer.best:.4f} in one experiment.")
    result["checks"] = {
        "the shared curve ends lower": means["shared"][-1] < means["isolated"][-1],
        "the shared curve has the smaller area": area(means["shared"]) < area(means["isolated"]),
        "sources were taken over": adopted > 0,
        "the newcomer was helped": newcomer.best < newcomer.history[0].best,
    }
    return result


async def main():
    given = arguments()
    logging.basicConfig(format="%(message)s", level=logging.INFO if given.verbose else logging.WARNING)
    for noisy in ("mcp", "httpx", "httpx2", "axl.service"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    began = time.monotonic()
    corpus = Corpus(given.text.read_bytes() if given.text else own_text())
    source = HERE.joinpath("train.py" if given.backend == "numpy" else "train_torch.py").read_text()
    laboratory = Laboratory(corpus, given.steps, given.backend)
    print(f"{given.agents} agents, {given.rounds} experiments each of {given.steps} steps, {given.backend}, seed {given.seed}. "
          "They run each other's code: all of them are ours.", flush=True)
    isolated = await alone(given, source, laboratory)
    print(f"Each alone: done after {time.monotonic() - began:.0f} s.", flush=True)
    shared, newcomer = await together(given, source, laboratory)
    print(f"Together: done after {time.monotonic() - began:.0f} s.", flush=True)

    result = report(given, isolated, shared, newcomer)
    given.out.mkdir(parents=True, exist_ok=True)
    plot.curves(given.out / "curves.svg", result)
    given.out.joinpath("result.json").write_text(json.dumps(result, indent=1) + "\n")
    print(f"Picture: {given.out / 'curves.svg'}")
    failed = [name for name, held in result["checks"].items() if not held]
    print("FAILED, this does not hold: " + ", ".join(failed) if failed else "OK: sharing beats working alone, at the same budget and seeds.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
