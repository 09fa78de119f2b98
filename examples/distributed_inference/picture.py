"""The result as an SVG: tokens a second beside each other as bars, link rates over the tensors' size as lines."""

import math
from xml.sax.saxutils import escape

COLOURS = ["#1b6ca8", "#c8553d", "#3a7d44", "#7b4b94", "#8a8a8a", "#bdbdbd"]
WIDTH, HEIGHT, TOP, BOTTOM = 960, 400, 70, 60
FONT = 'font-family="sans-serif" font-size="12"'


def nice_step(most):
    """Of 1, 2 or 5 times a power of ten: four to ten of it are ``most``."""
    power = 10 ** math.floor(math.log10(most / 4))
    return next(power * one for one in (1, 2, 5, 10) if most / (power * one) <= 10)


def size_text(size):
    for unit, factor in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= factor:
            return f"{size / factor:g} {unit}"
    return f"{size} B"


class Panel:
    """A part of the picture with its own scale of values, from zero."""

    def __init__(self, left, right, most, title, unit):
        self.left, self.right, self.most = left, right, most
        self.out = [f'<text x="{left}" y="28" font-size="15">{escape(title)}</text>',
                    f'<text x="{left}" y="48" fill="#666">{escape(unit)}</text>']
        step = nice_step(most)
        for index in range(int(most / step) + 1):
            y = self.y(index * step)
            self.out.append(f'<path d="M{left} {y:.1f}H{right}" stroke="#ddd"/>'
                            f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{index * step:g}</text>')

    def y(self, value):
        return HEIGHT - BOTTOM - value / self.most * (HEIGHT - TOP - BOTTOM)

    def text(self, x, y, text, anchor="middle", colour="black"):
        self.out.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>')


def bars(panel, names, series):
    """``series``: name -> a value for each of ``names``."""
    group = (panel.right - panel.left) / len(names)
    bar = group * 0.7 / len(series)
    for place, name in enumerate(names):
        middle = panel.left + group * (place + 0.5)
        panel.text(middle, HEIGHT - BOTTOM + 18, name)
        for index, values in enumerate(series.values()):
            x = middle + bar * (index - len(series) / 2)
            y = panel.y(values[place])
            panel.out.append(f'<rect x="{x + 1:.1f}" y="{y:.1f}" width="{bar - 2:.1f}" height="{HEIGHT - BOTTOM - y:.1f}" '
                             f'fill="{COLOURS[index]}"/>')
            panel.text(x + bar / 2, y - 5, f"{values[place]:.0f}")
    for index, name in enumerate(series):
        panel.text(panel.left + 130 * index, HEIGHT - 12, f"■ {name}", "start", COLOURS[index])


def lines(panel, series):
    """``series``: name -> [(size, value), ...]; sizes stand side by side, not to scale."""
    sizes = sorted({size for points in series.values() for size, _ in points})

    def x(size):
        return panel.left + (sizes.index(size) + 0.5) / len(sizes) * (panel.right - panel.left)

    for size in sizes:
        panel.text(x(size), HEIGHT - BOTTOM + 18, size_text(size))
    for index, (name, points) in enumerate(series.items()):
        way = " ".join(f"{x(size):.1f},{panel.y(value):.1f}" for size, value in points)
        dashes = ' stroke-dasharray="6 4"' if name.startswith("plain") else ""
        panel.out.append(f'<polyline points="{way}" fill="none" stroke="{COLOURS[index]}" stroke-width="2"{dashes}/>')
        panel.out += [f'<circle cx="{x(size):.1f}" cy="{panel.y(value):.1f}" r="3" fill="{COLOURS[index]}"/>' for size, value in points]
        panel.text(panel.right + 8, TOP + 12 + 18 * index, name, "start", COLOURS[index])


def write(path, speeds, rates):
    """``speeds``: {series: {processes: tokens a second}}; ``rates``: {series: [(bytes, MB/s)]}."""
    processes = sorted({count for values in speeds.values() for count in values})
    left = Panel(60, 390, 1.1 * max(max(values.values()) for values in speeds.values()), "The model over several processes",
                 "tokens a second")
    bars(left, [f"{count} process{'es' if count > 1 else ''}" for count in processes],
         {name: [values[count] for count in processes] for name, values in speeds.items()})
    right = Panel(460, 800, 1.1 * max(value for points in rates.values() for _, value in points), "Tensors between two processes",
                  "MB a second, over the size of a tensor")
    lines(right, rates)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {FONT}>\n'
                   f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n')
        file.write("\n".join(left.out + right.out) + "\n</svg>\n")
