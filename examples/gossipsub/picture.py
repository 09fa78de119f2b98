"""The result as an SVG: the nodes with their links and the mesh of the topic, and how long deliveries took."""

import math
from xml.sax.saxutils import escape

MESH, LINK, BARS, LINE = "#1b6ca8", "#bbb", "#3a7d44", "#c8553d"
WIDTH, HEIGHT, TOP, BOTTOM = 960, 440, 80, 60
FONT = 'font-family="sans-serif" font-size="12"'
STEP = 8  # buckets of 2 % in one bar


def text(x, y, what, anchor="middle", colour="black", size=12):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}">{escape(what)}</text>'


def graph(names, links, mesh):
    """Everybody on a circle. ``links``: for each those that it dialled; ``mesh``: pairs."""
    middle, radius = (210, 240), 135
    places = [(middle[0] + radius * math.sin(turn), middle[1] - radius * math.cos(turn))
              for turn in (2 * math.pi * index / len(names) for index in range(len(names)))]

    def line(first, second, style):
        (x1, y1), (x2, y2) = places[first], places[second]
        return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" fill="none" {style}/>'

    out = [text(20, 28, "The mesh of the topic at the end", "start", size=15),
           f'<path d="M20 44H44" stroke="{MESH}" stroke-width="2"/>', text(50, 48, "mesh", "start", "#666"),
           f'<path d="M100 44H124" stroke="{LINK}" stroke-width="5"/>', text(130, 48, "link that was made", "start", "#666")]
    out += [line(index, other, f'stroke="{LINK}" stroke-width="5"') for index, dials in enumerate(links) for other in dials]
    out += [line(*sorted(pair), f'stroke="{MESH}" stroke-width="1.6"') for pair in sorted(mesh, key=sorted)]
    for name, (x, y) in zip(names, places):
        out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{MESH}" stroke="white" stroke-width="1.5"/>')
        beside = (x - middle[0]) / radius
        anchor = "middle" if abs(beside) < 0.2 else "start" if beside > 0 else "end"
        away = 12 if anchor == "start" else -12 if anchor == "end" else 0
        down = 4 if anchor != "middle" else -14 if y < middle[1] else 24
        out.append(text(x + away, y + down, name, anchor))
    return out


def distribution(latencies, marks, bar, caption):
    """``latencies``: counts by bucket, of 2 % from 1 microsecond on; ``marks``: half and 99 % within, ms."""
    left, right = 470, 930
    groups = {}
    for bucket, count in latencies.items():
        groups[bucket // STEP] = groups.get(bucket // STEP, 0) + count
    low = math.floor(math.log10(1.02 ** (min(groups) * STEP) / 1000))
    high = math.ceil(math.log10(max(1.02 ** ((max(groups) + 1) * STEP) / 1000, bar * 1.2)))
    most = max(groups.values()) / sum(groups.values()) * 100

    def x(milliseconds):
        return left + (math.log10(milliseconds) - low) / (high - low) * (right - left)

    def y(share):
        return HEIGHT - BOTTOM - share / (1.15 * most) * (HEIGHT - TOP - BOTTOM)

    out = [text(left, 28, "From publish to handler", "start", size=15), text(left, 48, caption, "start", "#666"),
           text(left, HEIGHT - 14, "ms, each step a power of ten; the height is the share of all deliveries", "start", "#666")]
    for power in range(low, high + 1):
        at = x(10 ** power)
        out += [f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>', text(at, HEIGHT - BOTTOM + 18, f"{10 ** power:g}")]
    for group, count in sorted(groups.items()):
        begin, end = (x(1.02 ** ((group + more) * STEP) / 1000) for more in (0, 1))
        top = y(count / sum(groups.values()) * 100)
        out.append(f'<rect x="{begin:.1f}" y="{top:.1f}" width="{max(1, end - begin - 1):.1f}" height="{HEIGHT - BOTTOM - top:.1f}" '
                   f'fill="{BARS}"/>')
    for milliseconds, what, row in ((marks[0], "half within", 0), (marks[1], "99 % within", 1)):
        out += [f'<path d="M{x(milliseconds):.1f} {TOP - 6}V{HEIGHT - BOTTOM}" stroke="{LINE}" stroke-width="1.5"/>',
                text(x(milliseconds) + 5, TOP + 6 + 16 * row, f"{what} {milliseconds:.3g} ms", "start", LINE)]
    out += [f'<path d="M{x(bar):.1f} {TOP - 6}V{HEIGHT - BOTTOM}" stroke="#888" stroke-dasharray="5 4"/>',
            text(x(bar), TOP - 12, f"bar: {bar} ms", "middle", "#888"),
            f'<path d="M{left} {HEIGHT - BOTTOM}H{right}" stroke="#888"/>']
    return out


def write(path, names, links, mesh, latencies, marks, bar, caption):
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {FONT}>\n'
                   f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n')
        file.write("\n".join(graph(names, links, mesh) + distribution(latencies, marks, bar, caption)) + "\n</svg>\n")
