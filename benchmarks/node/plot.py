"""Line plots as SVG, both axes logarithmic: no library needed."""

import math
from xml.sax.saxutils import escape

COLOURS = ["#1b6ca8", "#c8553d", "#3a7d44", "#7b4b94", "#b8860b", "#444444"]
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 420, 70, 150, 40, 50


def label(value):
    for unit, size in ("M", 1 << 20), ("k", 1 << 10):
        if value >= size and value % size == 0:
            return f"{value // size} {unit}"
    return f"{value:g}"


def decades(low, high):
    return [10**power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


def lines(path, series, title, x_name, y_name):
    """`series`: name -> [(x, y), ...]. Writes nothing when there is nothing to draw."""
    series = {name: row for name, row in series.items() if row}
    points = [point for row in series.values() for point in row if point[0] > 0 and point[1] > 0]
    if not points:
        return
    ticks = sorted({x for x, _ in points})
    grid = decades(min(y for _, y in points), max(y for _, y in points))
    low_x, high_x = math.log(ticks[0]), math.log(ticks[-1]) if len(ticks) > 1 else math.log(ticks[0]) + 1
    low_y, high_y = math.log(grid[0]), math.log(grid[-1]) if len(grid) > 1 else math.log(grid[0]) + 1

    def at(x, y):
        return (LEFT + (math.log(x) - low_x) / (high_x - low_x) * (WIDTH - LEFT - RIGHT),
                HEIGHT - BOTTOM - (math.log(y) - low_y) / (high_y - low_y) * (HEIGHT - TOP - BOTTOM))

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           f'<text x="{LEFT}" y="22" font-size="15">{escape(title)}</text>']
    for y in grid:
        left, height = at(ticks[0], y)
        out.append(f'<path d="M{left:.1f} {height:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
                   f'<text x="{LEFT - 8}" y="{height + 4:.1f}" text-anchor="end">{y:g}</text>')
    for x in ticks:
        across, _ = at(x, grid[0])
        out.append(f'<text x="{across:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{label(x)}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">{escape(x_name)}</text>'
               f'<text x="16" y="{HEIGHT / 2}" transform="rotate(-90 16 {HEIGHT / 2})" text-anchor="middle">{escape(y_name)}</text>')
    for index, (name, row) in enumerate(series.items()):
        colour = COLOURS[index % len(COLOURS)]
        places = [at(x, y) for x, y in row if x > 0 and y > 0]
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        out.append(f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        out.append(f'<text x="{WIDTH - RIGHT + 12}" y="{TOP + 16 + 18 * index}" fill="{colour}">{escape(name)}</text>')
    out.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")
