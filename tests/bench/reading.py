"""Reading images: verify, list, open, read at random and whole."""

import os
import subprocess

import machine
import packing
import report
import unpacking
from measure import Contestant, Failed, Section, run

WHOLE_TEXT = (
    "memfs verify: wall of the command; reading everything: a process that opens the image, lists it, and reads every "
    "file by memfs_node_read in pieces of 256 KiB, its threads taking the next directory in path order.",
    "floor, decompressing: the frames of the packing floor, which are in memory, on two threads, each its own context; "
    "floor, XXH3: "
    "reading the image file in pieces of 1 MiB and hashing them on one thread.",
    "floor, verifying: reading the frames from a file in memory, decompressing them into 32 MiB in turn, which are new "
    "to the process (of the image of linux 36 MiB are needed again by later files, at one time), and XXH3 over them "
    "before and over what they decode to after; floor, "
    "keeping and copying: decompressing into 128 MiB in turn, which are new to the process, as far back as equal parts "
    "are found, and copying each byte once.",
    "The image is read once before by another process: the floor's frames have just been made, too.",
)
LIST_TEXT = ("wall of the command that lists everything with attributes, into /dev/null.",)
OPEN_TEXT = (
    "open: median of 101 times opening the image, making a filesystem on it and asking for its root's attributes; "
    "all images by one process, which opens them in turn.",
)
RANDOM_TEXT = (
    "2,000 files (in a small tree one for each 640 KB), each once, in an order drawn once, the same for all: "
    "opened by path, read whole, closed; the median of a file. All caches of the filesystem are empty at the start: "
    "the process, and the mount, are new in each round. memfs keeps what it decoded within its default budget "
    "of 256 MiB, squashfuse and the kernel within theirs.",
    "nothing kept: memfs with a budget of 1 MiB, so that each file costs its block anew.",
    "floor: the files themselves in the tree, which is in memory.",
)


def measure_whole(bench, tree):
    image, threads, floor = bench.path("large.mfs"), bench.threads, bench.program("floor")

    def before():
        run(["cat", image])

    readall = bench.program("readall")
    figures = {"wall": "wall"}
    section = Section(
        "whole",
        f"Verify and read all of {tree.name}",
        ("wall", "cpu", "peak"),
        "wall",
        WHOLE_TEXT,
        {"memfs verify --quick": "floor, XXH3"},
    )
    bench.compete(
        section,
        [
            Contestant("memfs verify", "ours", bench.memfs.call("verify", "-q", image, threads=threads), before=before),
            Contestant(
                "floor, decompressing", "floor", [floor, "-j", str(threads), "decompress", tree.path], measures=figures
            ),
            Contestant(
                "floor, verifying", "floor", [floor, "-j", str(threads), "verify", tree.path], measures=figures
            ),
            Contestant(
                "floor, keeping and copying", "floor", [floor, "-j", str(threads), "keep", tree.path], measures=figures
            ),
            Contestant(
                "reading everything, 2 threads",
                "ours",
                [readall, "-j", str(threads), image],
                measures=figures,
                before=before,
            ),
            Contestant(
                "reading everything, 1 thread", "ours", [readall, "-j", "1", image], measures=figures, before=before
            ),
            Contestant(
                "memfs verify --quick",
                "ours",
                bench.memfs.call("verify", "-q", "--quick", image, threads=threads),
                before=before,
            ),
            Contestant("floor, XXH3", "floor", [floor, "hash", image], before=before),
            Contestant("zstd -t of the tar", "scale", ["zstd", "-tq", bench.path("large.tzst")], needs=("zstd",)),
        ],
    )


def measure_list(bench, tree):
    path = bench.path
    section = Section("list", f"List {tree.name}", ("wall", "cpu", "peak"), "wall", LIST_TEXT)
    bench.compete(
        section,
        [
            Contestant("memfs ls -lR", "ours", bench.memfs.call("ls", "-lR", path("large.mfs"))),
            Contestant(
                "sqlite3 -Atv", "peer", ["sqlite3", path(f"{tree.name}.sqlar"), "-Atv"], needs=("sqlite3",)
            ),
            Contestant("unzip -v", "peer", ["unzip", "-v", path(f"{tree.name}.zip")], needs=("unzip",)),
            Contestant("unsquashfs -lls", "peer", ["unsquashfs", "-lls", path("large-128k.sq")], needs=("unsquashfs",)),
            Contestant(
                "zstd -dc | tar -tv", "peer", f"zstd -dcq '{path('large.tzst')}' | tar -tvf -", needs=("tar", "zstd")
            ),
        ],
    )


def measure_open(bench):
    many = packing.most(bench)
    images = {
        "a thousand files": packing.small(bench, 1000)["image"],
        "many files": packing.small(bench, many)["image"],
    }
    said = f"many: {many:,} small files."
    if "large" in bench.trees:
        images["large"] = bench.path("large.mfs")
        said = f"large: {bench.trees['large']}; {said}"
    section = Section("open", "Open in process", ("latency",), None, [*OPEN_TEXT, said])
    bench.sections[section.key] = section
    try:
        for number in range(bench.rounds):
            bench.say(f"{section.title}: round {number + 1} of {bench.rounds}")
            told = run([bench.program("open"), *images.values()], keep=True).measures()
            for place, name in enumerate(images, 1):
                section.row(name, "ours").add("latency", told[f"open {place}"])
    except (Failed, OSError, KeyError) as error:
        for name in images:
            section.miss(name, str(error))
        bench.note(f"opening: {error}")
    report.print_section(section)


# ---- Something mounted ---------------------------------------------------------------


def mount(bench, image):
    point = bench.path("mount")
    os.makedirs(point, exist_ok=True)
    bench.mounts.append(point)
    run(["squashfuse", image, point])
    return point


def unmount(bench, point):
    for command in (["fusermount3", "-u", point], ["fusermount", "-u", point], ["umount", "-l", point]):
        try:
            if not os.path.ismount(point):
                break
            subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        except OSError:
            continue
    if point in bench.mounts and not os.path.ismount(point):
        bench.mounts.remove(point)


def measure_random(bench, tree):
    program, listing, path = bench.program("random"), bench.path("large.list"), bench.path
    figures = {"latency": "median", "wall": "total"}
    tree.list(listing)
    count = str(max(50, min(2000, tree.bytes // 640000)))
    section = Section("random", f"Random files of {tree.name}, uncached", ("latency", "wall"), "latency", RANDOM_TEXT)

    def ours(name, image, *more):
        return Contestant(name, "ours", [program, "-n", count, *more, "image", path(image), listing], measures=figures)

    squash = Contestant(
        "squashfuse, 128 KiB",
        "peer",
        [program, "-n", count, "dir", path("mount"), listing],
        measures=figures,
        needs=("squashfuse",),
        before=lambda: mount(bench, path("large-128k.sq")),
        after=lambda: unmount(bench, path("mount")),
    )
    if machine.fuse():
        section.miss(squash.name, machine.fuse())
    bench.compete(
        section,
        [
            ours("memfs, 1 MiB", "large.mfs"),
            squash,
            ours("memfs, 256 KiB", "large-256k.mfs"),
            ours("memfs, 1 MiB, nothing kept", "large.mfs", "-c", str(1 << 20)),
            Contestant(
                "the files themselves", "floor", [program, "-n", count, "dir", tree.path, listing], measures=figures
            ),
        ],
    )


def measure(bench):
    tree = bench.trees.get("large")
    if tree:
        unpacking.images(bench, tree)
        measure_whole(bench, tree)
        measure_list(bench, tree)
        measure_random(bench, tree)
    measure_open(bench)
