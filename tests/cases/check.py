"""Every test that tests/CASES.md names exists, under that name, in that file, and is part of the build.

Usage: check.py SOURCE_DIR
"""
import ast
import pathlib
import re
import sys

COLUMNS = 4  # area, case, test, file
FEWEST = 120  # rows: whoever takes many away at once shall say so here
CPP_TEST = re.compile(r'TEST_CASE(?:_METHOD)?\(\s*(?:\w+,\s*)?"((?:[^"\\]|\\.)*)"')


def rows(text):
    """(line number, cells) of the table's rows; the names of its columns and the line below them are none."""
    table = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.startswith("|")]
    return [(number, [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]) for number, line in table[2:]]


def cpp_names(text):
    return {name.replace('\\"', '"').replace("\\\\", "\\") for name in CPP_TEST.findall(text)}


def python_names(text):
    """Class.method of every test method."""
    return {f"{item.name}.{member.name}" for item in ast.parse(text).body if isinstance(item, ast.ClassDef)
            for member in item.body if isinstance(member, ast.FunctionDef) and member.name.startswith("test")}


def names_in(path):
    text = path.read_text(encoding="utf-8")
    return cpp_names(text) if path.suffix == ".cpp" else python_names(text)


def is_built(path):
    lists = path.parent / "CMakeLists.txt"
    return lists.exists() and re.search(rf"(?<![\w.]){re.escape(path.name)}(?![\w.])", lists.read_text(encoding="utf-8"))


def fault_of(tests, cells):
    if len(cells) != COLUMNS or not all(cells):
        return f"{COLUMNS} cells are wanted, none of them empty"
    _, _, test, file = cells
    path = tests / file.strip("`")
    if not path.is_file():
        return f"there is no {file}"
    if test.replace("\\|", "|").strip("`") not in names_in(path):
        return f"no test of {file} has the name {test}"
    if not is_built(path):
        return f"{file} is not in the CMakeLists.txt beside it"
    return None


def main():
    tests = pathlib.Path(sys.argv[1]) / "tests"
    found = rows((tests / "CASES.md").read_text(encoding="utf-8"))
    faults = [f"CASES.md:{number}: {fault}" for number, cells in found if (fault := fault_of(tests, cells))]
    seen = set()
    for number, cells in found:
        if tuple(cells) in seen:
            faults.append(f"CASES.md:{number}: this row is there twice")
        seen.add(tuple(cells))
    if len(found) < FEWEST:
        faults.append(f"CASES.md: {len(found)} rows, at least {FEWEST} are expected")
    for fault in faults:
        print(fault)
    print(f"cases: {len(found)} rows, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
