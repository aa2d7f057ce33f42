"""Unpacking into memory."""

import os

import packing
import trees
from measure import Contestant, Section

TEXT = (
    "wall, CPU, peak: as for packing; into a directory that does not exist, in memory.",
    "root restores owners, as the peers do then: memfs with --all.",
    "floor: cp -a of the tree. unzip and fsck.erofs: one run.",
)


def images(bench, tree):
    """What there is to be unpacked and read, where packing was not measured before."""
    wanted = {
        "large.mfs": packing.ours(bench, tree, "", bench.path("large.mfs")),
        "large-256k.mfs": packing.ours(bench, tree, "", bench.path("large-256k.mfs"), "--block", "256K"),
        "large-128k.sq": packing.squash(bench, tree, "", "128K", bench.path("large-128k.sq")),
        "large.tzst": packing.tar(bench, tree, "", "", bench.path("large.tzst")),
    }
    for one in packing.slow(bench, tree):
        wanted[os.path.basename(one.out)] = one
    section = Section("images", "Images", ())
    for name, one in wanted.items():
        if not os.path.exists(bench.path(name)):
            bench.say(f"making {name}")
            bench.let(section, one)


def measure(bench):
    if "large" not in bench.trees:
        return
    tree, path, out = bench.trees["large"], bench.path, bench.path("out")
    images(bench, tree)
    section = Section("unpack", f"Unpack {tree.name}", ("wall", "cpu", "peak"), "wall", TEXT)

    def clear():
        trees.remove(out)

    def fresh():
        os.mkdir(out)

    def one(name, kind, command, **more):
        return Contestant(name, kind, command, after=clear, **more)

    threads = bench.threads
    everything = ["--all"] if os.geteuid() == 0 else []
    contestants = [
        one("memfs", "ours", bench.memfs.call("unpack", "-q", *everything, path("large.mfs"), out, threads=threads)),
        one("unsquashfs, 128 KiB", "peer", ["unsquashfs", "-q", "-n", "-p", str(threads), "-d", out, path("large-128k.sq")],
            needs=("unsquashfs",)),
        one("cp -a", "floor", ["cp", "-a", tree.path, out]),
        one("zstd -dc | tar -x", "peer", f"zstd -dcq '{path('large.tzst')}' | tar -C '{out}' -xf -",
            needs=("tar", "zstd"), before=fresh),
        one("fsck.erofs --extract", "peer", ["fsck.erofs", f"--extract={out}", path(f"{tree.name}.erofs")],
            needs=("fsck.erofs",), rounds=1),
        one("unzip", "peer", ["unzip", "-q", "-d", out, path(f"{tree.name}.zip")], needs=("unzip",), rounds=1),
    ]
    if everything:
        contestants.insert(1, one("memfs, without --all", "ours",
                                  bench.memfs.call("unpack", "-q", path("large.mfs"), out, threads=threads)))
    bench.compete(section, contestants)
