#!/usr/bin/env python3
"""Images that no command makes, put together from FORMAT.md alone.

surgery.py generations IMAGE OUT   IMAGE, which is one-file.mfs, and two generations behind it: the second has a time and a
                                   message, a longer file and another data block; the third another message, and all else
                                   in common with the second
"""

import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from reader import BLOCKS, DIGESTS, EXTENTS, NODES, TABLES, WIDTHS, Earlier, Extent, Image, Node, Ref, hash_of  # noqa: E402

FIRST_BLOCKS = (BLOCKS, *range(BLOCKS))  # data blocks stand before the tables


def encoded(columns, widths):
    """Columns, all plain [5.1]."""
    planes = bytearray()
    for column, width in zip(columns, widths):
        values = [(value % 256**width).to_bytes(width, "little") for value in column]
        planes += b"\0" + b"".join(bytes(value[byte] for value in values) for byte in range(width))
    return bytes(planes)


def put(out, block):
    """Adds a raw block, and gives the ref to it."""
    out += block
    return Ref(len(out) - len(block), len(block), len(block), 0, hash_of(block))


def close(out, root, message, counts, refs, earlier=()):
    """Adds a root and a trailer [3, 4]; the tables are so small that all refs stand in the root."""
    offset = len(out)
    out += struct.pack("<7Q4Qq4I", *root._replace(earlier=len(earlier), message=len(message)))
    for generation in earlier:
        out += struct.pack("<QqII", *generation)
    out += message
    for table in range(len(TABLES)):
        out += struct.pack("<QBB6x", counts[table], 0, len(refs[table]))
        for ref in refs[table]:
            out += struct.pack("<QIIB7xQ", *ref)
    previous = earlier[0].trailer if earlier else 0
    generation = earlier[0].generation + 1 if earlier else 1
    length, root_hash, header_hash = len(out) - offset, hash_of(bytes(out[offset:])), hash_of(bytes(out[:64]))
    magic = b"\x89MFT\r\n\x1a\n"
    packed = struct.pack("<8sQQQIIQQ", magic, len(out), previous, offset, length, generation, root_hash, header_hash)
    out += packed + struct.pack("<Q", hash_of(packed))


def rebuilt(image, blocks, header=None, root=None):
    """A first generation with these blocks, all raw: for each table those of its chunks."""
    out, refs = bytearray(header or image.header), {}
    for table in FIRST_BLOCKS:
        refs[table] = [put(out, block) for block in blocks[table]]
    stored = sum(ref.stored for ref in refs[BLOCKS])
    close(out, (root or image.root)._replace(stored=stored), image.message, image.counts, refs)
    return bytes(out)


def generations(base, path):
    image = Image(base)
    with open(base, "rb") as file:
        out = bytearray(file.read())
    first = Earlier(len(out) - 64, 0, 1, 0)
    counts, refs, more = list(image.counts), [list(top) for top in image.tops], b"More of it.\n"
    nodes = [image.record(NODES, number) for number in range(3)]
    extent, size = image.record(EXTENTS, 0), nodes[2].size + len(more)
    whole = image.block(refs[BLOCKS][0]) + more

    refs[BLOCKS].append(put(out, more))
    nodes[2] = nodes[2]._replace(size=size, mtime=nodes[2].mtime + 10**9, b=2)
    refs[NODES] = [put(out, encoded(zip(*nodes), WIDTHS[Node]))]
    extents = [extent, Extent(len(more), extent.length, 1 << 24)]
    refs[EXTENTS] = [put(out, encoded(zip(*extents), WIDTHS[Extent]))]
    refs[DIGESTS] = [put(out, encoded([(0, 0, hash_of(whole))], (8,)))]
    counts[EXTENTS] = counts[BLOCKS] = 2
    root = image.root._replace(content=size, data=size, raw=size, stored=size, time=1800000000 * 10**9, timed=1)
    close(out, root, b"The second generation: more of it.", counts, refs, [first])

    second = Earlier(len(out) - 64, root.time, 2, 1)
    close(out, root._replace(time=0, timed=0), "The third: nothing new under the sun, señor.".encode(), counts, refs, [second, first])
    with open(path, "wb") as file:
        file.write(out)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] != "generations":
        sys.exit(__doc__)
    generations(*sys.argv[2:])
