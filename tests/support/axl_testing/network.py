"""Network namespaces: the test gets one to itself, and each host that it plays gets another, joined by a wire."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading

from .wait import until

HOST = "10.99.0.1"  # the test's own host, for the others

_INSIDE = "AXL_TESTING_INSIDE"
_CLONE_NEWNET = 0x40000000
# Whoever ends first, nothing stays: the processes of the inner process namespace die with its first one.
_UNSHARE = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
_PROBE = "ip link set lo up && ip tuntap add dev probe mode tun && ip link del probe"


def have_namespaces():
    return _INSIDE in os.environ


def enter(required):
    """Runs this script again in namespaces of its own, if the machine lets us.

    Where it does not: carries on outside if the test can do without; else leaves with 77, which ctest counts as
    skipped, or with 1 when AXL_REQUIRE_NETNS is set."""
    if have_namespaces():
        _run("ip", "link", "set", "lo", "up")
        _run("ip", "address", "add", f"{HOST}/32", "dev", "lo")
        with open("/proc/sys/net/ipv4/ip_forward", "w", encoding="ascii") as file:
            file.write("1")
        return
    reason = "no unshare or ip command"
    for extra in [], ["--user", "--map-root-user"]:
        if not shutil.which("unshare") or not shutil.which("ip"):
            break
        probe = subprocess.run([*_UNSHARE, *extra, "sh", "-c", _PROBE], capture_output=True, text=True, check=False)
        if probe.returncode == 0:
            os.environ[_INSIDE] = "1"
            sys.stdout.flush()
            command = [*_UNSHARE, *extra, sys.executable, *sys.orig_argv[1:]]
            os.execvp(command[0], command)
        reason = (probe.stderr.strip() or "unshare failed").splitlines()[-1]
    if required:
        word = "FAILED" if os.environ.get("AXL_REQUIRE_NETNS") else "SKIPPED"
        print(f"{word}: this test needs network namespaces and a TUN device, as root or by user namespaces: {reason}")
        sys.exit(1 if word == "FAILED" else 77)


class Namespace:
    """Another host: a network namespace with one wire to the test's own. It reaches other such hosts through the test's."""

    _count = 0

    def __init__(self):
        Namespace._count += 1
        number = Namespace._count
        self.gateway = f"10.99.{number}.1"  # the test's end
        self.ip = f"10.99.{number}.2"
        # A namespace lives as long as a process in it.
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        self.path = f"/proc/{self._holder.pid}/ns/net"
        until(lambda: os.readlink(self.path) != os.readlink("/proc/self/ns/net"), "a namespace is made")
        wire = f"wire{number}"
        _run("ip", "link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", str(self._holder.pid))
        _run("ip", "address", "add", f"{self.gateway}/24", "dev", wire)
        _run("ip", "link", "set", wire, "up")
        for command in ("link set lo up", f"address add {self.ip}/24 dev eth0", "link set eth0 up",
                        f"route add default via {self.gateway}"):
            _run(*self.command("ip", *command.split()))

    def command(self, *command):
        """The command line that runs `command` in here."""
        return ["nsenter", f"--net={self.path}", *command]

    def run(self, *command, **arguments):
        return subprocess.run(self.command(*command), capture_output=True, check=False, **arguments)

    def socket(self, kind=socket.SOCK_STREAM, protocol=0):
        """An IPv6 socket that lives in here, usable from anywhere."""
        made = []

        def make():
            # A thread may move to another namespace on its own; a socket stays where it was made.
            with open(self.path, "rb") as file:
                if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _CLONE_NEWNET) != 0:
                    return
            made.append(socket.socket(socket.AF_INET6, kind, protocol))

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if not made:
            raise OSError("cannot enter the namespace")
        return made[0]

    def connect(self, host, port, timeout=60):
        sock = self.socket()
        sock.settimeout(timeout)
        try:
            sock.connect((host, port))
        except OSError:
            sock.close()
            raise
        return sock

    def close(self):
        self._holder.send_signal(signal.SIGKILL)
        self._holder.wait()


def _run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
