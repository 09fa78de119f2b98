"""Runs the train.py of the folder it is started in, with limits on what that program can cost.

    python -I confined.py CPU_SECONDS MEMORY_BYTES FILE_BYTES PROCESSES STEPS SEED

Limits of processor time, memory, sizes and number of files, and no processes of its own; where the kernel lets us, no
network. This bounds a program that is broken or careless. It does not hold one that is out to do harm: such a program still
reads what this user may read. Run code only of keys whose owners you would give an account on this machine.
"""
import ctypes
import os
import resource
import runpy
import sys

NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000


def confine(cpu_seconds, memory, file_size, processes):
    ctypes.CDLL(None).unshare(NEW_USER | NEW_NETWORK)  # not everywhere allowed
    for what, limit in ((resource.RLIMIT_CPU, cpu_seconds), (resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, file_size),
                        (resource.RLIMIT_NPROC, processes), (resource.RLIMIT_NOFILE, 64), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(what, (limit, limit))


def tell_memory():
    """The most that was in memory, in KiB, for whoever started this."""
    with open("/proc/self/status") as status, open("memory", "w") as told:
        told.write(next(line.split()[1] for line in status if line.startswith("VmHWM:")))


def main():
    cpu_seconds, memory, file_size, processes = map(int, sys.argv[1:5])
    confine(cpu_seconds, memory, file_size, processes)
    sys.argv = ["train.py", *sys.argv[5:]]
    os.umask(0o077)
    runpy.run_path("train.py", run_name="__main__")
    tell_memory()


if __name__ == "__main__":
    main()
