#!/usr/bin/env python3
"""What tests/golden.sh asks that takes more than the command of the second reader.

check.py kinds IMAGE...          together the images have all that version 1.0 of the format has, but for later generations
check.py example FORMAT.md IMAGE the tables of the page's example give the image's bytes, all of them, and what its frames decode to
check.py damage IMAGE            whichever byte is changed, the reader says that the image is damaged
"""

import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import reader_image  # noqa: E402
from reader_image import Damage, Image, need  # noqa: E402


def read_all(image):
    """Comes by everything that is reached from the root."""
    todo = [(1, image.record(reader_image.NODES, 1))]
    while todo:
        number, node = todo.pop()
        list(image.attributes(node))
        if node.mode >> 12 == reader_image.DIRECTORY:
            todo += [child[1:] for child in image.children(number)]
        elif node.mode >> 12 == reader_image.FILE:
            image.contents(number, node, lambda data, offset: None)
        elif node.mode >> 12 == reader_image.LINK:
            image.target(node)


def kinds(paths):
    found = set()

    def columns(data, count, widths, also=(), original=reader_image.columns):
        tags, values, rest = original(data, count, widths, also)
        found.update(f"tag {tag} of column {number} of {len(widths)}" for number, tag in enumerate(tags) if tag > 1)
        found.update("column plain" if tag == 0 else "column of differences" for tag in tags if tag < 2)
        return tags, values, rest

    reader_image.columns = columns
    for path in paths:
        image = Image(path)
        read_all(image)
        found.update(f"codec {ref.codec} of a {'data block' if table == 6 else 'chunk'}" for table in range(7) for ref in image.tops[table])
        found.update(f"height {len(levels) - 1}" for levels in image.levels)
        found.update(f"{reader_image.TABLES[table]} in chunks" for table in range(7) if image.levels[table][0] > 1)
        found.update(name for name, count in zip(image.root._fields, image.root[:7]) if count > 0)
        found.add("a time" if image.root.timed else "no time")
    wanted = {"tag 2 of column 1 of 3", "tag 3 of column 2 of 3", "column plain", "column of differences", "a time", "no time"}
    wanted |= {f"codec {codec} of a {what}" for codec in (0, 1) for what in ("data block", "chunk")}
    wanted |= {f"height {height}" for height in range(3)} | set(image.root._fields[:7])
    wanted |= {f"{table} in chunks" for table in reader_image.TABLES}
    need(wanted <= found, "no image has", sorted(wanted - found))


def example(page, path):
    """Rows are | offset | `hex` | meaning |; those of decoded bytes, | +offset | ..., follow the row of their frame."""
    with open(page, encoding="utf-8") as file:
        text = file.read().split("\n## 10. An image, byte by byte\n", 1)[1].split("\n## ", 1)[0]
    rows = [(plus, int(at), bytes.fromhex(data)) for plus, at, data in re.findall(r"^\| *(\+?)(\d+) *\| *`([^`]*)` *\|", text, re.M)]
    stored, decoded = bytearray(), {}
    for plus, at, data in rows:
        if not plus:
            frame, into = len(stored), stored
        else:
            into = decoded.setdefault(frame, bytearray())
        need(at == len(into), "offset", at, "follows", len(into), "bytes")
        into += data
    with open(path, "rb") as file:
        need(file.read() == stored, "the example is not the image")
    image = Image(path)
    for refs in image.tops:
        for ref in refs:
            raw = image.block(ref, 0, 2**24, "a block")
            need(raw == (decoded.pop(ref.offset) if ref.codec else stored[ref.offset : ref.offset + ref.raw]), "decoded at", ref.offset)
    need(rows and not decoded, "decoded bytes without a frame:", list(decoded))


def damage(path):
    with open(path, "rb") as file:
        intact = file.read()
    read_all(Image(path))
    with tempfile.NamedTemporaryFile() as file:
        for at in range(len(intact)):
            changed = bytearray(intact)
            changed[at] ^= 1 << at % 8
            file.seek(0)
            file.write(changed)
            file.flush()
            try:
                read_all(Image(file.name))
            except Damage:
                continue
            raise Damage(f"byte {at} was changed, and nothing noticed")


if __name__ == "__main__":
    action, *arguments = sys.argv[1:]
    try:
        {"kinds": lambda *paths: kinds(paths), "example": example, "damage": damage}[action](*arguments)
    except Damage as told:
        sys.exit(f"check.py: {told}")
