"""The run as an SVG: the tree at each moment with who was in the outcome, contributors over time, and the statistics of the start."""

from xml.sax.saxutils import escape

from robot import ZONES

STATES = {"in": ("#1b6ca8", "white", "in the outcome"), "missing": ("#c8553d", "white", "named as missing"),
          "unheard": ("#f0c5b8", "black", "below one that is missing"), "gone": ("white", "#888", "killed")}
MARKS = [("#3a7d44", "complete"), ("#e3a72f", "settling"), ("#c8553d", "somebody is missing")]
LABELS = [("started again", "back"), ("started", "started"), ("hang", "hang"), ("the root", "root killed"), ("killed", "killed")]
WIDTH, TREES, TIMES = 1120, 330, 640  # the trees end, the timeline ends
RADIUS = 13


class Drawing:
    def __init__(self):
        self.out = []

    def text(self, x, y, text, anchor="start", colour="black", size=12):
        self.out.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}">{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, colour="#999", more=""):
        self.out.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}" {more}/>')

    def circle(self, x, y, radius, colour, edge="none", more=""):
        self.out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}" stroke="{edge}" {more}/>')


def places(parents, state):
    """{number: (x, depth)}, x in leaves from the left; who is gone is left out. What has lost its parent stands on top."""
    here = [number for number in parents if state[number] != "gone"]
    below = {number: [] for number in here}
    tops = []
    for number in here:
        parent = parents[number]
        (tops if parent == number or parent not in below else below[parent]).append(number)
    out = {}
    leaves = 0

    def place(number, depth):
        nonlocal leaves
        out[number] = None
        xs = [place(child, depth + 1) for child in below[number] if child not in out]
        if not xs:
            xs = [leaves]
            leaves += 1
        out[number] = (sum(xs) / len(xs), depth)
        return out[number][0]

    for number in tops + here:  # of members that were asked one after the other there may be none on top
        if number not in out:
            place(number, 0)
    return out


def tree(drawing, left, width, title, marks, parents, state):
    drawing.text(left + width / 2, 32, title, "middle", size=15)
    drawing.text(left + width / 2, 50, marks, "middle", "#666")
    spots = places(parents, state)
    leaves = max(x for x, _ in spots.values()) + 1
    depth = max((depth for _, depth in spots.values()), default=0)
    step = min(52, 190 / max(depth, 1))

    def spot(number):
        x, level = spots[number]
        return left + 16 + (x + 0.5) / leaves * (width - 32), 80 + level * step

    for number in spots:
        if parents[number] in spots and parents[number] != number:
            drawing.line(*spot(number), *spot(parents[number]))
    gone = [number for number in parents if number not in spots]
    for number in parents:
        x, y = spot(number) if number in spots else (left + width / 2 + (gone.index(number) - (len(gone) - 1) / 2) * 34, TREES - 32)
        fill, ink, _ = STATES[state[number]]
        drawing.circle(x, y, RADIUS, fill, "#888" if state[number] == "gone" else "none",
                       'stroke-dasharray="3 3"' if state[number] == "gone" else "")
        drawing.text(x, y + 4, str(number), "middle", ink)


def timeline(drawing, watched, events, size):
    left, right, top, bottom = 50, 740, TREES + 90, TIMES - 46
    end = max([asked for asked, _ in watched] + [when for when, _ in events] + [1]) * 1.02
    drawing.text(left, TREES + 40, "What one of them counts, over time", size=15)

    def x(when):
        return left + when / end * (right - left)

    def y(count):
        return bottom - count / size * (bottom - top)

    for count in range(0, size + 1, 3):
        drawing.line(left, y(count), right, y(count), "#ddd")
        drawing.text(left - 8, y(count) + 4, str(count), "end")
    step = next(step for step in (1, 2, 5, 10, 20, 50) if end / step <= 15)
    for when in range(0, int(end) + 1, step):
        drawing.text(x(when), bottom + 18, f"{when} s", "middle")
    for when, text in events:
        if not text.startswith("complete"):
            drawing.line(x(when), top - 10, x(when), bottom, "#444", 'stroke-dasharray="2 4"')
            what = next(short for word, short in LABELS if word in text)
            drawing.text(x(when) + 3, top - (24 if what == "hang" else 12), what, colour="#444")
    for asked, outcome in watched:
        if outcome is None:
            drawing.text(x(asked), y(0) - 4, "×", "middle", "#888")
            continue
        colour = MARKS[2 if outcome["missing"] else 1 if outcome["settling"] else 0][0]
        drawing.circle(x(asked), y(outcome["contributed"]), 3.5, colour)
    for index, (colour, text) in enumerate([*MARKS, ("#888", "× no answer")]):
        drawing.circle(left + 150 * index + 6, TIMES - 8, 4, colour if index < 3 else "none")
        drawing.text(left + 150 * index + 16, TIMES - 4, text, colour=colour)


def zones(drawing, result):
    left, top = 800, TREES + 90
    drawing.text(left, TREES + 40, "By zone, at the start", size=15)
    columns = [("count", "robots", "{:d}"), ("mean", "mean load", "{:.2f}"), ("max", "warmest, °C", "{:.1f}")]
    for index, (_, title, _) in enumerate(columns):
        drawing.text(left + 130 + 80 * index, top - 14, title, "end", "#666")
    for row, zone in enumerate([*ZONES, ""]):
        drawing.text(left, top + 24 * row + 8, zone or "all")
        for index, (kind, _, form) in enumerate(columns):
            value = form.format(result[kind][zone][1]) if zone in result[kind] else "–"
            drawing.text(left + 130 + 80 * index, top + 24 * row + 8, value, "end")
    drawing.text(left, top + 152, f"energy used by all: {result['sum'][''][1]:.2f} Wh")
    drawing.text(left, top + 172, f"lowest battery: {result['min'][''][1]:.2f} %")


def write(path, moments, watched, events, size, result):
    drawing = Drawing()
    shown = moments[:4]
    width = WIDTH / len(shown)
    for index, moment in enumerate(shown):
        tree(drawing, index * width, width, *moment)
    for index, (fill, _, text) in enumerate(STATES.values()):
        drawing.circle(60 + 200 * index, TREES, 6, fill, "#888" if text == "killed" else "none")
        drawing.text(72 + 200 * index, TREES + 4, text)
    timeline(drawing, watched, events, size)
    zones(drawing, result)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {TIMES + 10}" font-family="sans-serif">\n'
                   f'<rect width="{WIDTH}" height="{TIMES + 10}" fill="white"/>\n' + "\n".join(drawing.out) + "\n</svg>\n")
