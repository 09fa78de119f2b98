"""The package as it is installed: the stubs say what the native module has, and the guide's programs run."""

import ast
import importlib.resources
import pathlib
import re
import subprocess
import sys

import axl
import axl._native
import pytest

GUIDE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "python.md"


def test_the_stubs_name_what_the_native_module_has():
    source = importlib.resources.files("axl").joinpath("_native.pyi").read_text()
    assert importlib.resources.files("axl").joinpath("py.typed").is_file()
    stubs = {node.name: {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
             for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}
    for name, members in stubs.items():
        native = getattr(axl._native, name)
        there = {member for member in vars(native) if not member.startswith("_")}
        if name == "NodeConfig":
            assert there == set(axl.NodeOptions.__annotations__)
            continue
        assert there == {member for member in members if not member.startswith("_")}, name


def test_everything_that_is_exported_is_there():
    assert sorted(axl.__all__, key=str.lower) == sorted(set(axl.__all__), key=str.lower)
    for name in axl.__all__:
        assert getattr(axl, name) is not None
    codes = {kind.code for kind in vars(axl).values() if isinstance(kind, type) and issubclass(kind, axl.Error)}
    assert codes == set(axl.Errc)


def programs():
    text = GUIDE.read_text()
    return [block for block in re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]


@pytest.mark.parametrize("number", range(len(programs())))
def test_the_programs_of_the_guide_run(number, tmp_path):
    program = programs()[number]
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{program}\n{done.stdout}\n{done.stderr}"
    for expected in re.findall(r"print\(.*\)  # (.+)$", program, re.MULTILINE):
        assert expected in done.stdout, f"{program}\n{done.stdout}\n{done.stderr}"
