"""A small byte-level transformer whose weights come from a seed, in NumPy, made so that it can be cut between any two layers.

Each layer's weights depend on the seed and its number alone: a process makes those of its own layers and no others. They are
not trained: what the model says is noise, and what it costs is that of a model of this size.
"""

from dataclasses import dataclass

import numpy

VOCABULARY = 256  # bytes


@dataclass(frozen=True)
class Shape:
    layers: int = 6
    width: int = 256
    heads: int = 4
    context: int = 512
    seed: int = 7


def _random(shape, number):
    return numpy.random.default_rng([shape.seed, number])


def _matrix(random, rows, columns):
    return random.standard_normal((rows, columns), numpy.float32) * numpy.float32(rows**-0.5)


def _normed(x):
    return x / numpy.sqrt(numpy.mean(x * x, axis=-1, keepdims=True) + numpy.float32(1e-5))


class Layer:
    """Attention over what came before, then a network for each position; either adds to what goes through."""

    def __init__(self, shape, number):
        random = _random(shape, number)
        width = shape.width
        self.shape = shape
        self.to_qkv, self.from_attention = _matrix(random, width, 3 * width), _matrix(random, width, width)
        self.up, self.down = _matrix(random, width, 4 * width), _matrix(random, 4 * width, width)

    def new_cache(self):
        return numpy.zeros((2, self.shape.heads, self.shape.context, self.shape.width // self.shape.heads), numpy.float32)

    def __call__(self, x, cache, position):
        """``x``: some positions following those that ``cache`` holds keys and values of."""
        count, end = len(x), position + len(x)
        q, k, v = (_normed(x) @ self.to_qkv).reshape(count, 3, self.shape.heads, -1).transpose(1, 2, 0, 3)
        cache[0, :, position:end], cache[1, :, position:end] = k, v
        weight = q @ cache[0, :, :end].transpose(0, 2, 1) * numpy.float32(q.shape[-1]**-0.5)
        if count > 1:
            weight += numpy.triu(numpy.full((count, end), -numpy.inf, numpy.float32), 1 + position)
        weight = numpy.exp(weight - weight.max(axis=-1, keepdims=True))
        weight /= weight.sum(axis=-1, keepdims=True)
        x = x + (weight @ cache[1, :, :end]).transpose(1, 0, 2).reshape(count, -1) @ self.from_attention
        return x + numpy.maximum(_normed(x) @ self.up, 0) @ self.down


class Part:
    """Layers ``begin`` up to ``end``, with the embedding when they are the first, and the head when they are the last."""

    def __init__(self, shape, begin, end):
        self.shape, self.begin, self.end = shape, begin, end
        self.layers = [Layer(shape, number) for number in range(begin, end)]
        self.embedding = self.head = None
        if begin == 0:
            random = _random(shape, 1 << 20)
            self.embedding = [random.standard_normal((rows, shape.width), numpy.float32) for rows in (VOCABULARY, shape.context)]
        if end == shape.layers:
            self.head = _matrix(_random(shape, 1 << 21), shape.width, VOCABULARY)

    def new_cache(self):
        return [layer.new_cache() for layer in self.layers]

    def embed(self, tokens, position):
        words, places = self.embedding
        return words[tokens] + places[position:position + len(tokens)]

    def __call__(self, x, cache, position):
        """Activations to activations; of the last part, to the logits of the last position."""
        for layer, kept in zip(self.layers, cache, strict=True):
            x = layer(x, kept, position)
        return x if self.head is None else _normed(x[-1:]) @ self.head


def cut(layers, parts):
    """Where each of the parts begins and ends, as even as it goes."""
    edges = [layers * index // parts for index in range(parts + 1)]
    return list(zip(edges, edges[1:]))


def generate(part, prompt, count):
    """What the whole model says, in one process: tokens, and the logits of each."""
    cache, tokens, position, said, logits = part.new_cache(), numpy.frombuffer(prompt, numpy.uint8), 0, [], []
    for _ in range(count):
        out = part(part.embed(tokens, position), cache, position)
        position += len(tokens)
        tokens = out.argmax(axis=-1)
        said.append(int(tokens[0]))
        logits.append(out[0])
    return bytes(said), numpy.stack(logits)
