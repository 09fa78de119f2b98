#!/usr/bin/env python3
"""A model split by layers over processes, each with an axl node of its own; and what the links between them carry.

    run.py [--short] [--picture FILE]

Ends with one line that begins with PASS or FAIL.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a process is one core, so that more of them can be faster

import argparse
import asyncio
import sys
import time

import links
import model
import numpy
import picture
from pipeline import Pipeline

PROMPTS = [b"The mesh has no centre, and", b"A tensor is sent from where it lies; ", b"Between two processes there is",
           b"One layer after the other"]
LARGE = 1 << 26  # bytes of the tensor that the bar is about
HUGE = [(65_536, 1)]  # 256 MiB once, in a run that is not the first
BAR = 60         # per cent of the plain session


def show(text=""):
    print(text, flush=True)


async def inference(shape, tokens):
    """Tokens a second of each split, and whether all of them said what the whole model says, to the bit."""
    whole = model.Part(shape, 0, shape.layers)
    show(f"model: {shape.layers} layers of width {shape.width}, bytes in and out, weights from seed {shape.seed}; "
         f"{len(PROMPTS)} prompts, {tokens} tokens each")
    begin = time.perf_counter()
    expected = [model.generate(whole, prompt, tokens) for prompt in PROMPTS]
    alone = len(PROMPTS) * tokens / (time.perf_counter() - begin)
    show(f"  1 process, nothing sent:  {alone:6.0f} tokens/s")
    speeds = {"one at a time": {1: alone}, "four at once": {1: alone}}
    equal = True
    for parts in (2, 3):
        async with Pipeline(shape, parts) as pipeline:
            for name, prompts in (("one at a time", PROMPTS[:1]), ("four at once", PROMPTS)):
                said, logits, seconds = await pipeline.generate(prompts, tokens)
                same = all(text == wanted and numpy.array_equal(got.view("<u4"), exact.view("<u4"))
                           for text, got, (wanted, exact) in zip(said, logits, expected))
                equal = equal and same
                speeds[name][parts] = len(prompts) * tokens / seconds
                show(f"  {parts} processes, {name + ':':<15} {speeds[name][parts]:6.0f} tokens/s, tokens and logits "
                     f"{'equal to the bit' if same else 'NOT EQUAL'}")
    return speeds, equal


def bandwidth(commands, tests, runs):
    """Rates of the links. Plain runs alternate with those of tensors, since machines have moods."""
    with links.Links(commands) as measured:
        for run in range(runs):
            for source in commands:
                for target in commands:
                    measured.measure(source, target, tests + (HUGE if run == 1 else []))
                    if source == target:
                        measured.measure(source, target, tests, plain=True)
    return measured


def report(measured, commands, short):
    for (source, target, plain), rates in measured.rates.items():
        for size in sorted(rates):
            show(f"  {picture.size_text(size):>8}, {source} to {target}{', plain' if plain else ''}: "
                 f"{measured.median(source, target, size, plain):.0f} MB/s")
    for language in commands:
        tensor, plain = (measured.median(language, language, LARGE, kind) for kind in (False, True))
        verdict = "one tensor says little" if short else f"bar: {BAR} %, {'met' if 100 * tensor >= BAR * plain else 'MISSED'}"
        show(f"64 MiB tensors, {language}: {tensor:.0f} MB/s, the plain session {plain:.0f} MB/s: {100 * tensor / plain:.0f} % ({verdict})")
    show(f"tensors that arrived as they were sent: {measured.verified} of {measured.tensors} ({measured.in_full} compared in full, "
         "the others at one element in 1024)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="fewer and smaller runs: some seconds")
    parser.add_argument("--picture", default="distributed_inference.svg", metavar="FILE", help="where the plot goes")
    parser.add_argument("--tensor-link", metavar="PROGRAM", help="the C++ end of the links, if it is not in AXL_BUILD_DIR")
    arguments = parser.parse_args()

    begin = time.perf_counter()
    speeds, equal = asyncio.run(inference(model.Shape(), 16 if arguments.short else 150))
    commands = links.programs(arguments.tensor_link)
    if links.CPP not in commands:
        show("tensor_link is not built: links from Python to Python only")
    tests = [(1, 300), (16, 100), (256, 32), (4096, 4), (16_384, 3)]  # rows of 4 KiB, times
    if arguments.short:
        tests = [(1, 20), (256, 4), (16_384, 1)]
    show("links between two processes, over loopback:")
    measured = bandwidth(commands, tests, 1 if arguments.short else 3)
    report(measured, commands, arguments.short)

    rates = {}
    for (source, target, plain), sizes in measured.rates.items():
        if source == target and not plain:
            rates[source] = [(size, measured.median(source, target, size)) for size in sorted(sizes)]
    for language in commands:
        sizes = measured.rates[language, language, True]
        rates[f"plain, {language}"] = [(size, measured.median(language, language, size, True)) for size in sorted(sizes)]
    picture.write(arguments.picture, speeds, rates)
    worked = equal and measured.verified == measured.tensors > 0
    show(f"picture: {arguments.picture}")
    show(f"{'PASS' if worked else 'FAIL'}: the split model {'equals' if equal else 'DIFFERS FROM'} the whole one, "
         f"{measured.verified} of {measured.tensors} tensors verified, {time.perf_counter() - begin:.0f} s")
    return 0 if worked else 1


if __name__ == "__main__":
    sys.exit(main())
