#!/usr/bin/env python3
"""The split model says what the whole one says, and every tensor arrives as it was sent: the example in its short mode."""

import pathlib
import sys
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from axl_testing import TestCase, main  # noqa: E402
from short_run import short_run  # noqa: E402

EXAMPLE = HERE.parent.parent / "examples" / "distributed_inference"


class DistributedInference(TestCase):
    def test_the_short_run_works_and_says_so(self):
        status, output, picture = short_run(EXAMPLE, self.folder)
        self.assertEqual(status, 0)
        lines = output.splitlines()
        self.assertRegex(lines[-1], r"^PASS: the split model equals the whole one, (\d+) of \1 tensors verified, ")
        splits = [line for line in lines if line.startswith(("  2 processes, ", "  3 processes, "))]
        self.assertEqual(len(splits), 4)
        self.assertTrue(all(line.endswith("tokens and logits equal to the bit") for line in splits))
        for pair in ("Python to Python", "Python to C++", "C++ to Python", "C++ to C++"):
            self.assertTrue(any(f"64 MiB, {pair}: " in line for line in lines), pair)
        texts = [one.text for one in xml.etree.ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}text")]
        self.assertIn("3 processes", texts)
        self.assertIn("64 MiB", texts)


if __name__ == "__main__":
    main()
