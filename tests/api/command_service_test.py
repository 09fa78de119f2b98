#!/usr/bin/env python3
"""Programs that the node starts: what they inherit, how many there are, and that nothing of them stays."""

import http.client
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import TestCase, main, until  # noqa: E402

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "looking_program.py")


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Commands(TestCase):
    def post(self, near, far, method, session=None, name="tool", **params):
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if session:
            headers["Mcp-Session-Id"] = session
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        return near.api.request("POST", f"/mcp/{far.key.hex}/{name}", body, headers)

    def call(self, near, far, method, session, name="tool"):
        answer = self.post(near, far, method, session, name)
        self.assertEqual(answer.status, 200, answer)
        return self.result(answer)

    @staticmethod
    def result(answer):
        data = [line[len("data: "):] for line in answer.text.splitlines() if line.startswith("data: {")]
        return json.loads(data[-1])["result"]

    def open(self, near, far, name="tool"):
        answer = until(lambda: (got := self.post(near, far, "initialize", name=name)).status != 502 and got, "the node is reached")
        self.assertEqual(answer.status, 200, answer)
        self.assertRegex(answer.headers["Mcp-Session-Id"], "^[0-9a-f]{32}$")
        return answer.headers["Mcp-Session-Id"]

    def pair(self, **more):
        settings = {"services": {"tool": {"command": [sys.executable, PROGRAM], "allow": ["*"], **more}}}
        near, far = self.line(2, settings=settings)
        return near, far

    @staticmethod
    def programs(node):
        return node.process.children()


class CommandService(Commands):
    def spawn(self, near, far):
        """A session and what it has started; None when it was idle for too long already."""
        session = self.open(near, far)
        answer = self.post(near, far, "spawn", session)
        if answer.status == 404:
            return None
        self.assertEqual(answer.status, 200, answer)
        return session, self.result(answer)

    def test_what_a_program_inherits(self):
        os.environ["AXL_TEST_SECRET"] = "must not pass"
        self.addCleanup(os.environ.pop, "AXL_TEST_SECRET")
        folder = self.subfolder()
        near, far = self.pair(env={"EXTRA": "a=b c", "LANG": "C.UTF-8"}, directory=folder)
        seen = self.call(near, far, "look", self.open(near, far))
        # What Python itself adds to its own environment is not ours.
        self.assertEqual(set(seen["environment"]) - {"LC_CTYPE"}, {"PATH", "LANG", "EXTRA"} | ({"HOME"} & set(os.environ)))
        self.assertEqual(seen["environment"]["PATH"], os.environ["PATH"])
        self.assertEqual((seen["environment"]["EXTRA"], seen["environment"]["LANG"]), ("a=b c", "C.UTF-8"))
        self.assertEqual(set(seen["fds"]) - {"3"}, {"0", "1", "2"}, "3 is the folder that it lists")
        for name in "012":
            self.assertTrue(seen["fds"][name].startswith("pipe:"), seen["fds"])
        self.assertEqual((seen["group"], seen["session"]), (seen["pid"], seen["pid"]), "a group and a session of its own")
        self.assertEqual(seen["cwd"], os.path.realpath(folder))
        self.assertEqual(int(seen["blocked"], 16), 0)
        self.assertEqual(int(seen["ignored"], 16) & ~(1 << 12 | 1 << 24), 0, "Python itself ignores SIGPIPE and SIGXFSZ")
        self.assertEqual(self.programs(far), [seen["pid"]])

    def test_standard_error_is_in_the_log_and_cannot_disguise_itself(self):
        near, far = self.pair()
        self.open(near, far)
        line = far.process.wait_for_line(r"tool\[\d+\]: begun ")
        self.assertTrue(line.string.endswith(r"begun \x1b[31m\xe2\x80\xae"), line.string)

    def test_each_session_is_a_process_bound_to_its_caller(self):
        near, far = self.pair()
        sessions = [self.open(near, far) for _ in range(3)]
        pids = {self.call(near, far, "look", session)["pid"] for session in sessions}
        self.assertEqual(len(pids), 3)
        self.assertEqual(set(self.programs(far)), pids)
        self.assertEqual(self.post(far, far, "look", sessions[0]).status, 404, "another key knows the id, and has no use for it")

    def test_no_more_than_allowed_and_half_for_one_caller(self):
        near, far = self.pair(max_processes=4)
        sessions = [self.open(near, far) for _ in range(2)]
        answer = self.post(near, far, "initialize")
        self.assertEqual(answer.status, 503, answer)
        self.assertGreater(int(answer.headers["Retry-After"]), 0)
        for _ in range(2):
            self.open(far, far)  # another caller's half
        self.assertEqual(self.post(far, far, "initialize").status, 503)
        self.assertEqual(len(self.programs(far)), 4)
        path = f"/mcp/{far.key.hex}/tool"
        self.assertEqual(near.api.request("DELETE", path, headers={"Mcp-Session-Id": sessions[0]}).status, 204)
        until(lambda: self.post(near, far, "initialize").status == 200, "there is room again")
        self.call(near, far, "look", sessions[1])

    def test_nothing_of_a_session_stays(self):
        for arguments, how in (["--stubborn"], "DELETE"), ([], "idle"), ([], "crash"), (["--stubborn"], "the node's end"), ([], "the node's kill"):
            with self.subTest(how=how):
                near, far = self.line(2, settings={"services": {"tool": {
                    "command": [sys.executable, PROGRAM, *arguments], "allow": ["*"], "idle_secs": 1 if how == "idle" else 1800}}})
                session, spawned = until(lambda: self.spawn(near, far), "its children run")
                pids = [spawned["pid"], *spawned["children"]]
                self.assertTrue(all(map(alive, pids)))
                if how == "DELETE":
                    answer = near.api.request("DELETE", f"/mcp/{far.key.hex}/tool", headers={"Mcp-Session-Id": session})
                    self.assertEqual(answer.status, 204)
                elif how == "crash":
                    os.kill(spawned["pid"], 9)
                elif how == "the node's end":
                    far.stop()
                    self.assertFalse(alive(spawned["pid"]), "reaped before the node itself went")
                elif how == "the node's kill":
                    far.kill()
                    pids = pids[:1]  # its input ends; what it started is its own affair then
                until(lambda pids=pids: not any(map(alive, pids)), "the program and its children are gone")
                for pid in spawned["children"]:
                    if alive(pid):
                        os.kill(pid, 9)
                near.stop()
                if far.process.running:
                    self.assertEqual(self.programs(far), [], "and reaped")
                    far.stop()

    def test_a_program_that_cannot_be_started(self):
        near, far = self.line(2, settings={"services": {
            "none": {"command": ["no-such-program-anywhere"], "allow": ["*"]}, "ends": {"command": ["false"], "allow": ["*"]}}})
        for name in "none", "ends":
            until(lambda name=name: self.post(near, far, "initialize", name=name).status == 503, "after two failures there is a pause")
            answer = self.post(near, far, "initialize", name=name)
            if answer.status == 503:  # else the pause was over already
                self.assertGreater(int(answer.headers["Retry-After"]), 0)
            self.assertIn(answer.status, (502, 503))
        self.assertEqual(self.programs(far), [])
        self.assert_works(near, far)

    def test_a_command_without_an_allow_list_is_refused_at_the_start(self):
        node = self.axld(settings={"services": {"tool": {"command": ["cat"]}}}, start=False)
        with self.assertRaises(AssertionError):
            node.start()
        self.assertTrue(node.process.find(r'"tool".*allow'), node.process.tail())


class Hostile(Commands):
    """Programs that mean no good."""

    @staticmethod
    def program_name(pid):
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as file:
                return file.read().strip()
        except (FileNotFoundError, ProcessLookupError):
            return ""

    def test_output_that_is_no_conversation(self):
        begin = r"""read l; printf '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18"}}\n'; """
        floods = {"zeros": begin + "exec cat /dev/zero", "noise": begin + "exec cat /dev/urandom",
                  "notes": begin + """exec yes '{"jsonrpc":"2.0","method":"notifications/message"}'""",
                  "errors": begin + "exec yes '\033[31mred' >&2", "silent": "exec sleep 1000"}
        near, far = self.line(2, settings={"max_message_size": 1 << 20, "services": {
            name: {"command": ["sh", "-c", script], "allow": ["*"], "idle_secs": 60} for name, script in floods.items()}})
        started = time.monotonic()
        sessions = {name: self.open(near, far, name) for name in floods if name != "silent"}
        waiting = near.api.connection()
        waiting.request("POST", f"/mcp/{far.key.hex}/silent", json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize"}),
                        {"Content-Type": "application/json"})

        def ended():
            try:
                return self.post(near, far, "x", sessions["zeros"], "zeros").status == 404
            except http.client.IncompleteRead:
                return False  # this request still came in time, and went with its session

        until(ended, "the line without end has ended its session")
        for _ in range(10):
            self.assert_works(near, far)  # the node has time for others
        waiting.close()  # nobody waits for the silent one any more
        until(lambda: "sleep" not in map(self.program_name, self.programs(far)), "the silent one is gone")
        lines = far.process.stdout + far.process.stderr
        self.assertTrue([line for line in lines if "errors[" in line])
        self.assertLessEqual(len([line for line in lines if "errors[" in line]), 102 * (time.monotonic() - started + 2),
                             "a flood on standard error is not one in the log")
        self.assertFalse([line for line in lines if "\x1b" in line])
        far.stop()


if __name__ == "__main__":
    main(namespaces="preferred")
