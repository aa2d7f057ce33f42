"""How cost grows: with files, threads, block sizes, levels. One run each, where nothing else is said."""

import os
import statistics

import inmemory
import machine
import packing
import trees
import unpacking
from measure import Curve, Failed, Row, run

FILES_MEMORY = 700  # bytes of memory that a file may take while it is made, frozen and opened again


def attempt(bench, what, how, *arguments):
    """The figures that how returns; without them the run goes on."""
    try:
        return how(*arguments)
    except (Failed, OSError, KeyError) as error:
        bench.note(f"{what}: {error}")
        return {}


def library(bench):
    curve = Curve(
        "library",
        "Files in the library",
        "files",
        {
            "create": "ns a file",
            "freeze": "ns a file",
            "memory": "bytes a file",
            "lookup": "ns",
            "lookup in image": "ns",
            "open": "us",
            "first lookup": "us",
        },
        (
            "A thousand files in a directory, each with its number as contents. create: open, write, close; "
            "freeze: to an "
            "image, on two threads; memory: at the allocator; lookup: memfs_stat by path, 200,000 random ones, in "
            "memory, and in the image when they have been looked up once; "
            "open: as above, but the first time in its process; "
            "first lookup: of one file in an image just opened.",
        ),
    )
    image = bench.path("grow.mfs")
    for exponent in range(3, 6 if bench.quick else 8):
        files = 10**exponent
        if files * FILES_MEMORY > machine.memory("MemAvailable"):
            bench.note(f"{files:,} files in the library: not enough memory")
            continue
        bench.say(f"{files:,} files in the library")
        curve.add(
            files, attempt(bench, "grow", lambda: run([bench.program("grow"), str(files), image], keep=True).measures())
        )
    trees.remove(image)
    bench.grown(curve)


def small(bench):
    operations = ("create", "stat", "read", "unlink")
    curve = Curve(
        "small files",
        "Small files in memory, by how many",
        "files",
        {**{name: "µs" for name in operations}, **{f"tmpfs / memfs, {name}": "×" for name in operations}},
        (
            f"As above; medians of {bench.rounds} runs, each of which makes, asks for and reads every file once, in a process of its own.",
        ),
    )
    for files in (1000, 10000) if bench.quick else (1000, 3000, 10000, 30000, 100000, 300000):
        bench.say(f"{files:,} small files in memory")
        curve.add(files, attempt(bench, "small files in memory", small_point, bench, files, operations))
    bench.grown(curve)


def small_point(bench, files, operations):
    runs = [inmemory.run_small(bench, files) for _ in range(bench.rounds)]
    figures = {}
    for name in operations:
        figures[name] = statistics.median(told[f"{name} memfs"] for told in runs)
        if bench.in_memory:
            figures[f"tmpfs / memfs, {name}"] = statistics.median(
                told[f"{name} tmpfs"] / told[f"{name} memfs"] for told in runs
            )
    return figures


def host(bench):
    curve = Curve(
        "host",
        "Files packed from a directory",
        "files",
        {"pack": "s", "peak": "MiB", "size": "MB", "open": "us"},
        ("Small files as above; pack: wall of memfs pack, two threads; peak: its memory; open: median of 101, one behind the other.",),
    )
    for exponent in range(3, 5 if bench.quick else 7):
        curve.add(10**exponent, attempt(bench, "small files", host_point, bench, 10**exponent))
    bench.grown(curve)


def host_point(bench, files):
    took = packing.small(bench, files)
    opened = run([bench.program("open"), took["image"]], keep=True).measures()["open 1"]
    return {"pack": took["wall"], "peak": took["peak"], "size": took["size"], "open": opened}


def threads(bench, tree):
    curve = Curve(
        "threads",
        f"Threads, {tree.name}",
        "threads",
        {"pack": "s", "verify": "s", "unpack": "s", "read everything": "s", "floor of pack": "s"},
        ("Wall; as above, but for the number of threads, and on all processors.",),
    )
    kept = os.sched_getaffinity(0)
    os.sched_setaffinity(0, bench.processors)
    for count in (1, 2, 4, 8):
        bench.say(f"{count} threads")
        curve.add(count, attempt(bench, "threads", threads_point, bench, tree, count))
    os.sched_setaffinity(0, kept)
    bench.grown(curve)


def threads_point(bench, tree, count):
    memfs, image, out = bench.memfs, bench.path("large.mfs"), bench.path("out")
    figures = {"pack": run(memfs.call("pack", "-q", "-f", tree.path, bench.path("t.mfs"), threads=count)).wall}
    if memfs.knows("verify", "-j"):
        figures["verify"] = run(memfs.call("verify", "-q", image, threads=count)).wall
    if memfs.knows("unpack", "-j"):
        figures["unpack"] = run(memfs.call("unpack", "-q", image, out, threads=count)).wall
        trees.remove(out)
    figures["read everything"] = run([bench.program("readall"), "-j", str(count), image], keep=True).measures()["wall"]
    figures["floor of pack"] = run([bench.program("floor"), "-j", str(count), "pack", tree.path], keep=True).measures()[
        "wall"
    ]
    trees.remove(bench.path("t.mfs"))
    return figures


def pack_sample(bench, sample, *options):
    image = bench.path("sample.mfs")
    took = run(bench.memfs.call("pack", "-q", "-f", *options, sample.path, image, threads=bench.threads))
    return {"size": os.path.getsize(image) / 1e6, "pack": took.wall, "peak": took.peak / 2**20}


def blocks(bench, sample):
    curve = Curve(
        "blocks",
        f"Block sizes, {sample.bytes / 1e6:.0f} MB",
        "KiB",
        {"size": "MB", "pack": "s", "peak": "MiB", "random": "us"},
        ("Every n-th file of the tree; memfs pack -l 3 --block; random: median of 500 files as above, nothing kept.",),
    )
    listing = bench.path("sample.list")
    sample.list(listing)
    for kib in (64, 256, 1024, 4096, 16384) if bench.quick else (2**i for i in range(6, 15)):
        bench.say(f"blocks of {kib} KiB")
        curve.add(kib, attempt(bench, "blocks", blocks_point, bench, sample, listing, kib))
    bench.grown(curve)


def blocks_point(bench, sample, listing, kib):
    figures = pack_sample(bench, sample, "--block", f"{kib}K")
    told = run(
        [bench.program("random"), "-n", "500", "-c", str(1 << 16), "image", bench.path("sample.mfs"), listing],
        keep=True,
    ).measures()
    figures["random"] = told["median"]
    return figures


def levels(bench, sample):
    curve = Curve(
        "levels",
        f"Levels of zstd, {sample.bytes / 1e6:.0f} MB",
        "level",
        {"size": "MB", "pack": "s", "mksquashfs size": "MB", "mksquashfs": "s"},
        ("The same files; memfs pack -l, blocks of 1 MiB; mksquashfs at some levels, the same block size.",),
    )
    for level in (1, 3, 6, 9) if bench.quick else range(1, 20):
        bench.say(f"level {level}")
        figures = attempt(bench, "levels", pack_sample, bench, sample, "-l", level)
        if level in (1, 3, 6, 9, 12, 15, 19) and not machine.lack(["mksquashfs"]):
            figures.update(attempt(bench, "levels", squash_level, bench, sample, level))
        curve.add(level, figures)
    bench.grown(curve)


def squash_level(bench, sample, level):
    out, row = bench.path("sample.sq"), Row("mksquashfs", "peer")
    one = packing.squash(bench, sample, "mksquashfs", "1M", out)
    one.command[one.command.index("-Xcompression-level") + 1] = str(level)
    one.go(row)
    return {"mksquashfs size": row.median("size") / 1e6, "mksquashfs": row.median("wall")}


def measure(bench):
    library(bench)
    small(bench)
    host(bench)
    tree = bench.trees.get("large")
    if not tree:
        return
    unpacking.images(bench, tree)
    threads(bench, tree)
    try:
        sample = trees.sample(tree, bench.path("sample"), 10**7 if bench.quick else 10**8)
    except (Failed, OSError) as error:
        bench.note(f"no sample: {error}")
        return
    blocks(bench, sample)
    levels(bench, sample)
