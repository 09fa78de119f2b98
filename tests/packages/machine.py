"""A machine of the test's own that begins as a copy of this one: its disk lies over this one's, and what is written goes
to memory and ends with it. Processes, network and mounts are its own too. Booted, its first process is systemd.

Needs root, or user namespaces for a machine that is not booted.
"""
import os
import pathlib
import subprocess
import sys
import time

from axl_testing.wait import until

_SETUP = r"""
set -e
work=$1 shared=$2 first=$3
mount --make-rprivate /
mount -t tmpfs tmpfs "$work"
cd "$work"
mkdir upper space root shared
mount -t tmpfs -o mode=755 tmpfs root
cp -d /bin /sbin /lib* root # links into /usr
mkdir root/{proc,sys,dev,run,tmp,mnt,root} upper/{usr,etc,var} space/{usr,etc,var} root/{usr,etc,var}
options=""
if [ "$first" = user ]; then
  # What root owns below is nobody's here: the folders that packages write to begin as ours.
  options=,userxattr
  triple=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
  for folder in usr/bin usr/include "usr/lib/$triple/pkgconfig" "usr/lib/$triple/cmake" usr/lib/systemd/system usr/share/doc \
    usr/share/man/man8 usr/share/lintian/overrides etc/systemd/system/multi-user.target.wants var/log \
    var/lib/systemd/deb-systemd-helper-enabled/multi-user.target.wants var/lib/systemd/deb-systemd-helper-masked; do
    mkdir -p "upper/$folder"
  done
  cp -r /var/lib/dpkg upper/var/lib 2> /dev/null || true # without what only root may read
  touch upper/var/lib/dpkg/{lock,lock-frontend,triggers/Lock} upper/var/log/dpkg.log
fi
for top in usr etc var; do
  mount -t overlay overlay -o "lowerdir=/$top,upperdir=$work/upper/$top,workdir=$work/space/$top$options" root/$top
done
[ "$first" != user ] || mount -t tmpfs tmpfs root/var/lib/private # root's alone, below
mount --bind "$shared" shared
cd root
mount -t tmpfs tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
  touch "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/shm dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s /proc/self/fd dev/fd
mount -t proc proc proc
mkdir mnt/upper mnt/shared
mount --bind "$work/upper" mnt/upper
mount --bind "$work/shared" mnt/shared
if [ "$first" = systemd ]; then
  # Neither services of the machine below, nor its rule that packages start none.
  rm -rf etc/systemd/system/*.wants usr/sbin/policy-rc.d
  mount -t devpts -o newinstance,mode=620,ptmxmode=666 devpts dev/pts
  ln -s pts/ptmx dev/ptmx
  mount -t sysfs -o ro sysfs sys
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  # The kernel is that of the machine below: none of its settings may change.
  mount --bind proc/sys proc/sys
  mount -o remount,bind,ro proc/sys
fi
mkdir -p run/below
pivot_root . run/below
cd /
umount -l /run/below
rmdir /run/below
ip link set lo up
if [ "$first" = systemd ]; then
  mount --make-rshared / # as systemd expects it of whoever starts it
  exec env -i container=test setpriv --bounding-set=-sys_module,-sys_rawio,-sys_time,-sys_boot,-syslog \
    /usr/lib/systemd/systemd --system --unit=multi-user.target
fi
touch /run/ready
exec sleep infinity
"""
_NAMESPACES = ["--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup"]
UPPER = "/mnt/upper"  # what was written, as the machine sees it
SHARED = pathlib.Path("/mnt/shared")  # the folder that it shares with the test


class Machine:
    """As a context: with Machine(work, shared) as machine. `work` is an empty folder, whose mount is the machine's."""

    def __init__(self, work, shared, booted=False, patience=None):
        """Seconds of `patience`: then it is one that does not come up."""
        user = os.geteuid() != 0
        # Other users do not exist in a user namespace, and what triggers run becomes one.
        self.dpkg = "dpkg --no-triggers" if user else "dpkg"
        command = ["unshare", *_NAMESPACES, *(["--user", "--map-root-user"] if user else []), "--fork", "--kill-child",
                   "bash", "-c", _SETUP, "setup", str(work), str(shared), "systemd" if booted else "user" if user else "root"]
        self._enter = ["nsenter", *_NAMESPACES, *(["--user", "--preserve-credentials"] if user else [])]
        self._booted = booted
        self._give_up = None if patience is None else time.monotonic() + patience
        self._log = open(shared / "machine.log", "w+", encoding="utf-8")
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT)

    def __enter__(self):
        try:
            children = pathlib.Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
            until(lambda: self._alive() and children.read_text().split(), "the machine has a first process")
            self._enter += ["--target", children.read_text().split()[0], "--wd", "env", "-i",
                            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/root"]
            if self._booted:
                up = "systemctl is-system-running | grep -qE '^(running|degraded)$'"
            else:
                up = "test -e /run/ready"
            until(lambda: self._alive() and self.command("bash", "-c", f"test -d {SHARED} && {up}").returncode == 0, "the machine is up")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def command(self, *command):
        """Runs it in there, whatever comes of it."""
        return subprocess.run([*self._enter, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def run(self, script):
        """Runs a script of bash, and returns what it said."""
        done = self.command("bash", "-euo", "pipefail", "-c", script)
        if done.returncode != 0:
            raise SystemExit(f"{script}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def start(self, *command, output):
        """A process that goes on. What ends it is a signal from in there: this end of it only waits."""
        return subprocess.Popen([*self._enter, *command], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)

    def close(self):
        if self._booted and self._process.poll() is None:
            self.command("systemctl", "exit")  # which leaves no control groups behind
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                pass
        self._process.kill()  # and --kill-child the rest
        self._process.wait()
        self._log.close()

    def _alive(self):
        if self._give_up is not None and time.monotonic() > self._give_up:
            raise SystemExit("the machine does not come up")
        if self._process.poll() is not None:
            self._log.seek(0)
            raise SystemExit(f"the machine ended with {self._process.returncode}: {self._log.read()}")
        return True


def why_not(folder, booted=False):
    """What keeps this machine from making others; nothing if nothing does."""
    work, shared = folder / f"probe-{booted}", folder / f"probed-{booted}"
    work.mkdir()
    shared.mkdir()
    try:
        with Machine(work, shared, booted, patience=60):
            pass
    except (SystemExit, OSError) as error:
        return f"this test needs namespaces and overlays, as root or by user namespaces: {error}"
    return ""


def leave(reason):
    """The test cannot run: a failure where it has to."""
    required = bool(os.environ.get("AXL_REQUIRE_MACHINES"))
    print(f"{'FAILED' if required else 'SKIPPED'}: {reason}")
    sys.exit(1 if required else 77)
