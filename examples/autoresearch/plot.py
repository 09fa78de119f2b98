"""The best-so-far curves as SVG: no library needed."""
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 440, 64, 190, 64, 52
COLOURS = {"shared": "#1b6ca8", "isolated": "#c8553d"}


def ticks(low, high, about=6):
    """Round numbers between the two."""
    step = next(one for power in range(-4, 6) for one in (10.0**power, 2 * 10.0**power, 5 * 10.0**power) if (high - low) / one <= about)
    first = int(low / step)
    return [round(index * step, 6) for index in range(first, int(high / step) + 2) if low - 1e-9 <= index * step <= high + 1e-9]


def curves(path, result):
    """`result`: as run.py writes it."""
    series = [(group, kind, result[kind][group]) for kind in ("mean", "best") for group in ("shared", "isolated")]
    values = [value for _, _, row in series for value in row]
    low, high = min(values), max(values)
    low, high = low - 0.05 * (high - low), high + 0.05 * (high - low)
    last = result["rounds"] + 0.5

    def at(round, value):
        return (LEFT + (round - 1) / (last - 1) * (WIDTH - LEFT - RIGHT), TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM))

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           f'<text x="{LEFT}" y="24" font-size="15">Collaborative autoresearch: best so far</text>',
           f'<text x="{LEFT}" y="44" fill="#666">{result["agents"]} agents, {result["steps"]} training steps an experiment, '
           f'{escape(result["backend"])}, seed {result["seed"]}</text>']
    for value in ticks(low, high):
        _, height = at(1, value)
        out.append(f'<path d="M{LEFT} {height:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
                   f'<text x="{LEFT - 8}" y="{height + 4:.1f}" text-anchor="end">{value:g}</text>')
    for round in ticks(1, last, 12):
        if round == int(round):
            across, _ = at(round, low)
            out.append(f'<text x="{across:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{int(round)}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">experiments of each agent</text>'
               f'<text x="16" y="{HEIGHT / 2}" transform="rotate(-90 16 {HEIGHT / 2})" text-anchor="middle">'
               "validation bits per byte, lower is better</text>")
    for index, (group, kind, row) in enumerate(series):
        points = [at(round, value) for round, value in enumerate(row, 1)]
        way = f"M{points[0][0]:.1f} {points[0][1]:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y in points[1:]) + f"H{WIDTH - RIGHT}"
        style = f'stroke="{COLOURS[group]}" ' + ('stroke-width="2.5"' if kind == "mean" else 'stroke-width="1.2" stroke-dasharray="4 3"')
        out.append(f'<path d="{way}" fill="none" {style}/>')
        place, words = TOP + 14 + 20 * index, f'{result["agents"]} {"that share" if group == "shared" else "each alone"}, {kind}'
        out.append(f'<path d="M{WIDTH - RIGHT + 14} {place - 4}h22" fill="none" {style}/>'
                   f'<text x="{WIDTH - RIGHT + 42}" y="{place}" fill="{COLOURS[group]}">{words}</text>')
    out.append("</svg>")
    path.write_text("\n".join(out) + "\n", encoding="utf-8")
