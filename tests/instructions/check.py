"""Hot paths take as many instructions as the table says, within 5 %: a slower one is seen on any machine, however busy.

    check.py PROGRAM TABLE BUILT_WITH [--write]

Callgrind counts what PROGRAM (hot_paths.cpp) does. The counts depend on the compiler and the libraries, and on what the
processor offers: callgrind shows all processors with AVX2 as the same one, so one table does for them. What it was made
with is its first line; elsewhere the check is skipped (exit code 77), after the program has run.

When a change is meant to alter the counts, in either direction, the table goes with it: run with --write, which is
`ninja -C build/dev instructions_table`.
"""

import os
import platform
import re
import subprocess
import sys
import tempfile

TOLERANCE = 0.05
SKIPPED = 77


def machine(built_with):
    """What the counts depend on besides our own code."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        avx2 = re.search(r"^flags\s*:.*\bavx2\b", file.read(), re.M) is not None
    return f"{platform.machine()}{' with AVX2' if avx2 else ''}, {built_with}, {' '.join(platform.libc_ver())}"


def counts(program, folder):
    """Instructions of one run of each path, by name."""
    out = os.path.join(folder, "counts")
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}", program]
    # An environment of its own: its size decides where the stack begins.
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"], "LC_ALL": "C"})
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    found = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            text = file.read()
        part = re.search(r"^desc: Trigger: Client Request: (\d+) x (.+)$", text, re.M)
        if part:
            total = re.search(r"^totals: (\d+)$", text, re.M)
            found[part[2]] = round(int(total[1]) / int(part[1]))
    return found


def read_table(path):
    with open(path, encoding="utf-8") as file:
        first, *lines = file.read().splitlines()
    return first.removeprefix("# "), {name: int(number) for number, name in (line.split(None, 1) for line in lines if line)}


def compare(found, expected):
    """Prints every path; returns what is wrong."""
    faults = [f"in the table only: {name}" for name in expected.keys() - found.keys()]
    for name, number in sorted(found.items()):
        if name not in expected:
            faults.append(f"not in the table: {name}, {number} instructions")
            continue
        change = number / expected[name] - 1
        print(f"{number:9} {name}, {change:+.2%}")
        if abs(change) > TOLERANCE:
            faults.append(f"{name}: {number} instructions, {change:+.1%} against the table's {expected[name]}")
    return faults


def main():
    program, table, built_with, *rest = sys.argv[1:]
    here = machine(built_with)
    with tempfile.TemporaryDirectory() as folder:
        found = counts(program, folder)
    if not found or not all(found.values()):
        raise SystemExit(f"nothing was counted: {found}")
    if rest == ["--write"]:
        with open(table, "w", encoding="utf-8") as file:
            file.write(f"# {here}\n" + "".join(f"{number:9} {name}\n" for name, number in sorted(found.items())))
        return 0
    made_with, expected = read_table(table)
    faults = compare(found, expected)
    if made_with != here:
        print(f"skipped: the table was made on {made_with}; this is {here}")
        return SKIPPED
    if faults:
        print(*faults, "If that is meant, let the table say so: ninja -C build/dev instructions_table", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
