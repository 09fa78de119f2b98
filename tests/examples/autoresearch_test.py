#!/usr/bin/env python3
"""The example examples/autoresearch: what it believes of others, what it runs, and that sharing beats working alone."""
import asyncio
import contextlib
import dataclasses
import json
import logging
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
import xml.etree.ElementTree

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "examples" / "autoresearch"
sys.path.insert(0, str(FOLDER))

import axl
import findings
import laboratory
import proposer
from agent import Agent
from corpus import Corpus, own_text
from exchange import Exchange
from findings import Board, Finding, Signer, Unusable, commit_of, parse
from laboratory import Laboratory

SOURCE = FOLDER.joinpath("train.py").read_text()
EMPTY = proposer.Experience(SOURCE)


def finding(sender, **members):
    return Finding(**{"round": 3, "val_bpb": 2.5, "memory_gb": 0.1, "status": "keep", "description": "wider", "commit": commit_of("text"),
                      "timestamp": 1e9, "sender_id": sender, "train_py": "text", **members})


class Findings(unittest.TestCase):
    def setUp(self):
        self.key, self.other = axl.PrivateKey.generate(), axl.PrivateKey.generate()
        self.sender = self.key.public_key
        self.signed = Signer(self.key).sign(finding(self.sender))

    def test_a_signed_finding_can_be_passed_on(self):
        self.assertEqual(parse(self.signed.to_json().encode()), self.signed)

    def test_what_was_changed_on_the_way_is_refused(self):
        for change in ({"val_bpb": 2.4}, {"train_py": "other"}, {"round": 4}, {"sender_id": self.other.public_key}, {"signature": None},
                       {"signature": "00" * 64}):
            with self.subTest(change), self.assertRaises(Unusable):
                parse(dataclasses.replace(self.signed, **change).to_json().encode())

    def test_the_sender_is_the_one_that_the_mesh_has_authenticated(self):
        unsigned = finding("0" * 64).to_json().encode()
        self.assertEqual(parse(unsigned, self.sender).sender_id, self.sender)
        with self.assertRaises(Unusable):  # somebody else's, sent as one's own
            parse(self.signed.to_json().encode(), self.other.public_key)

    def test_what_makes_no_sense_is_refused(self):
        good = json.loads(finding(self.sender).to_json())
        bad = [{"round": -1}, {"round": 1.5}, {"round": True}, {"round": 10**400}, {"val_bpb": float("nan")}, {"val_bpb": -1}, {"val_bpb": "1"},
               {"val_bpb": 10**400}, {"status": "best"}, {"status": []}, {"commit": "ABCDEF0"}, {"commit": None}, {"description": None},
               {"train_py": 5}, {"train_py": "\ud800"}, {"train_py": "x" * 70_000}, {"signature": "zz" * 64}, {"proto": 2}, {"type": "chat"}]
        for members in bad:
            with self.subTest(members), self.assertRaises(Unusable):
                parse(json.dumps({**good, **members}).encode(), self.sender)
        for data in (b"", b"\xff", b"[]", b"5", b"[" * 100_000, b" " * (findings.MOST_BYTES + 1)):
            with self.subTest(data[:5]), self.assertRaises(Unusable):
                parse(data, self.sender)
        self.assertEqual(parse(json.dumps({**good, "more": 1}).encode(), self.sender).round, 3)

    def test_each_round_of_a_sender_counts_once_and_strangers_not_at_all(self):
        board = Board([self.sender])
        self.assertTrue(board.add(self.signed))
        self.assertFalse(board.add(dataclasses.replace(self.signed, val_bpb=0.1)))
        self.assertFalse(board.add(finding(self.other.public_key)))
        self.assertEqual(board.best(), [self.signed])
        self.assertTrue(board.was_tried(self.signed.commit))

    def test_no_sender_can_push_out_what_another_has_found(self):
        board = Board([self.sender, self.other.public_key])
        board.add(self.signed)
        for number in range(100):
            board.add(finding(self.other.public_key, round=number, val_bpb=number / 1000))
        self.assertIn(self.signed, board.best())
        self.assertEqual(len(board.best()), 1 + findings.SOURCES_KEPT)


class Proposals(unittest.TestCase):
    def test_the_same_seed_proposes_the_same_and_all_are_programs(self):
        for seed in range(200):
            promise, source, said = proposer.propose(random.Random(seed), SOURCE, lambda _: False, EMPTY)
            self.assertEqual((promise, source, said), proposer.propose(random.Random(seed), SOURCE, lambda _: False, EMPTY))
            self.assertNotEqual(source, SOURCE)
            self.assertEqual(len(proposer.settings(source)), len(proposer.settings(SOURCE)), said)
            compile(source, "train.py", "exec")

    def test_what_was_tried_is_not_proposed_and_a_text_without_settings_has_no_proposals(self):
        self.assertIsNone(proposer.propose(random.Random(1), SOURCE, lambda _: True, EMPTY))
        self.assertIsNone(proposer.propose(random.Random(1), "print('hello')", lambda _: False, EMPTY))

    def test_what_has_helped_comes_before_what_has_harmed(self):
        experience = proposer.Experience(SOURCE)
        experience.learn('OPTIMIZER "sgd" -> "adam"', 0.5)
        experience.learn("BATCH 32 -> 16, HIDDEN 24 -> 16", -0.5)
        experience.learn("NOTHING 1 -> 2", 1e300)  # of another program
        promises = [experience.promise([change]) for change in (("OPTIMIZER", '"adam"'), ("CLIP", "1.0"), ("BATCH", "16"))]
        self.assertEqual(promises, sorted(promises, reverse=True))
        self.assertEqual(promises, [0.5, proposer.UNKNOWN, -0.25])
        taken = [proposer.propose(random.Random(seed), SOURCE, lambda _: False, experience)[2] for seed in range(100)]
        self.assertGreater(sum('"adam"' in said for said in taken), 3 * sum("BATCH 32 -> 16" in said for said in taken) + 5)

    def test_both_programs_have_the_same_settings(self):
        self.assertEqual(proposer.settings(SOURCE), proposer.settings(FOLDER.joinpath("train_torch.py").read_text()))


class Trials(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.laboratory = Laboratory(Corpus(own_text()), steps=2)

    async def test_the_same_seed_gives_the_same_result(self):
        first, second, other = [await self.laboratory.try_out(SOURCE, seed) for seed in (1, 1, 2)]
        self.assertEqual(first.val_bpb, second.val_bpb)
        self.assertNotEqual(first.val_bpb, other.val_bpb)
        self.assertLess(first.val_bpb, 9)
        self.assertGreater(first.memory_gb, 0.005)

    async def test_programs_that_fail_are_told_of(self):
        nothing = "open('logits.bin', 'wb').truncate(4 * 256 * len(open('contexts.bin', 'rb').read()) // 16)"
        self.assertAlmostEqual((await self.laboratory.try_out(nothing, 1)).val_bpb, 8)  # knows nothing: eight bits a byte
        for source, error in (
            ("raise RuntimeError('on\\x1b[2Jpurpose')", "RuntimeError: on?[2Jpurpose"),
            ("pass", "logits.bin"),
            ("open('logits.bin', 'w').write('short')", "logits.bin is not what it should be"),
            ("import os; os.symlink('/dev/zero', 'logits.bin')", "logits.bin"),
            ("import os; os.mkfifo('logits.bin')", "logits.bin is not what it should be"),
            ("import os; os.kill(0, 9)", "SIGKILL"),
            (nothing + "\nimport numpy\nnumpy.full(768 * 1024, numpy.nan, '<f4').tofile('logits.bin')", "not finite"),
            (nothing + "\nimport numpy\nnumpy.linspace(0, 1e38, 768 * 1024, dtype='<f4').tofile('logits.bin')", "off by"),
        ):
            with self.subTest(source):
                outcome = await self.laboratory.try_out(source, 1)
                self.assertIsNone(outcome.val_bpb)
                self.assertIn(error, outcome.error)

    async def test_programs_are_confined(self):
        with unittest.mock.patch.object(laboratory, "CPU_SECONDS", 1):
            self.assertRegex((await self.laboratory.try_out("while True: pass", 1)).error, "SIGXCPU|SIGKILL")
        self.assertIn("MemoryError", (await self.laboratory.try_out("b'x' * (4 << 30)", 1)).error)
        self.assertRegex((await self.laboratory.try_out("open('big', 'wb').write(b'x' * (17 << 20))", 1)).error, "SIGXFSZ|File too large")
        os.environ["AXL_TEST_SECRET"] = "secret"
        looking = "import os\nraise SystemExit(' '.join(sorted(os.environ)) + ' ' + ' '.join(sorted(os.listdir('.'))))"
        said = (await self.laboratory.try_out(looking, 1)).error
        self.assertIn("OMP_NUM_THREADS OPENBLAS_NUM_THREADS contexts.bin said train.bin train.py", said)
        self.assertNotIn("SECRET", said)


class Agents(unittest.IsolatedAsyncioTestCase):
    """Two agents on two nodes, the second of which says whatever suits the test."""

    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)
        self.stack = contextlib.AsyncExitStack()
        self.keys = [axl.PrivateKey.generate() for _ in range(2)]
        self.team = [key.public_key for key in self.keys]
        self.guest = axl.PrivateKey.generate()
        self.laboratory = Laboratory(Corpus(own_text()), steps=20)
        self.nodes, exchanges = [], []
        for key in self.keys:
            self.nodes.append(await self.stack.enter_async_context(axl.Node(
                identity=key, listen=["tls://127.0.0.1:0"], peers=self.nodes[0].listeners if self.nodes else [], log_level=axl.LogLevel.off)))
            exchanges.append(await self.stack.enter_async_context(Exchange(self.nodes[-1], Signer(key), self.team, [self.guest.public_key])))
        self.exchange, self.peer = exchanges

    async def asyncTearDown(self):
        await self.stack.aclose()

    def agent(self, run_code_of):
        return Agent("ours", SOURCE, self.laboratory, 1, self.exchange, run_code_of)

    async def tell(self, number, source, val_bpb):
        await self.peer.publish(finding(self.team[1], round=number, val_bpb=val_bpb, train_py=source, commit=commit_of(source)))
        await self.exchange.heard(number)

    async def test_a_source_is_taken_over_when_it_is_as_good_here(self):
        agent = self.agent(self.team)
        await agent.round()
        before = agent.best
        better = proposer.with_value(SOURCE, "BIAS", '"frequency"')
        await self.tell(0, better, before - 0.5)
        await agent.round()
        self.assertEqual((agent.source, agent.history[-1].status), (better, "keep"))
        self.assertLess(agent.best, before)
        self.assertEqual(json.loads(await self.peer.ask(self.team[0], "best"))["train_py"], better)
        self.assertEqual(json.loads(await self.peer.ask(self.team[0], "finding", round=0))["val_bpb"], before)
        self.assertEqual(await self.peer.ask(self.team[0], "finding", round=99), "null")

    async def test_what_is_not_heard_is_asked_for(self):
        await self.peer.publish(finding(self.team[1], round=7))
        deaf = await self.stack.enter_async_context(axl.Node(  # nobody else publishes on its port
            identity=self.guest, peers=self.nodes[1].listeners, pubsub={"port": 7999}, log_level=axl.LogLevel.off))
        exchange = await self.stack.enter_async_context(Exchange(deaf, Signer(self.guest), [self.team[1]]))
        with unittest.mock.patch("exchange.ASK_AFTER", 0.1):
            await exchange.heard(7)
        self.assertTrue(exchange.board.has(self.team[1], 7))
        with self.assertLogs("autoresearch", logging.WARNING) as said:
            await exchange.heard(8, patience=0.1)
        self.assertIn("round 8", said.output[-1])

    async def test_nonsense_is_not_handed_on(self):
        before = (await self.nodes[0].pubsub.statistics()).refused
        with self.assertLogs("autoresearch", logging.WARNING) as said:
            await self.nodes[1].publish("autoresearch", b"nonsense")
            await self.tell(0, SOURCE, 2.5)
        self.assertIn(f"{self.team[1][:8]} sent no finding", said.output[0])
        self.assertEqual((await self.nodes[0].pubsub.statistics()).refused, before + 1)

    async def test_lies_are_found_out_and_their_teller_is_no_longer_believed(self):
        agent = self.agent(self.team)
        await agent.round()
        before = agent.best
        for number in range(5):
            lie = f"raise SystemExit('val_bpb: 0.{number}')" if number else SOURCE + "\n"  # one is a program, as good as ours
            await self.tell(number, lie, 0.1 * number)
        for _ in range(8):
            await agent.round()
        told = [one.status for one in agent.history if " of " in one.description]
        self.assertEqual(told, ["discard", "crash", "crash"])
        self.assertNotIn("SystemExit", agent.source)
        self.assertLessEqual(agent.best, before)

    async def test_nobodys_code_is_run_unless_that_was_said(self):
        agent = self.agent([])
        await self.tell(0, "raise SystemExit('it ran')", 0.1)
        for _ in range(2):
            await agent.round()
        self.assertEqual([one.description for one in agent.history if "it ran" in one.description or " of " in one.description], [])


class ShortRun(unittest.TestCase):
    def test_agents_that_share_beat_the_same_agents_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, str(FOLDER / "run.py"), "--short", "--backend", "numpy", "--out", folder]
            run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
            print(run.stdout)
            self.assertEqual(run.returncode, 0)
            self.assertIn("\nOK: ", run.stdout)
            result = json.loads(pathlib.Path(folder, "result.json").read_text())
            picture = xml.etree.ElementTree.parse(pathlib.Path(folder, "curves.svg")).getroot()
        shared, isolated = result["mean"]["shared"], result["mean"]["isolated"]
        self.assertEqual(len(shared), len(isolated))
        self.assertEqual(shared[0], isolated[0])  # the same start
        self.assertLess(shared[-1], isolated[-1])
        self.assertLess(sum(shared), sum(isolated))
        self.assertGreater(result["adopted"], 0)
        self.assertLess(result["newcomer"]["after"], result["newcomer"]["before"])
        self.assertEqual(len(picture.findall("{http://www.w3.org/2000/svg}path[@fill='none']")), 8)  # four curves, and the legend


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    unittest.main(argv=[sys.argv[0], *(one for one in sys.argv[1:] if one[:1].isupper())])  # classes; the build's own options are not for us
