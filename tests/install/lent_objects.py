"""Lends the object files of one build of the library to another, so that it is not compiled again.

Only what would come out the same: the two compile each file by the same command, word for word, but for the folders. The
other build must be one of makefiles, which go by the age of files.
"""
import json
import os
import pathlib
import shlex
import shutil


def words(command, source, build):
    """The compiler's arguments, with the two folders by name, without the files that it reads and writes."""
    directory = pathlib.Path(command["directory"])
    parts = shlex.split(command["command"])
    while pathlib.Path(parts[0]).name in {"ccache", "sccache"}:
        parts = parts[1:]
    found = [parts[0]]
    for flag, value in zip(parts[1:], parts[2:] + [""]):
        if flag in {"-o", "-c"} or found[-1] in {"-o", "-c"}:
            found.append(flag if flag in {"-o", "-c"} else "FILE")
            continue
        prefix = "-I" if flag.startswith("-I") else ""
        path = flag.removeprefix(prefix)
        if prefix or found[-1] == "-isystem":
            flag = prefix + os.path.normpath(directory / path)
        found.append(flag)
    folders = {str(build): "BUILD", os.environ.get("AXL_DEPS_DIR", str(source)): "DEPENDENCIES", str(source): "SOURCE"}
    for folder, name in folders.items():
        found = [word.replace(folder, name) for word in found]
    return found


def output(command):
    parts = shlex.split(command["command"])
    return parts[parts.index("-o") + 1]


def compiled(source, build, part=None):
    """Where each object of the library lies, and how it is made, by its path in the build. `part`: the library's own folder."""
    part = part or build
    found = {}
    for command in json.loads((build / "compile_commands.json").read_text()):
        path = (pathlib.Path(command["directory"]) / output(command)).resolve()
        if path.is_relative_to(part / "lib"):
            found[path.relative_to(part)] = (path, words(command, source, part))
    return found


def lend(source, build, other_source, other_build, part):
    """Puts the objects in place and returns them; `part` is the library's folder in the other build."""
    ours = compiled(source, build)
    theirs = compiled(other_source, other_build, part)
    if not theirs or set(theirs) - set(ours):
        raise SystemExit(f"only there: {sorted(map(str, set(theirs) - set(ours)))}, {len(theirs)} in all")
    for name, (path, command) in theirs.items():
        if command != ours[name][1]:
            raise SystemExit(f"{name} is compiled in another way:\n{shlex.join(ours[name][1])}\n{shlex.join(command)}")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ours[name][0], path)
    return [path for path, _ in theirs.values()]
