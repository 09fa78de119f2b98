"""A small language model of bytes, for NumPy: the program that the agents do research on.

    train.py STEPS SEED     in a folder with train.bin and contexts.bin; writes logits.bin

It is given bytes to learn from and the contexts of the bytes that it shall predict, not those bytes themselves: whoever
runs it measures how good its predictions are. The budget is STEPS steps of at most 128 examples.
"""
import sys

import numpy as np

# --- configuration
CONTEXT = 2            # 1 2 3 4 6 8 12 16
EMBEDDING = 6          # 4 6 8 12 16 24
HIDDEN = 24            # 16 24 32 48 64 96 128 160
ACTIVATION = "tanh"    # "tanh" "relu" "silu"
TABLE = "none"         # "none" "last" "last two"
BATCH = 32             # 16 32 64 128
OPTIMIZER = "sgd"      # "sgd" "momentum" "adam"
LEARNING_RATE = 0.2    # 0.03 0.06 0.1 0.2 0.3 0.5 0.8 1.2
SCHEDULE = "constant"  # "constant" "linear" "cosine"
WARMUP = 0.0           # 0.0 0.05 0.1 0.2
DECAY = 0.0            # 0.0 0.0001 0.001 0.01
INIT = 1.0             # 0.3 0.5 0.7 1.0 1.4 2.0
OUTPUT_INIT = 1.0      # 0.0 0.1 0.3 1.0
BIAS = "zero"          # "zero" "frequency"
CLIP = 0.0             # 0.0 0.5 1.0 2.0
AVERAGE = 0.0          # 0.0 0.9 0.95 0.98
# --- end of configuration

UNIT = {"sgd": 1.0, "momentum": 0.15, "adam": 0.04}  # a learning rate of 1 of each
BUCKETS = 1024  # of the table of the last two bytes


def activate(x):
    """The value, and what its gradient is multiplied with."""
    if ACTIVATION == "tanh":
        y = np.tanh(x)
        return y, 1 - y * y
    if ACTIVATION == "relu":
        return np.maximum(x, 0), (x > 0).astype(x.dtype)
    gate = 1 / (1 + np.exp(-np.clip(x, -30, 30)))
    return x * gate, gate * (1 + x * (1 - gate))


def initial(rng, data):
    def normal(rows, columns, scale):
        return (rng.standard_normal((rows, columns)) * scale).astype(np.float32)

    weights = {
        "embedding": normal(256, EMBEDDING, 0.3),
        "in": normal(CONTEXT * EMBEDDING, HIDDEN, INIT / np.sqrt(CONTEXT * EMBEDDING)),
        "in_bias": np.zeros(HIDDEN, np.float32),
        "out": normal(HIDDEN, 256, OUTPUT_INIT / np.sqrt(HIDDEN)),
        "out_bias": np.zeros(256, np.float32),
    }
    if BIAS == "frequency":
        weights["out_bias"] = np.log(np.bincount(data, minlength=256) + 0.1).astype(np.float32)
        weights["out_bias"] -= weights["out_bias"].mean()
    if TABLE != "none":
        weights["table"] = np.zeros((256 if TABLE == "last" else BUCKETS, 256), np.float32)
    return weights


def bucket(contexts):
    """The row of the table that these contexts use."""
    last = contexts[:, -1].astype(np.int64)
    return last if TABLE == "last" else (last + contexts[:, -2].astype(np.int64) * 31) % BUCKETS


def forward(weights, contexts):
    used = contexts[:, -CONTEXT:]
    x = weights["embedding"][used].reshape(len(used), -1)
    y, slope = activate(x @ weights["in"] + weights["in_bias"])
    logits = y @ weights["out"] + weights["out_bias"]
    if TABLE != "none":
        logits += weights["table"][bucket(contexts)]
    return used, x, y, slope, logits


def sum_rows(rows, values, count):
    """Adds each row of `values` to the row of the result that `rows` names."""
    total = np.zeros((count, values.shape[1]), np.float32)
    order = np.argsort(rows, kind="stable")
    names, starts = np.unique(rows[order], return_index=True)
    total[names] = np.add.reduceat(values[order], starts)
    return total


def gradients(weights, contexts, targets):
    used, x, y, slope, logits = forward(weights, contexts)
    logits -= logits.max(axis=1, keepdims=True)
    wrong = np.exp(logits)
    wrong /= wrong.sum(axis=1, keepdims=True)
    wrong[np.arange(len(targets)), targets] -= 1
    wrong /= len(targets)
    inner = (wrong @ weights["out"].T) * slope
    found = {
        "embedding": sum_rows(used.ravel(), (inner @ weights["in"].T).reshape(-1, EMBEDDING), 256),
        "in": x.T @ inner,
        "in_bias": inner.sum(axis=0),
        "out": y.T @ wrong,
        "out_bias": wrong.sum(axis=0),
    }
    if TABLE != "none":
        found["table"] = sum_rows(bucket(contexts), wrong, len(weights["table"]))
    if CLIP:
        norm = np.sqrt(sum(float((g * g).sum()) for g in found.values()))
        for g in found.values():
            g *= min(1, CLIP / (norm + 1e-9))
    return found


def rate(step, steps):
    highest = LEARNING_RATE * UNIT[OPTIMIZER]
    if step < WARMUP * steps:
        return highest * (step + 1) / (WARMUP * steps)
    left = 1 - step / steps
    return highest * {"constant": 1, "linear": left, "cosine": 0.5 - 0.5 * np.cos(np.pi * left)}[SCHEDULE]


def train(data, steps, seed):
    rng = np.random.default_rng(seed)
    weights = initial(rng, data)
    first = {name: np.zeros_like(w) for name, w in weights.items()}
    second = {name: np.zeros_like(w) for name, w in weights.items()}
    average = {name: w.copy() for name, w in weights.items()}
    windows = np.lib.stride_tricks.sliding_window_view(data, 17)
    for step in range(steps):
        examples = windows[rng.integers(len(windows), size=BATCH)]
        now = rate(step, steps)
        for name, g in gradients(weights, examples[:, :-1], examples[:, -1]).items():
            if OPTIMIZER == "momentum":
                first[name] = g = 0.9 * first[name] + g
            elif OPTIMIZER == "adam":
                first[name] += 0.1 * (g - first[name])
                second[name] += 0.01 * (g * g - second[name])
                g = first[name] / (1 - 0.9 ** (step + 1)) / (np.sqrt(second[name] / (1 - 0.99 ** (step + 1))) + 1e-8)
            weights[name] -= np.float32(now) * (g + np.float32(DECAY) * weights[name])
            if AVERAGE:
                average[name] += np.float32(1 - AVERAGE) * (weights[name] - average[name])
    return average if AVERAGE else weights


def main():
    steps, seed = int(sys.argv[1]), int(sys.argv[2])
    weights = train(np.fromfile("train.bin", np.uint8), steps, seed)
    contexts = np.fromfile("contexts.bin", np.uint8).reshape(-1, 16)
    logits = np.concatenate([forward(weights, contexts[i:i + 512])[-1] for i in range(0, len(contexts), 512)])
    logits.astype("<f4").tofile("logits.bin")


if __name__ == "__main__":
    main()
