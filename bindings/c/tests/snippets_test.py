"""Every program of docs/c.md is compiled as a reader would, and does what the page says.

A ```text block after a program is what it prints. A program that prints a URL is called there twice.

Usage: snippets_test.py PAGE INCLUDE_DIR LIBRARY CC [FLAGS...]
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request

CALL = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode()


def compile_program(code, name, folder, include, library, compiler):
    source, program = folder / f"{name}.c", folder / name
    source.write_text(code)
    subprocess.run([*compiler, "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{include}", str(source), "-o",
                    str(program), library, f"-Wl,-rpath,{pathlib.Path(library).parent}"], check=True)
    return program


def call(url):
    request = urllib.request.Request(url, data=CALL, headers={"Content-Type": "application/json"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:  # not through a proxy
        return answer.read().decode()


def run_service(program):
    with subprocess.Popen([program], stdout=subprocess.PIPE, text=True) as running:
        url = running.stdout.readline().strip()
        key = url.split("/")[-2]
        for _ in range(2):
            got = call(url)
            assert got == f"{key} sent {len(CALL)} bytes\n", got
    assert running.returncode == 0, f"{program} ended with {running.returncode}"


def main():
    page, include, library, compiler = pathlib.Path(sys.argv[1]).read_text(), sys.argv[2], sys.argv[3], sys.argv[4:]
    programs = re.findall(r"```c\n(.*?)```\n(?:\n```text\n(.*?)```)?", page, flags=re.DOTALL)
    assert len(programs) >= 4, f"{len(programs)} programs on the page"
    with tempfile.TemporaryDirectory() as folder:
        for number, (code, expected) in enumerate(programs, 1):
            program = compile_program(code, f"program{number}", pathlib.Path(folder), include, library, compiler)
            if not expected:
                run_service(program)
                continue
            printed = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True).stdout
            assert printed == expected, f"program {number} printed {printed!r}"
    print(f"{len(programs)} programs")


main()
