"""Results as tables to read: a row for each work, medians over the rounds, the spread of the figure that counts."""

import statistics

LARGE = 1 << 20


def median(row, metric):
    return statistics.median(row[metric]) if row.get(metric) else None


def number(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(row, metric):
    """Median, and least to most where there was more than one round."""
    values = row.get(metric)
    if not values:
        return ""
    text = number(statistics.median(values))
    return text if len(values) == 1 else f"{text} ({number(min(values))} to {number(max(values))})"


def table(head, lines):
    if not lines:
        return ""
    return "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *("| " + " | ".join(line) + " |" for line in lines)]) + "\n"


def limits(rows, _ratio):
    return table(["limit", "MB/s", "processor, s per GB"],
                 [[name.removeprefix("limit "), spread(row, "mb_per_second"), number(median(row, "cpu_seconds_per_gb"))]
                  for name, row in rows.items() if name.startswith("limit ")])


def round_trips(rows, ratio):
    return table(["from `/send` to a waiting `/recv`", "p50, us", "p99, us", "p50 of null", "p99 of null"],
                 [[name.replace(" round trip", ","), spread(row, "p50_us"), number(median(row, "p99_us")),
                   ratio(name, "p50_us", "null "), ratio(name, "p99_us", "null ")]
                  for name, row in rows.items() if " round trip " in name])


def messages(rows, ratio):
    def line(name, row):
        large = int(name.split(" send ")[1].split()[0]) >= LARGE
        metric = "mb_per_second" if large else "per_second"
        return [name.replace(" send", ","), spread(row, "per_second") if not large else number(median(row, "per_second")),
                spread(row, "mb_per_second") if large else number(median(row, "mb_per_second")), number(median(row, "p50_us")),
                number(median(row, "p99_us")),
                number(median(row, "cpu_seconds_per_gb")) + " s/GB" if large else number(median(row, "cpu_us_each")) + " us each",
                ratio(name, metric, "limit " if large else "null "), ratio(name, metric, "direct ") if name.startswith("one hop") else ""]

    return table(["`/send`, acknowledged, delivered, compared", "per second", "MB/s", "p50, us", "p99, us", "processor, all nodes",
                  "of the limit", "of direct"], [line(name, row) for name, row in rows.items() if " send " in name])


def calls(rows, ratio):
    return table(["`/mcp`", "per second", "p50, us", "p99, us", "processor, us each", "of null"],
                 [[name.replace(" mcp", ""), spread(row, "per_second"), number(median(row, "p50_us")), number(median(row, "p99_us")),
                   number(median(row, "cpu_us_each")), ratio(name, "per_second", "null ")]
                  for name, row in rows.items() if " mcp, " in name])


def library(rows, ratio):
    return table(["in one process, no HTTP API", "per second", "MB/s", "processor, s per GB", "of the limit"],
                 [[name.removeprefix("library "), spread(row, "per_second"), spread(row, "mb_per_second"),
                   number(median(row, "cpu_seconds_per_gb")), ratio(name, "mb_per_second", "limit ")]
                  for name, row in rows.items() if name.startswith("library ")])


def game_loop(rows, _ratio):
    return table(["two nodes stepped 60 times a second", "`poll()` p50, us", "p99, us", "worst, us"],
                 [[name.removeprefix("game loop "), spread(row, "p50_us"), spread(row, "p99_us"), spread(row, "worst_us")]
                  for name, row in rows.items() if name.startswith("game loop ")])


def rest(rows, _ratio):
    lines = [[name.removeprefix("direct "), spread(row, "rss_mb"), spread(row, "anonymous_mb"),
              number(median(row, "cpu_percent"))] for name, row in rows.items() if "rss_mb" in row and "anonymous_mb" in row]
    text = table(["node", "resident, MB", "anonymous, MB", "processor, %"], lines)
    starts = [[name, spread(row, "ms")] for name, row in rows.items() if "ms" in row]
    return text + "\n" + table(["from exec", "ms"], starts)


def parts(rows, _ratio):
    return table(["part", "ns", "MB/s"], [[name.removeprefix("part "), spread(row, "ns"), number(median(row, "mb_per_second"))]
                                          for name, row in rows.items() if name.startswith("part ")])


SECTIONS = {"Limits of the machine": limits, "Round trips": round_trips, "Messages": messages, "Calls of a service": calls,
            "The library alone": library, "In a game loop": game_loop, "At rest and at the start": rest, "Parts": parts}


def write(path, head, rows, compared):
    """`compared(name, metric)` names the rows that this one is a ratio of, in the same round."""
    def ratio(name, metric, kind):
        for other in compared(name, metric):
            if not other.startswith(kind):
                continue
            pairs = zip(rows[name].get(metric, []), rows.get(other, {}).get(metric, []))
            if found := [value / limit for value, limit in pairs if limit]:
                return f"{statistics.median(found):.2f}"
        return ""

    with open(path, "w", encoding="utf-8") as file:
        file.write(head + "\n")
        for title, section in SECTIONS.items():
            if text := section(rows, ratio).strip():
                file.write(f"\n## {title}\n\n{text}\n")
