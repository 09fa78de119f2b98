"""The shared library shows exactly the functions of the list that is checked in, and the headers declare the same ones.

Usage: exports_test.py LIBRARY HEADERS LIST
"""
import pathlib
import re
import subprocess
import sys


def main():
    library, headers, listed = sys.argv[1], sorted(pathlib.Path(sys.argv[2]).iterdir()), pathlib.Path(sys.argv[3])
    expected = listed.read_text().split()
    assert expected == sorted(set(expected)), f"{listed} is not sorted, or holds a name twice"

    table = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    exported = [(line.split()[-2], line.split()[-1].split("@")[0]) for line in table.splitlines()]
    exported = [item for item in exported if item != ("A", "AXL_1")]  # the version's own name
    others = [name for kind, name in exported if kind != "T"]
    assert not others, f"exported, and no function: {others}"

    code = re.sub(r"/\*.*?\*/", "", "".join(header.read_text() for header in headers), flags=re.DOTALL)
    declared = re.findall(r"AXL_C_API\s[^;(]*?\b(axl_\w+)\(", code)
    for what, names in (("exported", [name for _, name in exported]), ("declared in the headers", declared)):
        missing, new = sorted(set(expected) - set(names)), sorted(set(names) - set(expected))
        assert not missing and not new, f"{what}, against exports.txt: missing {missing}, not listed {new}"


main()
