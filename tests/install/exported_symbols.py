"""The shared library exports what the list says: a symbol more is an inside that shows, one less breaks programs.

    exported_symbols.py LIBRARY LIST [--write]

The list has the symbols as the linker knows them and, for readers, as C++ spells them. One that is gone or has changed
asks for a new number in the library's name (cmake/axl_library.cmake). `ninja exported_symbols` writes the list anew.
"""
import pathlib
import re
import subprocess
import sys


def run(*command, text=None):
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def exported(library):
    """The symbols that programs can link to, with their version."""
    lines = run("nm", "--dynamic", "--defined-only", "--with-symbol-versions", str(library)).splitlines()
    return sorted({line.split()[-1] for line in lines if not line.split()[-1].startswith("AXL_")})


def main():
    library, path = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    found = exported(library)
    soname = re.search(r"SONAME\s+(\S+)", run("objdump", "-p", str(library)))[1]
    if "--write" in sys.argv:
        spelled = run("c++filt", text="\n".join(symbol.split("@")[0] for symbol in found)).splitlines()
        lines = [f"{soname}\n"] + [f"{symbol}  {name}\n" for symbol, name in zip(found, spelled, strict=True)]
        path.write_text("".join(lines))
        return 0
    first, *lines = path.read_text().splitlines()
    expected = [line.split()[0] for line in lines]
    faults = [f"exported, and not in the list: {symbol}" for symbol in found if symbol not in expected]
    faults += [f"in the list, and not exported: {symbol}" for symbol in expected if symbol not in found]
    if soname != first:
        faults.append(f"the library is called {soname}, and the list is of {first}")
    for fault in faults:
        print(fault)
    print(f"{len(found)} symbols, {len(faults)} faults")
    return 1 if faults or not found else 0


if __name__ == "__main__":
    sys.exit(main())
