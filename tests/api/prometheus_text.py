"""A strict reader of the Prometheus text format, version 0.0.4."""

import re

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_HELP = re.compile(rf"# HELP ({_NAME}) (.*)")
_TYPE = re.compile(rf"# TYPE ({_NAME}) (counter|gauge|histogram|summary|untyped)")
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? (\S+)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')
_UNESCAPE = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


class Metrics:
    def __init__(self, text):
        if not text.endswith("\n"):
            raise ValueError("the last line has no end")
        self.samples = {}
        self.types = {}
        helped = current = None
        for line in text[:-1].split("\n"):
            if match := _HELP.fullmatch(line):
                helped = match[1]
            elif match := _TYPE.fullmatch(line):
                if match[1] != helped or match[1] in self.types:
                    raise ValueError(f"{line!r} is not behind its HELP, or comes twice")
                current = match[1]
                self.types[current] = match[2]
            elif match := _SAMPLE.fullmatch(line):
                self._sample(current, match[1], match[2], match[3])
            else:
                raise ValueError(f"no line of the format: {line!r}")

    def _sample(self, current, name, labels, value):
        if name != current:
            raise ValueError(f"{name} stands below {current}")
        if self.types[name] == "counter" and not name.endswith("_total"):
            raise ValueError(f"{name} is a counter by type and not by name")
        key = (name, frozenset(self._labels(labels)))
        if key in self.samples:
            raise ValueError(f"{key} comes twice")
        self.samples[key] = float(value)

    @staticmethod
    def _labels(text):
        found, at = [], 0
        while text and at < len(text):
            match = _LABEL.match(text, at)
            if not match:
                raise ValueError(f"no labels: {text!r}")
            found.append((match[1], re.sub(r'\\["\\n]', lambda part: _UNESCAPE[part[0]], match[2])))
            at = match.end()
        return found

    def __call__(self, name, **labels):
        return self.samples[(name, frozenset(labels.items()))]

    def label_values(self, name, label):
        return {dict(labels)[label] for metric, labels in self.samples if metric == name}
