"""The readings of robot.cpp, and what a question about some of the robots has to come to. Worked out directly, from all values at once."""

from fractions import Fraction

ZONES = ["east", "north", "south", "west"]
SENSORS = {"zone": 1, "charge": 2, "drain": 3, "load": 4, "power": 5, "temperature": 6}
MASK = (1 << 64) - 1


class Robot:
    def __init__(self, seed, number):
        self.seed, self.number = seed, number

    def read(self, sensor, tick, below):
        z = self.seed
        for part in (self.number, SENSORS[sensor], tick):
            z = (z + part + 1) * 0x9E3779B97F4A7C15 & MASK
            z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
            z ^= z >> 27
        return z % below

    def zone(self, tick):
        return ZONES[(self.read("zone", 0, 4) + tick // 40) % 4]

    def battery(self, tick):
        return max(6000 + self.read("charge", 0, 4001) - tick * (1 + self.read("drain", 0, 3)), 0) / 100.0

    def answer(self, name):
        """{group: value}"""
        quantity, tick = name.split("@")
        tick = int(tick)
        if quantity == "battery":
            return {"": self.battery(tick)}
        if quantity == "drained":
            return {"": 100.0 - self.battery(tick)}
        if quantity == "energy":
            return {"": (tick + 1) * (100 + self.read("power", 0, 900)) / 7.0, "who": 1 << self.number}
        value = {"robots": lambda: 1, "load": lambda: self.read("load", tick, 1001) / 1000.0,
                 "temperature": lambda: 15.0 + self.read("temperature", tick, 2000) / 100.0}[quantity]()
        return {"": value, self.zone(tick): value}


def nearest(value):
    """As a node rounds: a whole number stays one, anything else becomes the nearest double."""
    return int(value) if value.denominator == 1 and -(1 << 63) <= value < 1 << 63 else float(value)


def expected(kind, name, robots, key_of):
    """{group: (count, value or list of (value, key))} of these robots."""
    groups = {}
    for robot in robots:
        for group, value in robot.answer(name).items():
            groups.setdefault(group, []).append((value, robot.number))
    out = {}
    for group, pairs in groups.items():
        exact = [Fraction(value) for value, _ in pairs]
        if kind.startswith("top:"):
            ranked = sorted(((value, key_of(number)) for value, number in pairs), key=lambda one: (-one[0], one[1]))
            result = ranked[:int(kind[4:])]
        else:
            result = {"count": len(exact), "sum": nearest(sum(exact)), "min": nearest(min(exact)), "max": nearest(max(exact)),
                      "mean": float(sum(exact) / len(exact))}[kind]
        out[group] = (len(pairs), result)
    return out


def found(kind, outcome):
    """An outcome in the same form."""
    return {group["group"]: (group["count"], [tuple(one) for one in group["top"]] if kind.startswith("top:") else group["value"])
            for group in outcome["groups"]}
