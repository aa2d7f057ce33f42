"""Tables, on the terminal and in RESULTS.md."""

import os
import time

import charts
import goals
import machine

# How a figure is shown: heading, divisor, digits.
SHOWN = {
    "wall": ("wall s", 1, 3),
    "cpu": ("CPU s", 1, 2),
    "peak": ("peak MiB", 2**20, 0),
    "size": ("size MB", 1e6, 2),
    "share": ("%", 1, 2),
    "latency": ("µs", 1, 1),
    "memfs": ("memfs µs", 1, 3),
    "plain": ("floor µs", 1, 3),
    "tmpfs": ("tmpfs µs", 1, 3),
    "times": ("tmpfs / memfs", 1, 1),
    "over": ("memfs / floor", 1, 1),
    "value": ("value", 1, 3),
}


def number(value, digits):
    return f"{value:,.{digits}f}"


def cell(series, figure, spread):
    """A median, with least and most if there were several."""
    if not series:
        return ""
    _, divisor, digits = SHOWN[figure]
    if figure == "value" and series.median >= 1000:
        digits = 0
    text = number(series.median / divisor, digits)
    if spread and len(series.values) > 1:
        text += f" ({number(series.low / divisor, digits)}–{number(series.high / divisor, digits)})"
    return text


def best_peer(section):
    medians = [row.median(section.compared) for row in section.rows.values() if row.kind == "peer"]
    return min((median for median in medians if median is not None), default=None)


def floor_of(section, row):
    name = section.floors.get(row.name)
    floors = [r for r in section.rows.values() if r.kind == "floor" and (name is None or r.name == name)]
    return floors[0].median(section.compared) if floors else None


def ratios(section, row, headings):
    """Ours to the best peer, and everybody to the floor."""
    value, peer, floor = row.median(section.compared), best_peer(section), floor_of(section, row)
    cells = {
        "best peer": f"{value / peer:.2f}×" if value and peer and row.kind == "ours" else "",
        "floor": f"{value / floor:.2f}×" if value and floor and row.kind != "floor" else "",
    }
    return [cells[heading] for heading in headings]


def section_table(section):
    headings = []
    if section.compared:
        headings = ["best peer"] if best_peer(section) else []
        headings += ["floor"] if any(row.kind == "floor" for row in section.rows.values()) else []
    lines = [["", *(SHOWN[figure][0] for figure in section.figures), *headings]]
    unit = any(hasattr(row, "unit") for row in section.rows.values())
    lines[0] += ["unit"] if unit else []
    for row in section.rows.values():
        spread = (section.compared or section.figures[0], "latency", "times", "over", "value")
        cells = [cell(row.figures.get(figure), figure, figure in spread) for figure in section.figures]
        lines.append([row.name, *cells, *ratios(section, row, headings), *([row.unit] if unit else [])])
    return lines


def curve_table(curve):
    lines = [[curve.x, *(f"{name}, {unit}" for name, unit in curve.figures.items())]]
    for x, values in curve.points:
        lines.append(
            [
                f"{x:,}",
                *(
                    f"{values[name]:,.4g}"
                    if name in values and values[name] < 1000
                    else f"{values[name]:,.0f}"
                    if name in values
                    else ""
                    for name in curve.figures
                ),
            ]
        )
    return lines


def goal_table(verdicts):
    return [["goal", "wanted", "reached", ""], *([v.goal.name, v.limit, v.measured, v.word] for v in verdicts)]


FLOOR_TEXT = (
    "What some goals ask for, against all that has to be done for it but writing, which the goals' own floors leave out; "
    "and all that against the most that the goal allows: above 1 it cannot be reached. (Of look-up, where a processor may do some of one "
    "part while it waits in the other, it is an estimate. Of small files it is the plain hash below.)"
)


def floor_table(bench):
    def cell(ratio):
        return f"{ratio:.3g}×" if ratio else "not measured"

    rows = [[name, cell(reached), cell(whole)] for name, reached, whole in goals.against_floors(bench)]
    return [["with the whole floor", "reached", "it alone, against the goal"], *rows]


def aligned(lines):
    """As Markdown, with columns that line up."""
    lines = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    rows = [
        "| "
        + " | ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(line, widths))
        )
        + " |"
        for line in lines
    ]
    rule = (
        "|" + "|".join("-" * (width + 2) if i == 0 else "-" * (width + 1) + ":" for i, width in enumerate(widths)) + "|"
    )
    return "\n".join([rows[0], rule, *rows[1:]])


def missing(section):
    return [f"{name}: not measured: {why}" for name, why in section.missing.items()]


def print_table(title, lines, after=()):
    print(f"\n{title}\n\n{aligned(lines)}".replace("\\|", "|"))
    for line in after:
        print(line)
    print(flush=True)


def print_section(section):
    print_table(section.title, section_table(section), missing(section))


def print_curve(curve):
    print_table(curve.title, curve_table(curve))


def print_goals(bench, verdicts):
    print_table(FLOOR_TEXT, floor_table(bench))
    print_table(
        "Goals" + (": meant for linux and tsv; here for include and generated versions" if bench.quick else ""),
        goal_table(verdicts),
    )
    met, judged = sum(v.word == "met" for v in verdicts), sum(v.reached is not None for v in verdicts)
    print(f"{met} of {judged} goals met, {len(verdicts) - judged} not measured", flush=True)


# ---- RESULTS.md -------------------------------------------------------------------------


def listed(lines):
    return "\n".join(f"- {line}" for line in lines)


def preamble(bench):
    facts = machine.description(bench.processors)
    facts["trees"] = "; ".join(str(tree) for tree in bench.trees.values())
    facts["where"] = (
        "/dev/shm: everything lies in memory"
        if bench.in_memory
        else "a temporary directory: its filesystem is measured too"
    )
    facts[
        "took"
    ] = f"{(time.monotonic() - bench.begin) / 60:.0f} minutes; {bench.rounds} rounds; all on {bench.threads} processors, but for the curves over threads"
    programs = ", ".join(f"{name}: {version}" for name, version in machine.versions().items())
    return f"""# Results

Written by `make bench` on {time.strftime('%Y-%m-%d')}; {bench.measured}. Compare only figures of one run.

{listed(f'{key}: {value}' for key, value in facts.items())}
- programs: {programs}

Commands that are compared take turns: each round runs all of them once. A figure is the median of the rounds, with the
least and the most in brackets. The columns *best peer* and *floor* are ratios of medians: of the fastest peer in
the table, and of what is to be done in any case.
"""


def results(bench, verdicts, drawn):
    parts = [preamble(bench), "## Goals\n\n" + aligned(goal_table(verdicts))]
    parts.append(FLOOR_TEXT + "\n\n" + aligned(floor_table(bench)))
    if bench.notes:
        parts.append("What could not be had or measured:\n\n" + listed(bench.notes))
    for item in [*bench.sections.values(), *bench.curves.values()]:
        table = section_table(item) if hasattr(item, "rows") else curve_table(item)
        text = "\n".join(item.text + (missing(item) if hasattr(item, "missing") else []))
        parts.append(f"## {item.title}\n\n{text}\n\n{aligned(table)}")
        parts += [
            f"![{chart.title}](charts/{chart.name}.svg)\n\n{chart.sentence}"
            for chart in drawn
            if chart.about == item.key
        ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def write(bench, verdicts, here):
    drawn = charts.draw(bench, os.path.join(here, "charts"))
    with open(os.path.join(here, "RESULTS.md"), "w", encoding="utf-8") as out:
        out.write(results(bench, verdicts, drawn))
