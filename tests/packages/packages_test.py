"""The Debian packages: made of the build that the tests are of, checked by lintian, and installed, used, upgraded, removed
and purged on a copy of this machine (machine.py). Where this is root, once more on one that runs systemd.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import machine as machines
from axl_testing.wait import until
from machine import SHARED, UPPER, Machine

CONFIG, KEY = "/etc/axl/axld.json", "/etc/axl/node.pem"
MADE = re.compile(r"\bkey of ([0-9a-f]{64})\b")


def run(*command, **arguments):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **arguments)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\nended with {done.returncode}\n{done.stdout}")
    return done.stdout


def say(text):
    print(f"{time.process_time() + sum(os.times()[2:4]):5.1f} s of processor time: {text}", flush=True)


class Packages:
    """The three .deb files, and an axld that is newer."""

    def __init__(self, build, folder):
        run("cpack", "--config", build / "CPackConfig.cmake", "-B", folder / "packages",
            "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=gzip", cwd=folder)  # xz takes seconds
        self.paths = {path.name.split("_")[0]: path for path in (folder / "packages").glob("*.deb")}
        assert sorted(self.paths) == ["axld", "libaxl-dev", "libaxl1"], self.paths
        self.newer = self._raise_version(self.paths["axld"], folder)

    @staticmethod
    def _raise_version(path, folder):
        tree = folder / "newer"
        run("dpkg-deb", "--raw-extract", path, tree)
        control = tree / "DEBIAN/control"
        text = re.sub(r"^(Version: .*-)(\d+)$", lambda m: f"{m[1]}{int(m[2]) + 1}", control.read_text(), flags=re.M)
        control.write_text(text)
        newer = folder / "packages/newer.deb"
        run("dpkg-deb", "--root-owner-group", "-Zgzip", "--build", tree, newer)
        return newer

    def files(self, package):
        """Paths of what is no folder; links with what they lead to."""
        lines = run("dpkg-deb", "--contents", self.paths[package]).splitlines()
        assert all(line.split()[1] == "root/root" for line in lines), lines
        return {line.split(None, 5)[5].removeprefix(".") for line in lines if not line.startswith("d")}

    def control(self, package, name):
        return run("dpkg-deb", "--info", self.paths[package], name)


def check_contents(packages, source):
    triple = run("dpkg-architecture", "-qDEB_HOST_MULTIARCH").strip()
    libraries, doc = f"/usr/lib/{triple}", "/usr/share/doc"
    for package in packages.paths:
        files = packages.files(package)
        names = {path for path in files if path.startswith(f"{doc}/{package}/")}
        assert {pathlib.Path(name).name for name in names} == {"changelog.Debian.gz", "changelog.gz", "copyright"}, names
        summed = {"/" + line.split(None, 1)[1] for line in packages.control(package, "md5sums").splitlines()}
        assert summed == {path for path in files if " -> " not in path}, summed
    shared = {re.sub(r"\.\d+\.\d+\.\d+\.\d+", ".V", path) for path in packages.files("libaxl1") if path.startswith(libraries)}
    assert shared == {f"{libraries}/lib{name}.so.{rest}" for name in ("axl", "axl_c") for rest in ("V", f"1 -> lib{name}.so.V")}, shared
    assert packages.control("libaxl1", "triggers").split() == ["activate-noawait", "ldconfig"]
    assert re.findall(r"^(\S+ \d+ \S+)", packages.control("libaxl1", "shlibs"), re.M) == ["libaxl 1 libaxl1", "libaxl_c 1 libaxl1"]
    development = packages.files("libaxl-dev")
    headers = {f"/usr/include/{path.relative_to(source / 'include')}" for path in (source / "include/axl").rglob("*.hpp")} | {f"/usr/include/{path.name}" for path in (source / "bindings/c/include").iterdir()}
    assert {path for path in development if path.startswith("/usr/include")} == headers
    wanted = {f"{libraries}/{name}" for name in ("libaxl.a", "libaxl.so -> libaxl.so.1", "libaxl_c.so -> libaxl_c.so.1",
              "pkgconfig/axl.pc", "pkgconfig/axl_c.pc", "cmake/axl/axlConfig.cmake", "cmake/axl/axlTargets.cmake")}
    assert wanted <= development, wanted - development
    daemon = {path for path in packages.files("axld") if not path.startswith((doc, "/usr/share/lintian"))}
    assert daemon == {"/usr/bin/axld", "/usr/lib/systemd/system/axld.service", "/usr/share/man/man8/axld.8.gz", CONFIG}, daemon
    assert packages.control("axld", "conffiles").split() == [CONFIG]


def check_with_lintian(packages):
    """No error and no warning but what the packages' own overrides name, with the reason."""
    print(run("lintian", "--fail-on", "error,warning", "--tag-display-limit", "0", *packages.paths.values()), flush=True)


def check_unit(machine):
    """systemd takes every line of it, and finds little that a break-in could use."""
    unit = "/usr/lib/systemd/system/axld.service"
    said = machine.run(f"systemd-analyze verify {unit} 2>&1")
    assert "axld" not in said, said
    rating = machine.run(f"systemd-analyze security --offline=true --no-pager {unit}")
    level = float(re.search(r"Overall exposure level for axld\.service: ([\d.]+)", rating)[1])
    assert level <= 2.0, rating
    say(f"exposure of the unit, from 0 to 10: {level}")


class Daemon:
    """What a user of the machine sees of axld."""

    def __init__(self, machine):
        self.machine = machine

    def key_file(self):
        """The public key that belongs to the key file, which is root's alone."""
        assert self.machine.run(f"stat -c '%a %U %G' {KEY}").split() == ["600", "root", "root"]
        return self.machine.run(f"openssl pkey -in {KEY} -pubout -outform DER | tail -c 32 | od -An -v -tx1 | tr -d ' \\n'")

    def topology_key(self, port=9002):
        """The key by which the node that answers on this port is known."""
        def ask():
            done = self.machine.command("curl", "-sf", f"http://127.0.0.1:{port}/topology")
            return done.returncode == 0 and json.loads(done.stdout)["our_public_key"]
        return until(ask, f"GET /topology on port {port} is answered")


def check_programs(machine, source, work):
    """Programs that are built with libaxl-dev."""
    folder = work / "programs"
    folder.mkdir()
    for language, page, name in (("cpp", "README.md", "main.cpp"), ("c", "docs/c.md", "hello.c")):
        (folder / name).write_text(re.search(rf"^```{language}\n(.*?)^```$", (source / page).read_text(), re.M | re.S)[1])
    (folder / "CMakeLists.txt").write_text("""cmake_minimum_required(VERSION 3.25)
project(programs LANGUAGES C CXX)
find_package(axl 0.1 REQUIRED COMPONENTS shared static)
add_library(main OBJECT main.cpp)
target_link_libraries(main PRIVATE axl::axl)
foreach(library axl axl_static)
  add_executable(with_${library} $<TARGET_OBJECTS:main>)
  target_link_libraries(with_${library} PRIVATE axl::${library})
endforeach()
add_executable(with_c hello.c)
target_link_libraries(with_c PRIVATE axl::c)
""")
    said = machine.run(f"""cd {SHARED}/programs
      cmake -S . -B build -G Ninja > log && cmake --build build >> log
      cc -std=c99 hello.c -o build/with_pkg_config $(pkg-config --cflags --libs axl_c)
      for program in build/with_*; do echo "$program: $($program | grep 'hello, ')"; done""")
    assert len(re.findall(r"^build/with_\w+: .*hello, ", said, re.M)) == 4, said
    say("with libaxl-dev: " + ", ".join(said.splitlines()))


def nothing_left(machine):
    # A character device stands for what is gone; man keeps formatted pages of any package.
    left = machine.run(f"find {UPPER} -iname '*axl*' -not -type c -not -path '{UPPER}/var/cache/man/*'")
    assert left == "", left


def live_without_systemd(packages, source, folder):
    """From installation to purge where nothing starts services, as in a container or while an image is made."""
    work, shared = folder / "plain", folder / "shared"
    work.mkdir()
    with Machine(work, shared) as machine:
        daemon = Daemon(machine)
        debs = " ".join(str(SHARED / path.relative_to(shared)) for path in packages.paths.values())
        said = machine.run(f"{machine.dpkg} -i {debs} 2>&1")
        key = MADE.search(said)[1]
        assert daemon.key_file() == key
        assert machine.run("readlink /etc/systemd/system/multi-user.target.wants/axld.service").endswith("/systemd/system/axld.service\n")
        say("installed")
        with open(shared / "axld.log", "w", encoding="utf-8") as log:
            process = machine.start("axld", "-config", CONFIG, "-key", KEY, "-strict", output=log)
            assert daemon.topology_key() == key
            machine.run("pkill -TERM -x axld")
            assert process.wait() == 0
        manual = machine.run("MANPATH=/usr/share/man man --warnings -E UTF-8 axld 2>&1")
        assert manual.startswith("AXLD(8)"), manual
        check_unit(machine)
        check_programs(machine, source, shared)

        machine.run(f"sed -i 's/9002/9012/' {CONFIG}")
        newer = SHARED / packages.newer.relative_to(shared)
        assert MADE.search(machine.run(f"{machine.dpkg} -i {newer} 2>&1")) is None
        assert daemon.key_file() == key and "9012" in machine.run(f"cat {CONFIG}")
        machine.run(f"{machine.dpkg} -r axld libaxl-dev libaxl1")
        assert machine.command("sh", "-c", "command -v axld").returncode != 0
        left = machine.run("ls /etc/axl").split()
        assert left == ["axld.json", "node.pem"] and daemon.key_file() == key, left
        machine.run(f"{machine.dpkg} -i {newer} 2>&1")
        assert daemon.key_file() == key and "9012" in machine.run(f"cat {CONFIG}")
        machine.run(f"{machine.dpkg} -P axld libaxl-dev libaxl1")
        nothing_left(machine)
        say("used, upgraded, removed, installed again and purged")


def check_sandbox(machine):
    """What the service's process is left with. Returns its number."""
    process = machine.run("systemctl show -P MainPID axld").strip()
    status = dict(line.split(":\t", 1) for line in machine.run(f"cat /proc/{process}/status").splitlines() if ":\t" in line)
    assert status["Uid"].split()[0] != "0" and status["CapEff"] == status["CapBnd"] == "0" * 16, status
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status
    return process


def exchange(machine, daemon, shared):
    """A message from a node beside the service to the service, over TLS: the sandbox lets pass what a node needs."""
    (shared / "beside.json").write_text(json.dumps({"Peers": ["tls://127.0.0.1:9001"], "api_port": 9102, "router_port": 9103}))
    with open(shared / "beside.log", "w", encoding="utf-8") as log:
        process = machine.start("axld", "-config", str(SHARED / "beside.json"), output=log)
        sender, receiver = daemon.topology_key(9102), daemon.topology_key()
        send = ["curl", "-sf", "-H", f"X-Destination-Peer-Id: {receiver}", "-d", "over TLS", "http://127.0.0.1:9102/send"]
        until(lambda: machine.command(*send).returncode == 0, "the service's node takes a message")
        said = machine.run("curl -sfi http://127.0.0.1:9002/recv?wait=10")
        assert sender in said and said.endswith("over TLS"), said
        machine.run("pkill -TERM -f beside.json")
        process.wait()


def live_with_systemd(packages, folder):
    """The service, from installation to purge."""
    work, shared = folder / "booted", folder / "shared"
    work.mkdir()
    with Machine(work, shared, booted=True) as machine:
        daemon = Daemon(machine)
        key = MADE.search(machine.run(f"dpkg -i {SHARED / packages.paths['axld'].relative_to(shared)} 2>&1"))[1]
        assert daemon.topology_key() == key == daemon.key_file()
        first = check_sandbox(machine)
        # Passwords of links may stand in the configuration: it may be root's alone.
        machine.run(f"""sed -i 's|"Listen": \\[\\]|"Listen": ["tls://127.0.0.1:9001"]|' {CONFIG}
          chmod 600 {CONFIG}
          systemctl restart axld""")
        second = check_sandbox(machine)
        assert first != second and daemon.topology_key() == key
        exchange(machine, daemon, shared)
        say("the service runs, shut in, and gets messages")
        machine.run(f"dpkg -i {SHARED / packages.newer.relative_to(shared)} 2>&1")
        assert second != check_sandbox(machine) and daemon.topology_key() == key == daemon.key_file()
        assert machine.run(f"stat -c %a {CONFIG}") == "600\n" and "9001" in machine.run(f"cat {CONFIG}")
        machine.run(f"rm {KEY} && DEBIAN_FRONTEND=noninteractive dpkg-reconfigure axld 2>&1")  # as the page says for images
        assert daemon.key_file() != key
        key = daemon.key_file()
        assert daemon.topology_key() == key
        machine.run("dpkg -r axld")
        assert machine.command("systemctl", "is-active", "axld").stdout == "inactive\n"
        assert machine.command("pgrep", "-x", "axld").returncode == 1 and daemon.key_file() == key
        machine.run("dpkg -P axld")
        nothing_left(machine)
        assert "axld" not in machine.run("systemctl list-units --all --no-legend")
        say("the service was upgraded, removed and purged")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="axl-packages-") as name:
        folder = pathlib.Path(name).resolve()
        folder.chmod(0o755)
        missing = [tool for tool in ("cpack", "file", "lintian", "man", "pkill", "systemd-analyze", "nsenter") if not shutil.which(tool)]
        reason = f"no {', '.join(missing)}: cmake/deps.sh tests brings all" if missing else machines.why_not(folder)
        if reason:
            machines.leave(reason)
        (folder / "shared").mkdir()
        packages = Packages(options.build.resolve(), folder / "shared")
        say("made")
        check_contents(packages, options.source)
        check_with_lintian(packages)
        say("lintian has nothing to say against them")
        live_without_systemd(packages, options.source.resolve(), folder)
        reason = machines.why_not(folder, booted=True) if os.geteuid() == 0 else "that takes root"
        if not reason:
            live_with_systemd(packages, folder)
        elif os.geteuid() == 0 and os.environ.get("AXL_REQUIRE_MACHINES"):
            raise SystemExit(reason)
        else:
            print(f"the service was not run by systemd: {reason}")


if __name__ == "__main__":
    sys.exit(main())
