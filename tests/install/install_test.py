"""Programs that are built from empty folders with what `cmake --install` brings, or with a checkout as a part of them, run.

The programs and the commands are those of docs/cpp.md, docs/game-loop.md, docs/c.md and README.md, word for word. The library is installed from the
build that the tests are of, and moved, for it must not depend on where it was. As a part of another project it is made
of the same object files (lent_objects.py); with --from-nothing it is compiled.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import lent_objects
import snippets

GREETING = "hello, mesh"


def run(command, folder, environment):
    """Runs it in a shell, shows what it said when it fails, and returns that."""
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=folder, env=environment, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise SystemExit(f"in {folder}:\n{command}\nended with {done.returncode}\n{done.stdout}")
    return done.stdout


def cached(build):
    """What the build was configured with."""
    lines = (build / "CMakeCache.txt").read_text().splitlines()
    return {m[1]: m[2] for m in (re.match(r"([A-Za-z_0-9]+):[A-Z]+=(.*)", line) for line in lines) if m}


class Installed:
    """What was installed, in a home of its own."""

    def __init__(self, options, home, environment):
        staged = home.parent / "staged"
        run(f"cmake --install '{options.build}' --prefix '{staged}'", home, environment)
        self.prefix = home / "axl"
        staged.rename(self.prefix)
        self.folders = {str(options.build), str(options.source), str(staged)}
        self.shared = next(self.prefix.glob("lib*/**/libaxl.so"))

    def check(self, source):
        """The headers are all there, and nothing depends on the folders that it was built in."""
        assert (self.prefix / "include/axl.h").exists()
        there, wanted = ({path.relative_to(folder) for path in (folder / "include/axl").rglob("*") if path.is_file()}
                         for folder in (self.prefix, source))
        assert there == wanted, there ^ wanted
        documents = {path.name for path in (self.prefix / "share/doc/axl").iterdir()}
        assert documents == {"LICENSE", "copyright"} and (self.prefix / "share/man/man8/axld.8").exists(), documents
        for path in self.prefix.rglob("*"):
            if path.suffix in {".cmake", ".pc", ".hpp"}:
                named = [folder for folder in self.folders if folder in path.read_text()]
                assert not named, f"{path} names {named}"
        dynamic = subprocess.run(["objdump", "-p", self.shared], capture_output=True, text=True, check=True).stdout
        assert not re.search(r"RPATH|RUNPATH", dynamic), dynamic
        soname = re.search(r"SONAME\s+(\S+)", dynamic)[1]
        assert re.fullmatch(r"libaxl\.so\.\d+", soname) and (self.shared.parent / soname).exists(), soname
        sections = subprocess.run(["objdump", "-h", self.shared.with_suffix(".a")], capture_output=True, text=True, check=True).stdout
        assert ".text" in sections and ".gnu.lto_" not in sections, "libaxl.a holds intermediate code"


def run_as_part(commands, folder, options, environment):
    """Commands that build a checkout as a part of another project."""
    checkout = folder / "axl"
    checkout.symlink_to(options.source)
    configure, rest = commands.split("\n", 1)
    kept = cached(options.build)
    names = ["CMAKE_BUILD_TYPE", "CMAKE_C_COMPILER", "CMAKE_CXX_COMPILER", "AXL_LTO"]
    names += [f"CMAKE_{language}_FLAGS{kind}" for language in ("C", "CXX") for kind in ("", "_" + kept["CMAKE_BUILD_TYPE"].upper())]
    run(configure + " -G 'Unix Makefiles' " + " ".join(f"'-D{name}={kept[name]}'" for name in names if name in kept), folder, environment)
    build = folder / "build"
    parts = [path for path in (build / "axl", build / "_deps/axl-build") if path.exists()]
    assert len(parts) == 1 and not (parts[0] / "daemon").exists() and not (parts[0] / "tests").exists(), parts
    if options.from_nothing:
        return run(rest, folder, environment)
    lent = lent_objects.lend(options.source, options.build, checkout, build, parts[0])
    ages = {path: path.stat().st_mtime_ns for path in lent}
    said = run(rest, folder, environment)
    again = [str(path) for path in lent if path.stat().st_mtime_ns != ages[path]]
    assert not again, f"compiled all the same: {again}"
    return said


def check_compilers(project, installed, environment):
    """The same program without exceptions and RTTI, by each compiler that is here."""
    for compiler in filter(shutil.which, ("g++", "clang++")):
        said = run(f"{compiler} -std=c++20 -fno-exceptions -fno-rtti -Wall -Wextra -Werror main.cpp -o plain -I'{installed.prefix}/include' "
                   f"'{installed.shared}' -Wl,-rpath,'{installed.shared.parent}' && ./plain", project, environment)
        assert GREETING in said, said
        print(f"{compiler} without exceptions and RTTI: {said.strip()}", flush=True)


def check(options, work):
    home, project = work / "home", work / "project"
    home.mkdir()
    environment = {name: os.environ[name] for name in ("PATH", "AXL_DEPS_DIR", "AXL_LWIP_SOURCE") if name in os.environ}
    environment |= {"HOME": str(home), "LC_ALL": "C", "CXX": options.cxx}
    installed = Installed(options, home, environment)
    installed.check(options.source)

    in_c = (options.source / "docs/c.md").read_text()
    page = snippets.snippets((options.source / "docs/cpp.md").read_text()) + snippets.snippets(in_c, all_of_them=False)
    game_loop = (options.source / "docs/game-loop.md").read_text()
    page += snippets.snippets(game_loop, all_of_them=False)
    page.insert(0, ("file", "game-loop/main.cpp", re.search(r"^```cpp\n(.*?)^```$", game_loop, re.M | re.S)[1]))
    page.insert(0, ("file", "c/hello.c", re.search(r"^```c\n(.*?)^```$", in_c, re.M | re.S)[1]))
    for kind, path, text in page:
        if kind == "file":
            (project / path).parent.mkdir(parents=True, exist_ok=True)
            (project / path).write_text(text)
    for kind, folder, commands in page:
        if kind != "run":
            continue
        part = "add_subdirectory(axl" in commands or folder in {"subdirectory", "fetched"}
        if (options.from_nothing and folder != "subdirectory") or (options.installed_only and part):
            continue
        said = run_as_part(commands, project / folder, options, environment) if part else run(commands, project / folder, environment)
        greetings = [line for line in said.splitlines() if "hello, " in line]
        assert len(greetings) == len(re.findall(r"^(?:\./|build/)(?:app|hello)", commands, re.M)), said
        print(f"{folder}: {greetings}", flush=True)
    if options.from_nothing:
        return
    readme = re.search(r"^```cpp\n(.*?)^```$", (options.source / "README.md").read_text(), re.M | re.S)[1]
    (project / "main.cpp").write_text(readme)
    check_compilers(project, installed, environment)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--cxx", required=True)
    parser.add_argument("--from-nothing", action="store_true")
    parser.add_argument("--installed-only", action="store_true", help="no programs that a checkout is a part of")
    options = parser.parse_args()
    options.source, options.build = options.source.resolve(), options.build.resolve()
    with tempfile.TemporaryDirectory(prefix="axl-install-") as folder:
        check(options, pathlib.Path(folder).resolve())


if __name__ == "__main__":
    sys.exit(main())
