"""One child process: its output collected, its end always brought about."""

import os
import re
import signal
import subprocess
import threading

from .wait import WATCHDOG, until

REPORT = re.compile(r"ERROR: \w*Sanitizer|WARNING: ThreadSanitizer|runtime error:|SUMMARY: \w*Sanitizer")


class Process:
    def __init__(self, name, command, cwd=None, env=None):
        self.name = name
        self.stdout = []
        self.stderr = []
        self.child = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE)
        self._readers = [threading.Thread(target=self._read, args=pair, daemon=True)
                         for pair in ((self.child.stdout, self.stdout), (self.child.stderr, self.stderr))]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(pipe, lines):
        for line in pipe:
            lines.append(line.decode(errors="replace").rstrip("\n"))

    @property
    def pid(self):
        return self.child.pid

    @property
    def running(self):
        return self.child.poll() is None

    def find(self, pattern, skip=0):
        """The match of `pattern` in the (skip+1)th line of either output that has one, or None."""
        for line in self.stdout[:] + self.stderr[:]:
            match = re.search(pattern, line)
            if match:
                if skip == 0:
                    return match
                skip -= 1
        return None

    def wait_for_line(self, pattern, skip=0, watchdog=WATCHDOG):
        def seen():
            running = self.running
            match = self.find(pattern, skip)
            if not match and not running:
                self.join()
                match = self.find(pattern, skip)
                if not match:
                    raise AssertionError(f"{self.name} ended with {self.child.returncode} before it wrote /{pattern}/")
            return match

        return until(seen, f"{self.name} writes /{pattern}/", watchdog)

    def join(self, watchdog=WATCHDOG):
        """Waits for the end and for the rest of the output; returns the exit code."""
        code = self.child.wait(watchdog)
        for reader in self._readers:
            reader.join(watchdog)
        self.child.stdout.close()
        self.child.stderr.close()
        return code

    def signal(self, number):
        self.child.send_signal(number)

    def freeze(self):
        """Until thaw(): returns when every thread stands still, which a signal alone does not promise."""
        self.signal(signal.SIGSTOP)
        until(lambda: all(self._stands_still(task) for task in os.listdir(f"/proc/{self.pid}/task")), f"{self.name} stands still")

    def thaw(self):
        self.signal(signal.SIGCONT)

    def _stands_still(self, task):
        with open(f"/proc/{self.pid}/task/{task}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] == "T"

    def kill(self):
        """As a crash would end it: no goodbye."""
        if self.running:
            self.child.kill()
        return self.join()

    def stop(self):
        if self.running:
            self.child.send_signal(signal.SIGTERM)
        try:
            return self.join()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end after SIGTERM") from None

    def reports(self):
        """Lines in which a sanitizer complains."""
        return [line for line in self.stderr if REPORT.search(line)]

    def status(self, field):
        """A number of /proc/PID/status, such as VmRSS (kB) or Threads."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return int(re.search(rf"^{field}:\s*(\d+)", file.read(), re.M).group(1))

    def children(self):
        """The processes that it has started, and not reaped. Each thread has a list of its own."""
        found = []
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{task}/children", encoding="ascii") as file:
                    found += [int(pid) for pid in file.read().split()]
            except FileNotFoundError:
                pass  # that thread has ended
        return sorted(found)

    def open_files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def tail(self, lines=40):
        text = [f"--- {self.name} (pid {self.pid}, exit code {self.child.poll()}) ---"]
        text += [f"  out| {line}" for line in self.stdout[-lines:]] + [f"  err| {line}" for line in self.stderr[-lines:]]
        return "\n".join(text)
