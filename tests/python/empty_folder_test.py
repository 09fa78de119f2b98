"""The wheel in an environment that has nothing else, away from the sources: the first program of docs/python.md runs.

    empty_folder_test.py FOLDER_OF_WHEEL DOCS/PYTHON.MD
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile


def main():
    (wheel,) = pathlib.Path(sys.argv[1]).glob("axl-*.whl")
    program = re.search(r"^```python\n(.*?)^```$", pathlib.Path(sys.argv[2]).read_text(), re.M | re.S)[1]
    expected = re.findall(r"print\(.*\)  # (.+)$", program, re.M)
    assert expected, "the program says nothing that could be checked"
    with tempfile.TemporaryDirectory(prefix="axl-wheel-") as folder:
        environment = {"PATH": os.environ["PATH"], "HOME": folder, "LC_ALL": "C"}

        def run(*command):
            return subprocess.run(command, cwd=folder, env=environment, check=True, text=True, stdout=subprocess.PIPE).stdout

        run(sys.executable, "-m", "venv", "venv")
        run("venv/bin/pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", str(wheel))
        pathlib.Path(folder, "hello.py").write_text(program)
        said = run("venv/bin/python", "hello.py")
        print(said, end="")
        missing = [text for text in expected if text not in said]
        assert not missing, missing


if __name__ == "__main__":
    main()
