"""The same small language model of bytes as train.py, for PyTorch, on a graphics processor where there is one.

    train.py STEPS SEED     in a folder with train.bin and contexts.bin; writes logits.bin

It is given bytes to learn from and the contexts of the bytes that it shall predict, not those bytes themselves: whoever
runs it measures how good its predictions are. The budget is STEPS steps of at most 128 examples.
"""
import math
import sys

import numpy as np
import torch
from torch.nn import functional

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
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "silu": functional.silu}


class Model(torch.nn.Module):
    def __init__(self, data):
        super().__init__()
        self.embedding = torch.nn.Parameter(torch.randn(256, EMBEDDING) * 0.3)
        self.inner = torch.nn.Parameter(torch.randn(CONTEXT * EMBEDDING, HIDDEN) * INIT / math.sqrt(CONTEXT * EMBEDDING))
        self.inner_bias = torch.nn.Parameter(torch.zeros(HIDDEN))
        self.out = torch.nn.Parameter(torch.randn(HIDDEN, 256) * OUTPUT_INIT / math.sqrt(HIDDEN))
        bias = torch.zeros(256)
        if BIAS == "frequency":
            bias = torch.log(torch.bincount(data.long(), minlength=256) + 0.1)
            bias -= bias.mean()
        self.out_bias = torch.nn.Parameter(bias)
        if TABLE != "none":
            self.table = torch.nn.Parameter(torch.zeros(256 if TABLE == "last" else BUCKETS, 256))

    def forward(self, contexts):
        contexts = contexts.long()
        x = self.embedding[contexts[:, -CONTEXT:]].flatten(1)
        logits = ACTIVATIONS[ACTIVATION](x @ self.inner + self.inner_bias) @ self.out + self.out_bias
        if TABLE == "last":
            logits = logits + self.table[contexts[:, -1]]
        elif TABLE == "last two":
            logits = logits + self.table[(contexts[:, -1] + contexts[:, -2] * 31) % BUCKETS]
        return logits


def rate(step, steps):
    if step < WARMUP * steps:
        return (step + 1) / (WARMUP * steps)
    left = 1 - step / steps
    return {"constant": 1, "linear": left, "cosine": 0.5 - 0.5 * math.cos(math.pi * left)}[SCHEDULE]


def train(data, steps, seed):
    torch.manual_seed(seed)
    chance = torch.Generator().manual_seed(seed)
    model = Model(data).to(DEVICE)
    highest = LEARNING_RATE * UNIT[OPTIMIZER]
    if OPTIMIZER == "adam":
        optimizer = torch.optim.AdamW(model.parameters(), highest, betas=(0.9, 0.99), weight_decay=DECAY)
    else:
        optimizer = torch.optim.SGD(model.parameters(), highest, momentum=0.9 if OPTIMIZER == "momentum" else 0, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, steps))
    average = [p.detach().clone() for p in model.parameters()]
    windows = data.unfold(0, 17, 1)
    for _ in range(steps):
        examples = windows[torch.randint(len(windows), (BATCH,), generator=chance)].to(DEVICE)
        loss = functional.cross_entropy(model(examples[:, :-1]), examples[:, -1].long())
        optimizer.zero_grad()
        loss.backward()
        if CLIP:
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        schedule.step()
        if AVERAGE:
            for mean, p in zip(average, model.parameters()):
                mean.lerp_(p.detach(), 1 - AVERAGE)
    if AVERAGE:
        with torch.no_grad():
            for p, mean in zip(model.parameters(), average):
                p.copy_(mean)
    return model


def main():
    torch.set_num_threads(1)
    steps, seed = int(sys.argv[1]), int(sys.argv[2])
    model = train(torch.from_numpy(np.fromfile("train.bin", np.uint8)), steps, seed)
    contexts = torch.from_numpy(np.fromfile("contexts.bin", np.uint8).reshape(-1, 16)).to(DEVICE)
    with torch.no_grad():
        model(contexts).cpu().numpy().astype("<f4").tofile("logits.bin")


if __name__ == "__main__":
    main()
