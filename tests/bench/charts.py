"""Charts, by gnuplot, each with a sentence on what it shows, which is made of its figures."""

import os

import machine
from measure import Failed, run

COLOURS = ("#1b6ca8", "#d1495b", "#3c887e", "#edae49", "#6b4e71", "#888888")
HEAD = """set terminal svg size 720,400 font 'sans-serif,12' background '#ffffff'
set output '{out}'
set title '{title}'
set grid linecolor '#dddddd'
set border 3 linecolor '#888888'
set tics nomirror
set key outside right top
"""


class Chart:
    def __init__(self, name, about, title, script, sentence):
        self.name, self.about, self.title, self.script, self.sentence = name, about, title, script, sentence


def quoted(text):
    return text.replace("'", "''")


def lines(curve, figures, axes):
    """A plot of some figures of a curve. axes: commands that set them up."""
    blocks, plots = [], []
    for i, (figure, label, style) in enumerate(figures):
        points = curve.column(figure)
        if not points:
            continue
        blocks.append(f"$d{i} << EOD\n" + "\n".join(f"{x} {y}" for x, y in points) + "\nEOD")
        plots.append(
            f"$d{i} using 1:2 with linespoints linewidth 2 pointtype 7 pointsize 0.6 "
            f"linecolor '{COLOURS[i]}' {style} title '{quoted(label)}'"
        )
    return "\n".join([*blocks, axes, "plot " + ", ".join(plots)]) if plots else None


def at(curve, figure, x):
    return dict(curve.column(figure)).get(x)


def ends(curve, figure):
    """The first and the last value."""
    points = curve.column(figure)
    return points[0][1], points[-1][1]


# ---- One each --------------------------------------------------------------------------


def pack(bench):
    section = bench.sections.get("pack large")
    rows = [row for row in section.rows.values() if row.median("size") and row.median("wall")] if section else []
    if not rows:
        return None
    kinds = {"ours": COLOURS[0], "peer": COLOURS[1], "floor": COLOURS[5]}
    data, plots = [], []
    for kind, colour in kinds.items():
        points = [row for row in rows if row.kind == kind and not row.name.startswith("floor, ")]
        if not points:
            continue
        data.append(
            f"${kind} << EOD\n"
            + "\n".join(f'{r.median("wall")} {r.median("size") / 1e6} "{r.name}"' for r in points)
            + "\nEOD"
        )
        plots.append(
            f"${kind} using 1:2 with points pointtype 7 linecolor '{colour}' notitle, "
            f"${kind} using 1:2:3 with labels left offset 0.7,0.3 font ',9' textcolor '{colour}' noenhanced notitle"
        )
    walls = [row.median("wall") for row in rows]
    script = "\n".join(
        [
            *data,
            "set xlabel 'wall, s'",
            "set ylabel 'size, MB'",
            "set logscale x",
            f"set xrange [{min(walls) * 0.8}:{max(walls) * 3}]",
            "plot " + ", ".join(plots),
        ]
    )
    return Chart("pack", "pack large", section.title + ": time and size", script, pack_sentence(section, rows))


def pack_sentence(section, rows):
    ours = section.rows.get("memfs")
    if not ours or not ours.median("wall"):
        return "Towards the lower left is better."
    peers = [row for row in rows if row.kind == "peer"]
    better = [
        row.name
        for row in peers
        if row.median("wall") < ours.median("wall") and row.median("size") < ours.median("size")
    ]
    told = (
        f"faster and smaller than memfs: {', '.join(better)}"
        if better
        else "no peer is both faster and smaller than memfs"
    )
    return f"Towards the lower left is better; {told}."


def small(bench):
    section = bench.sections.get("small")
    rows = [row for row in section.rows.values() if row.median("times")] if section else []
    if not rows:
        return None
    data = "$d << EOD\n" + "\n".join(f'"{row.name}" {row.median("times")}' for row in rows) + "\nEOD"
    script = "\n".join(
        [
            data,
            "set style fill solid",
            "set boxwidth 0.6",
            "set yrange [0:*]",
            "set ylabel 'times'",
            "set xtics rotate by -20 noenhanced font ',10'",
            "unset key",
            f"plot $d using 0:2:xtic(1) with boxes linecolor '{COLOURS[0]}'",
        ]
    )
    low, high = min(rows, key=lambda r: r.median("times")), max(rows, key=lambda r: r.median("times"))
    return Chart(
        "small",
        "small",
        "Small files: how many times as fast as tmpfs by system calls",
        script,
        f"Between {low.median('times'):.1f} times ({low.name}) and {high.median('times'):.1f} times ({high.name}) "
        "as fast as tmpfs by system calls.",
    )


def library(bench):
    curve = bench.curves.get("library")
    script = curve and lines(
        curve,
        [
            ("create", "create, ns a file", ""),
            ("freeze", "freeze, ns a file", ""),
            ("lookup", "look-up, ns", ""),
            ("lookup in image", "look-up in image, ns", ""),
            ("memory", "memory, bytes a file", ""),
        ],
        "set logscale xy\nset xlabel 'files'\nset format x '10^{%T}'",
    )
    if not script:
        return None
    first, last = ends(curve, "create")
    found, later = ends(curve, "lookup")
    return Chart(
        "library",
        "library",
        "Cost of one file, by how many there are",
        script,
        f"From {curve.points[0][0]:,} to {curve.points[-1][0]:,} files, "
        f"making one goes from {first:,.0f} to {last:,.0f} ns, "
        f"and looking one up from {found:,.0f} to {later:,.0f} ns: the latter is memory that the caches do not hold.",
    )


def small_growth(bench):
    curve = bench.curves.get("small files")
    names = [name for name in curve.figures if name.startswith("tmpfs / memfs, ")] if curve else []
    script = names and lines(
        curve,
        [(name, name.removeprefix("tmpfs / memfs, "), "") for name in names],
        "set logscale x\nset yrange [0:*]\nset xlabel 'files'\nset ylabel 'times'\nset format x '10^{%T}'",
    )
    if not script:
        return None
    told = [f"{name.removeprefix('tmpfs / memfs, ')} {first:.1f} and {last:.1f}" for name in names for first, last in [ends(curve, name)]]
    return Chart(
        "small_growth",
        "small files",
        "Small files: how many times as fast as tmpfs, by how many there are",
        script,
        f"Times as fast as tmpfs with {curve.points[0][0]:,} and with {curve.points[-1][0]:,} files: {', '.join(told)}.",
    )


def opening(bench):
    curve = bench.curves.get("library")
    script = curve and lines(
        curve,
        [("open", "open", ""), ("first lookup", "first look-up", "")],
        "set logscale x\nset yrange [0:*]\nset xlabel 'files'\nset ylabel 'µs'\nset format x '10^{%T}'",
    )
    if not script:
        return None
    first, last = ends(curve, "open")
    return Chart(
        "open",
        "library",
        "Opening an image, by how many files are in it",
        script,
        f"Opening takes {first:,.0f} µs with {curve.points[0][0]:,} files "
        f"and {last:,.0f} µs with {curve.points[-1][0]:,}.",
    )


def host(bench):
    curve = bench.curves.get("host")
    script = curve and lines(
        curve,
        [("pack", "wall, s", ""), ("peak", "peak memory, MiB (right)", "axes x1y2")],
        "set logscale xyy2\nset y2tics\nset xlabel 'files'\nset ylabel 's'\nset format x '10^{%T}'",
    )
    if not script:
        return None
    wall, peak = curve.column("pack")[-1][1], ends(curve, "peak")
    return Chart(
        "host",
        "host",
        "Packing small files of a directory",
        script,
        f"{curve.points[-1][0]:,} files take {wall:.1f} s, {wall * 1e6 / curve.points[-1][0]:.1f} µs each, "
        f"and {peak[1]:,.0f} MiB of memory; "
        f"{curve.points[0][0]:,} take {peak[0]:,.0f} MiB.",
    )


def threads(bench):
    curve = bench.curves.get("threads")
    script = curve and lines(
        curve,
        [(name, name, "") for name in curve.figures],
        "set logscale x 2\nset yrange [0:*]\nset xlabel 'threads'\nset ylabel 'wall, s'",
    )
    if not script or not at(curve, "pack", 2):
        return None
    cores = len(bench.processors)
    gains = [
        f"{name} {values[0] / values[1]:.2f}"
        for name in curve.figures
        for values in [(at(curve, name, 1), at(curve, name, 2))]
        if all(values)
    ]
    return Chart(
        "threads",
        "threads",
        curve.title,
        script,
        f"Times as fast on two threads as on one: {', '.join(gains)}. "
        f"This process has {cores} processors; more threads than that are for the shape of the curve.",
    )


def blocks(bench):
    curve = bench.curves.get("blocks")
    script = curve and lines(
        curve,
        [("size", "size, MB", ""), ("random", "a random file, µs (right)", "axes x1y2")],
        "set logscale x 2\nset logscale y2\nset y2tics\nset yrange [0:*]\n"
        "set xlabel 'block size, KiB'\nset ylabel 'MB'",
    )
    if not script:
        return None
    size, random = ends(curve, "size"), ends(curve, "random")
    return Chart(
        "blocks",
        "blocks",
        curve.title + ": size against reading at random",
        script,
        f"From {curve.points[0][0]:,} KiB to {curve.points[-1][0]:,} KiB "
        f"the image goes from {size[0]:.1f} to {size[1]:.1f} MB, "
        f"and a random file takes {random[1]:,.0f} µs instead of {random[0]:,.0f}.",
    )


def levels(bench):
    curve = bench.curves.get("levels")
    if not curve or not curve.column("pack"):
        return None
    data, plots = [], []
    for i, (size, wall, name) in enumerate(
        (("size", "pack", "memfs"), ("mksquashfs size", "mksquashfs", "mksquashfs"))
    ):
        points = [(v[wall], v[size], x) for x, v in curve.points if wall in v]
        if points:
            data.append(f"$d{i} << EOD\n" + "\n".join(f"{a} {b} {x}" for a, b, x in points) + "\nEOD")
            plots.append(
                f"$d{i} using 1:2 with linespoints linewidth 2 pointtype 7 pointsize 0.6 "
                f"linecolor '{COLOURS[i]}' title '{name}', "
                f"$d{i} using 1:2:3 with labels offset 0,0.8 font ',9' notitle"
            )
    script = "\n".join(
        [*data, "set logscale x", "set xlabel 'wall, s'", "set ylabel 'size, MB'", "plot " + ", ".join(plots)]
    )
    size, wall = ends(curve, "size"), ends(curve, "pack")
    return Chart(
        "levels",
        "levels",
        curve.title + ": time and size at each level",
        script,
        f"Level {curve.points[-1][0]} takes {wall[1] / wall[0]:.0f} times as long "
        f"as level {curve.points[0][0]} and saves "
        f"{100 - 100 * size[1] / size[0]:.0f} % of the size.",
    )


CHARTS = (pack, small, library, small_growth, opening, host, threads, blocks, levels)


def draw(bench, directory):
    """Those for which there are figures, and gnuplot."""
    if machine.lack(["gnuplot"]):
        bench.note("no charts: " + machine.lack(["gnuplot"]))
        return []
    os.makedirs(directory, exist_ok=True)
    drawn, script = [], bench.path("chart.gp")
    for make in CHARTS:
        chart = make(bench)
        if not chart:
            continue
        with open(script, "w", encoding="utf-8") as out:
            out.write(
                HEAD.format(out=os.path.join(directory, chart.name + ".svg"), title=quoted(chart.title))
                + chart.script
                + "\n"
            )
        try:
            run(["gnuplot", script])
            drawn.append(chart)
        except Failed as error:
            bench.note(f"chart {chart.name}: {error}")
    return drawn
