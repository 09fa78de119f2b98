"""cmake/packaging/copyright names every project whose code our libraries are made of, and every holder that lwIP's sources name.

What goes in is what the compiler has read for the objects, as ninja knows it.

    notices_test.py SOURCE BUILD
"""
import pathlib
import re
import subprocess
import sys

# The project that a Debian package holds; nothing: the compiler's and the system's own, or linked as a shared library of
# which headers leave nothing but calls.
PROJECTS = {"libasio-dev": "asio", "libfmt-dev": "fmt", "libsimdjson-dev": "simdjson", "libsodium-dev": "", "libssl-dev": "",
            "libc6-dev": "", "linux-libc-dev": "", "libstdc++-12-dev": "", "libgcc-12-dev": ""}


def read_files(build):
    """What was read for the objects of the library and the daemon."""
    lines = subprocess.run(["ninja", "-C", build, "-t", "deps"], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    files, ours = set(), False
    for line in lines:
        if line.startswith("    "):
            if ours:
                files.add((build / line.strip()).resolve())
        else:
            ours = line.startswith(("lib/", "daemon/", "bindings/"))
    return files


def main():
    source, build = (pathlib.Path(path).resolve() for path in sys.argv[1:])
    if not (build / "build.ninja").exists():
        print("SKIPPED: the build is not ninja's, which knows what was read")
        return 77
    text = (source / "cmake/packaging/copyright").read_text()
    named = set(re.findall(r"^Files: (\w+)/\*$", text, re.M))
    faults, used, system = [], {"llhttp"}, []  # llhttp: objects as they were brought
    for path in read_files(build):
        if (build / "lwip") in path.parents:
            used.add("lwip")
            if path.suffix == ".c":
                for holder in re.findall(r"Copyright \(c\) [-0-9, ]+(?:by )?(\w+ \w+)", path.read_text(errors="replace")):
                    if holder not in text:
                        faults.append(f"{path.name} names {holder}")
        elif path.name == "llhttp.h" or source in path.parents:
            continue
        else:
            system.append(path)
    owners = subprocess.run(["dpkg-query", "--search", *map(str, system)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, check=False).stdout
    for owner, path in re.findall(r"^([^:\s]+)(?::\S+)?: (.*)$", owners, re.M):
        if owner == "dpkg-query":
            faults.append(f"of no package: {path}")
        elif (package := re.sub(r"-\d+-dev$", "-12-dev", owner)) not in PROJECTS:
            faults.append(f"of an unknown project: {owner} ({path})")
        elif PROJECTS[package]:
            used.add(PROJECTS[package])
    faults += [f"without a notice: {project}" for project in used - named]
    faults += [f"with a notice, and not used: {project}" for project in named - used]
    for fault in sorted(set(faults)):
        print(fault)
    print(f"{len(system)} files of other packages, {len(used)} projects, {len(faults)} faults")
    return 1 if faults or not system else 0


if __name__ == "__main__":
    sys.exit(main())
