"""From the start of a process to its first message in the hands of a reader."""

import http.client
import json
import os
import threading
import time

from axl_testing import Axld, Process, make_key
from targets import free_ports


def first_message(binary, folder):
    """Seconds from exec of a node, whose neighbour is up, until that neighbour's reader has its first message."""
    home = os.path.join(folder, f"start-{len(os.listdir(folder))}")
    os.mkdir(home)
    receiver = Axld(binary, home, listen=["tls://127.0.0.1:0"])
    key, port = os.path.join(home, "sender.pem"), free_ports(1)[0]
    config = os.path.join(home, "sender.json")
    with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
        file.write(make_key().pem)
    with open(config, "w", encoding="utf-8") as file:
        json.dump({"PrivateKeyPath": key, "Peers": [receiver.uri()]}, file)
    arrived = []

    def read():
        answer = receiver.api.receive(wait=60)
        arrived.append((time.monotonic(), answer and answer.body))

    reader = threading.Thread(target=read)
    reader.start()
    begun = time.monotonic()
    sender = Process("sender", [binary, "-config", config, "--api-port", str(port), "--router-port", "0"])
    try:
        send(port, receiver.key.hex)
        reader.join()
    finally:
        sender.stop()
        receiver.stop()
    when, body = arrived[0]
    if body != b"first":
        raise SystemExit(f"the first message did not arrive: {body!r}")
    return when - begun


def send(port, key):
    """Asks as soon as the node listens, and again if it is told that the peer is out of reach."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("POST", "/send", b"first", {"X-Destination-Peer-Id": key, "X-Axl-Message-Id": "first"})
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.0005)
    raise SystemExit("no message could be sent within a minute")
