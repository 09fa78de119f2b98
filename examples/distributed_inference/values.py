"""Tensors that both ends can make from a shape and a seed, to see that what came is what was sent.

Element i depends on the seed and i alone (SplitMix64 as a function of the position; the upper 24 bits as a float32 from -0.5
up to 0.5), so any piece of a tensor is checked without the rest of it, and in any language to the bit.
"""

import numpy

_STEP = numpy.uint64(0x9E3779B97F4A7C15)
_FIRST = numpy.uint64(0xBF58476D1CE4E5B9)
_SECOND = numpy.uint64(0x94D049BB133111EB)
_PIECE = 1 << 15  # elements whose intermediate results stay in the cache


SAMPLE = 1024  # of what is not compared in full, one element in so many is


def fill(out, seed, first=0, step=1):
    """Writes elements ``first`` and following, or each ``step``-th of them, to a flat float32 array."""
    start = numpy.uint64(seed % 2**64) * _STEP
    for begin in range(0, len(out), _PIECE):
        part = out[begin:begin + _PIECE]
        z = numpy.arange(first + begin * step + 1, first + (begin + len(part)) * step + 1, step, dtype=numpy.uint64)
        z *= _STEP
        z += start
        z ^= z >> numpy.uint64(30)
        z *= _FIRST
        z ^= z >> numpy.uint64(27)
        z *= _SECOND
        z ^= z >> numpy.uint64(31)
        z >>= numpy.uint64(40)
        numpy.multiply(z, numpy.float32(2.0**-24), out=part, casting="unsafe", dtype=numpy.float64)
        part -= numpy.float32(0.5)


def make(shape, seed):
    out = numpy.empty(shape, "<f4")
    with numpy.errstate(over="ignore"):
        fill(out.reshape(-1), seed)
    return out


def is_piece(data, seed, first, step=1):
    """Whether these bytes are elements ``first`` and following, to the bit; with a ``step`` each so many-th is compared. A large
    tensor is never made whole."""
    got = numpy.frombuffer(data, "<u4")[::step]
    wanted = numpy.empty(min(len(got), _PIECE), "<f4")
    with numpy.errstate(over="ignore"):
        for begin in range(0, len(got), _PIECE):
            part = got[begin:begin + _PIECE]
            fill(wanted[:len(part)], seed, first + begin * step, step)
            if not numpy.array_equal(part, wanted[:len(part)].view("<u4")):
                return False
    return True
