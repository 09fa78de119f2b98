"""The research: changes to the configuration block of a source text, drawn from a seed.

Each line of the block names the values that make sense, in order. One or two of them are changed at a time; numbers mostly
go to a value nearby. Of several ideas the one is taken that promises most, by what is known of such changes. A source text
is only ever edited here, never run: it may be a peer's.
"""
import re

BLOCK = re.compile(r"^# --- configuration\n(.*?)^# --- end of configuration$", re.M | re.S)
LINE = re.compile(r"^([A-Z_]{1,32}) = (\"[^\"\n]*\"|[^\s#]+)( *)# (.*)$", re.M)
CHANGE = re.compile(r"([A-Z_]{1,32}) (\"[^\"]*\"|\S+) -> (\"[^\"]*\"|[^\s,:]+)")
UNKNOWN = 0.02  # bits per byte that a change promises which nobody has tried
IDEAS = 6  # of which one is taken
DRAWS = 200  # before giving up on finding so many


def settings(source):
    """name -> (value, values that make sense), as the text has them."""
    block = BLOCK.search(source)
    found = {}
    for name, value, _, comment in LINE.findall(block[1]) if block else ():
        choices = re.findall(r'"[^"]*"|\S+', comment)
        if value in choices and len(choices) > 1:
            found[name] = (value, choices)
    return found


def with_value(source, name, value):
    """The text with one setting changed, its comment at its old place."""

    def line(match):
        width = len(match[2]) + len(match[3])
        return f"{name} = {value.ljust(width)}{'' if len(value) < width else '  '}# {match[4]}" if match[1] == name else match[0]

    block = BLOCK.search(source)
    return source[: block.start(1)] + LINE.sub(line, block[1]) + source[block.end(1):]


def other(rng, value, choices):
    if choices[0].startswith('"') or rng.random() < 0.3:
        return rng.choice([one for one in choices if one != value])
    place = choices.index(value) + rng.choice([-2, -1, 1, 2])
    return choices[place] if 0 <= place < len(choices) else rng.choice([one for one in choices if one != value])


class Experience:
    """What changes have come to, in experiments of one's own and in those that one has heard of.

    It believes what it is told, and is asked only which idea to try first. Bounded: it knows the settings of one text.
    """

    def __init__(self, source):
        self._gains = {(name, value): [] for name, (_, values) in settings(source).items() for value in values}

    def learn(self, description, gain):
        """`gain`: how much lower the measure was than the best before."""
        changes = [(name, value) for name, _, value in CHANGE.findall(description)][:2]
        for change in changes:
            if change in self._gains:
                self._gains[change] = sorted([*self._gains[change], max(-1.0, min(1.0, gain)) / len(changes)])[-50:]

    def promise(self, changes):
        """The mean gain of each that is known, added up; what nobody has tried is worth a try."""
        known = [self._gains.get(change) or [UNKNOWN] for change in changes]
        return sum(sum(gains) / len(gains) for gains in known)


def propose(rng, source, tried, experience):
    """(what it promises, changed text, what was changed), or None. `tried(source)`: somebody has measured this one."""
    known = settings(source)
    ideas = []
    for _ in range(DRAWS if known else 0):
        names = rng.sample(sorted(known), min(len(known), 1 if rng.random() < 0.6 else 2))
        changed, changes, said = source, [], []
        for name in names:
            value, choices = known[name]
            new = other(rng, value, choices)
            changed = with_value(changed, name, new)
            changes.append((name, new))
            said.append(f"{name} {value} -> {new}")
        if not tried(changed):
            ideas.append((experience.promise(changes), changed, ", ".join(said)))
        if len(ideas) == IDEAS:
            break
    return max(ideas, key=lambda idea: idea[0]) if ideas else None
