#!/usr/bin/env python3
"""The local API at a Unix socket: for this user only, and for nobody's page."""

import os
import shutil
import socket
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import Api, TestCase, main, until  # noqa: E402

TOKEN = "0123456789abcdef-token"


class UnixSocket(TestCase):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.folder, "api.sock")

    def node(self, **settings):
        return self.axld(settings={"bridge_addr": "unix:" + self.path, **settings})

    def assert_refuses_to_start(self, node):
        with self.assertRaises(AssertionError):
            node.start()
        self.assertEqual(node.process.child.returncode, 1)

    def test_it_serves_what_the_port_serves(self):
        sender, receiver = self.line(2)
        for node in sender, receiver:
            node.stop()
        receiver.config["bridge_addr"] = "unix:" + self.path
        receiver.start()
        sender.start()
        receiver.wait_for_peer(sender.key)
        self.assert_works(sender, receiver)
        self.assert_works(receiver, sender)
        connection = receiver.api.connection()
        for _ in range(3):
            self.assertEqual(receiver.api.request("GET", "/topology", connection=connection).status, 200)
        connection.close()
        self.assertEqual(receiver.api.get("/nothing").status, 404)
        if shutil.which("curl"):
            done = subprocess.run(["curl", "-sS", "--unix-socket", self.path, "http://localhost/topology"], capture_output=True,
                                  check=True)
            self.assertIn(receiver.key.hex.encode(), done.stdout)

    def test_no_port_is_open_beside_it(self):
        node = self.node(serve_router=False)
        listening = set()
        for table in "tcp", "tcp6":
            with open(f"/proc/{node.process.pid}/net/{table}", encoding="ascii") as file:
                listening |= {line.split()[9] for line in file.readlines()[1:] if line.split()[3] == "0A"}
        folder = f"/proc/{node.process.pid}/fd"
        mine = {os.readlink(os.path.join(folder, name)) for name in os.listdir(folder)}
        self.assertFalse({f"socket:[{inode}]" for inode in listening} & mine)

    def test_the_file_is_for_this_user_whatever_the_umask(self):
        before = os.umask(0)
        try:
            node = self.node()
        finally:
            os.umask(before)
        status = os.lstat(self.path)
        self.assertTrue(stat.S_ISSOCK(status.st_mode))
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o600)
        self.assertEqual(status.st_uid, os.getuid())
        with open("/proc/self/uid_map", encoding="ascii") as file:
            others = os.getuid() == 0 and any(int(line.split()[2]) > 65534 for line in file)
        if others:  # somebody else, with a way to the folder
            os.chmod(self.folder, 0o755)
            script = f"import socket; socket.socket(socket.AF_UNIX).connect({self.path!r})"
            done = subprocess.run(["python3", "-c", script], user=65534, group=65534, extra_groups=[], capture_output=True, text=True,
                                  check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("PermissionError", done.stderr)
        self.assertEqual(node.api.get("/topology").status, 200)

    def test_it_goes_with_the_node_and_a_dead_node_s_is_replaced(self):
        node = self.node()
        node.stop()
        self.assertFalse(os.path.lexists(self.path))
        node.start()
        node.kill()
        self.assertTrue(os.path.lexists(self.path), "nobody could remove it")
        self.assertRaises(ConnectionRefusedError, node.api.get, "/topology")
        node.start()
        self.assertEqual(node.api.get("/topology").status, 200)
        self.assertEqual(stat.S_IMODE(os.lstat(self.path).st_mode), 0o600)

    def test_it_is_gone_as_soon_as_the_node_begins_to_end(self):
        node = self.node()
        connection = node.api.connection()
        connection.request("GET", "/recv?wait=60")  # something that the end has to see to
        until(lambda: node.api.get("/topology").status == 200, "the request before is surely being served")
        node.process.signal(15)
        self.assertEqual(connection.getresponse().status, 204)
        connection.close()
        self.assertEqual(node.process.join(), 0)
        self.assertFalse(os.path.lexists(self.path))

    def test_a_living_node_keeps_its_socket(self):
        first = self.node()
        second = self.axld(settings={"bridge_addr": "unix:" + self.path}, start=False)
        self.assert_refuses_to_start(second)
        self.assertTrue(second.process.find(r"another server listens there"), second.process.tail())
        self.assertEqual(first.api.topology()["our_public_key"], first.key.hex)
        # One that is busy, not dead: its queue of connections is full.
        other = os.path.join(self.folder, "busy.sock")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(other)
            server.listen(0)
            waiting = []
            while True:
                sock = socket.socket(socket.AF_UNIX)
                sock.setblocking(False)
                waiting.append(sock)
                if sock.connect_ex(other) != 0:
                    break
            third = self.axld(settings={"bridge_addr": "unix:" + other}, start=False)
            self.assert_refuses_to_start(third)
            for sock in waiting:
                sock.close()
        self.assertTrue(os.path.lexists(other))

    def test_what_is_no_socket_is_left_alone(self):
        with open(self.path, "w", encoding="ascii") as file:
            file.write("precious")
        node = self.axld(settings={"bridge_addr": "unix:" + self.path}, start=False)
        self.assert_refuses_to_start(node)
        with open(self.path, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")
        os.remove(self.path)
        target = os.path.join(self.folder, "target")
        os.symlink(target, self.path)
        self.assert_refuses_to_start(node)
        self.assertFalse(os.path.lexists(target))
        os.remove(self.path)
        node.start()
        for path in os.path.join(self.folder, "no", "such", "folder"), os.path.join(self.folder, "x" * 200), "":
            other = self.axld(settings={"bridge_addr": "unix:" + path}, start=False)
            self.assert_refuses_to_start(other)
            self.assertTrue(other.process.stderr, "and says why")

    def test_token_names_and_pages(self):
        node = self.node(api_token=TOKEN)
        self.assertEqual(node.api.get("/topology").status, 401)
        self.assertEqual(node.api.get("/topology", **{"X-Axl-Token": TOKEN[:-1] + "x"}).status, 401)
        right = {"X-Axl-Token": TOKEN}
        self.assertEqual(node.api.get("/topology", **right).status, 200)
        # A page may be led to a socket by a proxy of its browser: the rules are those of the port.
        self.assertEqual(node.api.get("/topology", Origin="https://bad.example", **right).status, 403)
        self.assertEqual(node.api.get("/topology", Host="evil.example", **right).status, 403)
        self.assertEqual(node.api.get("/topology", **{"Sec-Fetch-Site": "cross-site"}, **right).status, 403)
        self.assertEqual(node.api.get("/topology", Host="127.0.0.1", **right).status, 200)
        router = int(node.process.wait_for_line(r"MCP Router URL: http://127.0.0.1:(\d+)/route")[1])
        self.assertEqual(Api("127.0.0.1", router).get("/services").status, 401, "port 9003 asks for the token too")


if __name__ == "__main__":
    main(namespaces="preferred")
