"""The text that the models learn, and the part of it that they are measured with."""
import pathlib

import numpy as np

LONGEST = 16  # bytes of context that a model may look at
PREDICTIONS = 3072  # bytes to predict
ROOT = pathlib.Path(__file__).resolve().parents[2]


def own_text():
    """This project's documentation and headers: real text, and always there."""
    files = sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("include/axl/*.hpp"), *ROOT.glob("lib/*/*.hpp")])
    return b"".join(file.read_bytes() for file in files)


class Corpus:
    """Bytes to learn from; and contexts from other parts of the text, with the byte that follows each.

    The contexts do not overlap: none of them tells what comes after another.
    """

    def __init__(self, text):
        blocks = np.array_split(np.frombuffer(text, np.uint8), 100)
        held_out = np.concatenate(blocks[9::10])
        windows = np.lib.stride_tricks.sliding_window_view(held_out, LONGEST + 1)[:: LONGEST + 1][:PREDICTIONS]
        if len(windows) < 256:
            raise ValueError(f"a text of {len(text)} bytes is too short: 50 000 are the least")
        self.training = np.concatenate([block for index, block in enumerate(blocks) if index % 10 != 9]).tobytes()
        self.contexts = windows[:, :-1].tobytes()
        self.answers = windows[:, -1].copy()

    def bits_per_byte(self, logits):
        """How surprising the right answers are to who predicts this; `logits`: a row of 256 for each context."""
        logits = logits.astype(np.float64)
        logits -= logits.max(axis=1, keepdims=True)
        right = logits[np.arange(len(self.answers)), self.answers]
        return float((np.log(np.exp(logits).sum(axis=1)) - right).mean() / np.log(2))
