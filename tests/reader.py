#!/usr/bin/env python3
"""A second reader of memfs images, written from format/FORMAT.md alone: a witness for it, and for what else reads images.

reader.py dump IMAGE         header, trailer, root and tables
reader.py list IMAGE         a line an entry, sorted by the bytes of the paths: type, mode, uid, gid, links, size (of a directory:
                             its entries), mtime in nanoseconds, path; target, device or digest; attributes. \\OOO: a byte.
reader.py extract IMAGE DIR  writes it all below DIR, which is empty or not there. As root with owners, setuid, devices: so
                             only if the image is trusted.

Checks what it comes by, as a reader has to, but not all that verifying does. Exit codes: 0 done, 1 something was left out,
2 wrong usage, 3 the image is damaged, of a newer version or none, 4 failed otherwise.
"""

import heapq
import os
import stat
import sys

from reader_image import BLOCK, CHARACTER, DIGESTS, DIRECTORY, FIFO, FILE, KINDS, LINK, NODES, SOCKET, TABLES, Damage, need
from reader_tree import Tree

LETTERS = dict(zip(KINDS, "fdlpscb"))


def escaped(text):
    return "".join(chr(c) if 0x20 < c < 0x7F and c != 0x5C else f"\\{c:03o}" for c in text)


def warn(name, what):
    print(f"reader.py: {escaped(name)}: {what}; left out", file=sys.stderr)
    return False


def dump(tree):
    for record in (tree.header, tree.trailer, tree.root, *tree.earlier):
        print(type(record).__name__.lower() + ":")
        for name, value in zip(record._fields, record):
            print(f"  {name:12} {value.hex(' ') if isinstance(value, bytes) else value}")
    print("message:", escaped(tree.message))
    for name, count, levels, top in zip(TABLES, tree.counts, tree.levels, tree.tops):
        print(f"{name}: {count}, refs by level from 0: {levels}")
        for ref in top:
            print(f"  offset {ref.offset} stored {ref.stored} raw {ref.raw} codec {ref.codec} hash {ref.hash:016x}")


def detail(tree, number, node):
    kind, digest = node.mode >> 12, tree.record(DIGESTS, number)
    need(kind == FILE or digest == 0, "node", number, "is no file but has a digest")
    if kind == LINK:
        return " -> " + escaped(tree.target(node))
    if kind in (CHARACTER, BLOCK):
        return f" {node.a},{node.b}"
    return f" {digest:016x}" if kind == FILE else ""


def list_all(tree):
    # What is below a path sorts behind it: so the least path waiting is the next of all.
    waiting = [(b"/", 1, tree.record(NODES, 1))]
    while waiting:
        path, number, node = heapq.heappop(waiting)
        kind = node.mode >> 12
        size = node.size >> 32 if kind == DIRECTORY else node.size
        attributes = "".join(f" {escaped(name)}={escaped(value)}" for name, value in tree.attributes(node))
        print(f"{LETTERS[kind]} {node.mode & 0o7777:04o} {node.uid} {node.gid} {node.nlink} {size} {node.mtime}", end=" ")
        print(escaped(path) + detail(tree, number, node) + attributes)
        if kind == DIRECTORY:
            for name, below, child in tree.children(number):
                heapq.heappush(waiting, (path.rstrip(b"/") + b"/" + name, below, child))


def make(tree, name, number, node):
    kind = node.mode >> 12
    if kind == FILE:
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        tree.contents(number, node, lambda data, offset: os.pwrite(file, data, offset))
        os.ftruncate(file, node.size)
        os.close(file)
    elif kind == LINK:
        os.symlink(tree.target(node), name)
    elif kind in (FIFO, SOCKET) or os.geteuid() == 0:
        os.mknod(name, stat.S_IFMT(node.mode) | 0o600, os.makedev(node.a, node.b))
    else:
        return warn(name, "only root makes devices")
    return True


def dress(tree, name, node):
    """Owner, attributes, mode and time, in an order in which none undoes another."""
    complete = True
    if os.geteuid() == 0:
        os.chown(name, node.uid, node.gid, follow_symlinks=False)
    for attribute, value in tree.attributes(node):
        try:
            os.setxattr(name, attribute, value, follow_symlinks=False)
        except OSError as error:
            complete = warn(name, f"{escaped(attribute)}: {error.strerror}")
    if node.mode >> 12 != LINK:
        os.chmod(name, node.mode & 0o7777)
    os.utime(name, ns=(node.mtime, node.mtime), follow_symlinks=False)
    return complete


def extract(tree, directory):
    """Goes down by single names, all of them legal, into directories just made: so nothing leads outside."""
    if not os.path.isdir(directory):
        os.mkdir(directory)
    os.chdir(directory)
    if os.listdir(b"."):
        raise FileExistsError(f"{directory} is not empty")
    top, made, complete = os.open(b".", os.O_RDONLY), {}, True
    path, open_directories = [], [(tree.children(1), tree.record(NODES, 1))]
    while open_directories:
        rest, this = open_directories[-1]
        name, number, node = next(rest, (None, None, None))
        if name is None:
            complete &= dress(tree, b".", this)
            open_directories.pop()
            if path:
                path.pop()
                os.chdir(b"..")
        elif node.mode >> 12 == DIRECTORY:
            os.mkdir(name, 0o700)
            os.chdir(name)
            path.append(name)
            open_directories.append((tree.children(number), node))
        elif number in made:
            os.link(made[number], name, src_dir_fd=top, follow_symlinks=False)
        elif make(tree, name, number, node):
            made[number] = b"/".join([*path, name])
            complete &= dress(tree, name, node)
        else:
            complete = False
    return complete


def main(arguments):
    actions = {("dump", 2): dump, ("list", 2): list_all, ("extract", 3): extract}
    action = actions.get((arguments[0], len(arguments))) if arguments else None
    if not action:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        return 1 if action(Tree(arguments[1]), *arguments[2:]) is False else 0
    except Damage as damage:
        print(f"reader.py: {arguments[1]}: {damage}", file=sys.stderr)
        return 3
    except (OSError, ValueError) as error:
        print(f"reader.py: {error}", file=sys.stderr)
        return 4


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
