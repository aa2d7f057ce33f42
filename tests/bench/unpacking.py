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


def ours(bench, name, out, options):
    command = bench.memfs.call("unpack", "-q", *options, bench.path("large.mfs"), out, threads=bench.threads)
    return Contestant(name, "ours", command)


def peers(bench, tree, out):
    squash, tar = bench.path("large-128k.sq"), bench.path("large.tzst")
    erofs, archive = bench.path(f"{tree.name}.erofs"), bench.path(f"{tree.name}.zip")
    unsquash = ["unsquashfs", "-q", "-n", "-p", str(bench.threads), "-d", out, squash]
    untar = f"mkdir '{out}' && zstd -dcq '{tar}' | tar -C '{out}' -xf -"
    extract = ["fsck.erofs", f"--extract={out}", erofs]
    return [
        Contestant("unsquashfs, 128 KiB", "peer", unsquash, needs=("unsquashfs",)),
        Contestant("cp -a", "floor", ["cp", "-a", tree.path, out]),
        Contestant("zstd -dc | tar -x", "peer", untar, needs=("tar", "zstd")),
        Contestant("fsck.erofs --extract", "peer", extract, needs=("fsck.erofs",), rounds=1),
        Contestant("unzip", "peer", ["unzip", "-q", "-d", out, archive], needs=("unzip",), rounds=1),
    ]


def measure(bench):
    if "large" not in bench.trees:
        return
    tree, out = bench.trees["large"], bench.path("out")
    images(bench, tree)
    section = Section("unpack", f"Unpack {tree.name}", ("wall", "cpu", "peak"), "wall", TEXT)
    if os.geteuid() == 0:
        contestants = [ours(bench, "memfs", out, ["--all"]), ours(bench, "memfs, without --all", out, [])]
    else:
        contestants = [ours(bench, "memfs", out, [])]
    contestants += peers(bench, tree, out)
    for one in contestants:
        one.after = lambda: trees.remove(out)
    bench.compete(section, contestants)
