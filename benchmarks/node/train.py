"""Runs the loads whose profile a release is built with; cmake/profile.sh, which built what runs here, packs it.

    train.py --axld BINARY --tools FOLDER

The mix counts: a function's weight is how often it ran. Small messages and calls lead, since they are what a profile
helps; of large bodies there is enough to find their way.
"""

import argparse
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "support"))

from targets import Chain, free_ports  # noqa: E402

SENDS = [(4000, 1024, 1), (2000, 1024, 8), (200, 1024, 64), (1000, 64, 1), (300, 65536, 1), (100, 1 << 20, 1), (25, 1 << 20, 4)]
CALLS = [(3000, 1), (1000, 8), (100, 64)]
MESSAGES_IN_PROCESS = "session_messages/bytes:(64|1024)/|sent_messages/bytes:1024/"


def run(*command):
    subprocess.run([str(part) for part in command], check=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--axld", required=True)
    parser.add_argument("--tools", required=True)
    options = parser.parse_args()
    load, calls, parts = (os.path.join(options.tools, name) for name in ("message_load", "mcp_load", "micro"))
    with tempfile.TemporaryDirectory() as folder:
        for length in 2, 3:
            service = free_ports(1)[0]
            chain = Chain(options.axld, folder, length, service=service)
            try:
                for count, size, clients in SENDS:
                    run(load, chain.send_port, chain.recv_port, chain.key, count, size, clients)
                run(load, chain.send_port, chain.recv_port, chain.key, 2000, 1024, "round-trip")
                for count, clients in CALLS:
                    run(calls, chain.send_port, chain.key, "bench", service, "calls", count, 100, clients)
                run(calls, chain.send_port, chain.key, "bench", service, "events", 1000, 200)
            finally:
                chain.stop()
    run(parts, f"--benchmark_filter={MESSAGES_IN_PROCESS}", "--benchmark_min_time=0.2")


if __name__ == "__main__":
    main()
