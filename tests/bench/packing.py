"""Packing: time, CPU, memory and size."""

import os

import trees
from measure import Contestant, Failed, Section, run

FIGURES = ("wall", "cpu", "peak", "size")
TEXT = (
    "wall: from the start of the command to its end, source and result in memory.",
    "CPU: user and system time of all processes of the command.",
    "peak: the largest resident memory of any one of its processes.",
    "size: of the result. M is 1,048,576 bytes, MB a million.",
    "Two threads where a program knows threads; zstd level 3, blocks of 1 MiB, all sharing, unless said.",
    "floor, listing: names, attributes and extended attributes of all, by one thread; "
    "floor, reading: opening, reading and closing every file, on two threads; "
    "floor, zstd: the same bytes in path order, in "
    "blocks of the same size, from memory, each thread its own context; floor: both at once, each thread reading the "
    "files of a block and compressing it. Neither listing the tree nor writing the result is in the other floors.",
)


def ours(bench, tree, name, image, *options, rounds=None, option=None):
    command = bench.memfs.call("pack", "-q", "-f", *options, tree.path, image, threads=bench.threads)
    return Contestant(name, "ours", command, out=image, rounds=rounds, option=option)


def tar(bench, tree, name, long, out):
    parent, base = os.path.split(tree.path)
    zstd = f"zstd -q -f -3 {long} -T{bench.threads} -o '{out}'"
    return Contestant(name, "peer", f"tar -C '{parent}' -cf - '{base}' | {zstd}", out=out, needs=("tar", "zstd"))


def squash(bench, tree, name, block, out, rounds=None):
    command = [
        "mksquashfs",
        tree.path,
        out,
        "-comp",
        "zstd",
        "-Xcompression-level",
        "3",
        "-b",
        block,
        "-processors",
        str(bench.threads),
        "-noappend",
        "-quiet",
        "-no-progress",
    ]
    return Contestant(name, "peer", command, out=out, needs=("mksquashfs",), rounds=rounds)


def floor(bench, tree, name, part, block=1 << 20):
    figures = {"wall": "wall", "cpu": "cpu"}
    if part not in ("list", "read"):
        figures["size"] = "size"
    command = [bench.program("floor"), "-j", str(bench.threads), "-b", str(block), part, tree.path]
    return Contestant(name, "floor", command, measures=figures)


def slow(bench, tree):
    """Those that take long or cannot do the same run once."""
    erofs, sqlar, archive = (bench.path(f"{tree.name}.{end}") for end in ("erofs", "sqlar", "zip"))

    def clear(path):
        return lambda: os.path.exists(path) and os.unlink(path)

    return [
        Contestant(
            "mkfs.erofs lz4hc, 64 KiB",
            "peer",
            ["mkfs.erofs", "--quiet", "-zlz4hc", "-C65536", erofs, tree.path],
            out=erofs,
            needs=("mkfs.erofs",),
            rounds=1,
            before=clear(erofs),
        ),
        Contestant(
            "zip -r",
            "peer",
            ["zip", "-q", "-r", archive, "."],
            out=archive,
            needs=("zip",),
            rounds=1,
            before=clear(archive),
            cwd=tree.path,
        ),
        Contestant(
            "sqlite3 -A",
            "peer",
            ["sqlite3", "-A", "--create", "--file", sqlar, "."],
            out=sqlar,
            needs=("sqlite3",),
            rounds=1,
            before=clear(sqlar),
            cwd=tree.path,
        ),
    ]


def measure_large(bench, tree):
    section = Section("pack large", f"Pack {tree.name}", FIGURES, "wall", TEXT)
    section.text.append(
        "mkfs.erofs, zip and sqlite3: one run. Debian's erofs-utils know lz4 only; with deduplication "
        "they take a minute and more, and were left out."
    )
    mfs = bench.path
    bench.compete(
        section,
        [
            ours(bench, tree, "memfs", mfs("large.mfs")),
            squash(bench, tree, "mksquashfs, 1 MiB", "1M", mfs("large-1m.sq")),
            floor(bench, tree, "floor", "pack"),
            ours(
                bench,
                tree,
                "memfs --share=files",
                mfs("large-files.mfs"),
                "--share",
                "files",
                option=("pack", "--share"),
            ),
            tar(bench, tree, "tar | zstd -3", "", mfs("large.tzst")),
            tar(bench, tree, "tar | zstd -3 --long=27", "--long=27", mfs("large-long.tzst")),
            ours(bench, tree, "memfs --block 16M", mfs("large-16m.mfs"), "--block", "16M"),
            squash(bench, tree, "mksquashfs, 128 KiB", "128K", mfs("large-128k.sq")),
            floor(bench, tree, "floor, listing", "list"),
            floor(bench, tree, "floor, reading", "read"),
            floor(bench, tree, "floor, zstd", "compress"),
            ours(
                bench,
                tree,
                "memfs --share=none",
                mfs("large-none.mfs"),
                "--share",
                "none",
                rounds=1,
                option=("pack", "--share"),
            ),
            ours(bench, tree, "memfs --block 256K", mfs("large-256k.mfs"), "--block", "256K", rounds=1),
            *slow(bench, tree),
        ],
    )
    measure_tables(bench, bench.path("large.mfs"))


def measure_tables(bench, image):
    """How much of an image is no contents, as memfs info tells it."""
    try:
        said = run(bench.memfs.call("info", image), keep=True).out
        facts = {line[:13].strip(): line[13:].split() for line in said.splitlines()}
        stored, whole = int(facts["stored data"][0]), int(facts["image size"][0])
    except (Failed, LookupError, ValueError) as error:
        bench.note(f"memfs info: {error}")
        return
    section = Section(
        "tables",
        "What an image holds besides contents",
        ("size", "share"),
        None,
        (
            "share: of tables, references and root in the image, in percent: its size less the stored bytes "
            "of blocks with contents.",
        ),
    )
    row = section.row("memfs", "ours")
    row.add("size", whole - stored)
    row.add("share", 100 * (whole - stored) / whole)
    bench.sections["tables"] = section


def measure_versions(bench, tree):
    section = Section("pack versions", f"Pack {tree.name}", FIGURES, "wall", ("As above. -l 19: one run.",))
    path = bench.path
    contestants = [
        ours(bench, tree, "memfs", path("versions.mfs")),
        tar(bench, tree, "tar | zstd -3 --long=27", "--long=27", path("versions-long.tzst")),
        squash(bench, tree, "mksquashfs, 1 MiB", "1M", path("versions.sq")),
        floor(bench, tree, "floor", "pack"),
        ours(
            bench,
            tree,
            "memfs --share=files",
            path("versions-files.mfs"),
            "--share",
            "files",
            option=("pack", "--share"),
        ),
        ours(bench, tree, "memfs --block 16M", path("versions-16m.mfs"), "--block", "16M"),
        tar(bench, tree, "tar | zstd -3", "", path("versions.tzst")),
        ours(bench, tree, "memfs -l 19 --block 16M", path("versions-19.mfs"), "-l", "19", "--block", "16M", rounds=1),
    ]
    if bench.quick:  # it takes as long as all the rest
        section.miss(contestants.pop().name, "left out of the quick run")
    bench.compete(section, contestants)


def most(bench):
    """How many small files are many."""
    return 20000 if bench.quick else 1000000


def small(bench, files):
    """Makes so many small files, packs them once, the most of them with peers too, and removes
    them. The image stays; what packing took is kept: wall, peak, size."""
    if files in bench.small:
        return bench.small[files]
    bench.say(f"making and packing {files:,} small files")
    path, image = bench.path(f"small-{files}"), bench.path(f"small-{files}.mfs")
    try:
        tree = trees.generated(bench.program("make_files"), "small", files, path, f"{files:,} small files")
        if files == most(bench):
            took = small_with_peers(bench, tree, image)
        else:
            one = run(bench.memfs.call("pack", "-q", "-f", path, image, threads=bench.threads))
            took = {"wall": one.wall, "peak": one.peak / 2**20}
    finally:
        trees.remove(path)
    bench.small[files] = {**took, "size": os.path.getsize(image) / 1e6, "image": image}
    return bench.small[files]


def small_with_peers(bench, tree, image):
    section = Section(
        "pack small",
        f"Pack {tree.name}",
        FIGURES,
        "wall",
        ("As above, one run each; 50 to 450 bytes a file, a thousand in a directory.",),
    )
    peers = [
        squash(bench, tree, "mksquashfs, 1 MiB", "1M", bench.path("small.sq")),
        tar(bench, tree, "tar | zstd -3", "", bench.path("small.tzst")),
    ]
    bench.compete(section, [ours(bench, tree, "memfs", image), *peers], rounds=1)
    trees.remove(*[peer.out for peer in peers])
    if "memfs" not in section.rows:
        raise Failed(section.missing["memfs"])
    row = section.rows["memfs"]
    return {"wall": row.median("wall"), "peak": row.median("peak") / 2**20}


def measure(bench):
    if "large" in bench.trees:
        measure_large(bench, bench.trees["large"])
    if "versions" in bench.trees:
        measure_versions(bench, bench.trees["versions"])
