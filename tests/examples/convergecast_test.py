#!/usr/bin/env python3
"""The statistics of a swarm equal what its inputs come to: the example in its short mode, and whether it would say if they did not."""

import contextlib
import fractions
import io
import pathlib
import re
import sys
import types
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLE = HERE.parent.parent / "examples" / "convergecast"
sys.path[:0] = [str(HERE.parent / "support"), str(EXAMPLE)]
from axl_testing import TestCase, main  # noqa: E402
from short_run import short_run  # noqa: E402

import run  # noqa: E402
from robot import Robot, expected  # noqa: E402


class Convergecast(TestCase):
    def test_the_short_run_works_and_its_sums_are_those_of_the_inputs(self):
        status, output, picture = short_run(EXAMPLE, self.folder)
        self.assertEqual(status, 0)
        self.assertRegex(output.splitlines()[-1], r"^PASS: (\d+) of \1 outcomes equal ")
        sums = re.findall(r"sum of energy@(\d+), asked by robot \d+: (\S+)", output)
        self.assertEqual(len(sums), 2)  # at the start, and when all are back
        for tick, said in sums:
            inputs = [Robot(1, number).answer(f"energy@{tick}")[""] for number in range(9)]
            self.assertEqual(float(said), float(sum(map(fractions.Fraction, inputs))))
        texts = [one.text for one in xml.etree.ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}text")]
        for moment in ("all are well", "3 hang", "3 are killed", "they are back"):
            self.assertIn(moment, texts)
        self.assertEqual(texts.count("9 contributed, complete"), 2)

    def test_an_outcome_with_a_member_twice_or_another_value_is_found_out(self):
        robots = [Robot(1, number) for number in range(4)]
        swarm = types.SimpleNamespace(members=[types.SimpleNamespace(robot=robot) for robot in robots], key_of=str)

        def verdict(said, numbers):
            groups = [{"group": group, "count": count, "value": value, "top": []}
                      for group, (count, value) in expected("sum", "energy@7", said, str).items()]
            one = run.Run(swarm, 1, 1)
            with contextlib.redirect_stdout(io.StringIO()):
                outcome = {"groups": groups, "contributed": len(said)}
                one.check("sum", "energy@7", outcome, one.who("sum", outcome) if numbers is None else numbers)
            return not one.wrong

        self.assertTrue(verdict(robots, None))
        self.assertTrue(verdict(robots[1:], None))
        self.assertFalse(verdict(robots[1:], range(4)))
        self.assertFalse(verdict([*robots, robots[0]], None))
        self.assertFalse(verdict([*robots[:3], Robot(2, 3)], None))


if __name__ == "__main__":
    main()
