"""The research: changes to the configuration block of a source text, drawn from a seed.

Each line of the block names the values that make sense, in order. One or two of them are changed at a time; numbers mostly
go to a value nearby. A source text is only ever edited here, never run: it may be a peer's.
"""
import re

BLOCK = re.compile(r"^# --- configuration\n(.*?)^# --- end of configuration$", re.M | re.S)
LINE = re.compile(r"^([A-Z_]{1,32}) = (\"[^\"\n]*\"|[^\s#]+)( *)# (.*)$", re.M)
DRAWS = 200  # before giving up on finding something new


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


def propose(rng, source, tried):
    """A changed text and what was changed, or None. `tried(source)`: somebody has measured this one."""
    known = settings(source)
    if not known:
        return None
    for _ in range(DRAWS):
        names = rng.sample(sorted(known), min(len(known), 1 if rng.random() < 0.6 else 2))
        changed, said = source, []
        for name in names:
            value, choices = known[name]
            new = other(rng, value, choices)
            changed = with_value(changed, name, new)
            said.append(f"{name} {value} -> {new}")
        if not tried(changed):
            return changed, ", ".join(said)
    return None
