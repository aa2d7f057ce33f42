#!/usr/bin/env python3
"""What tests/golden.sh asks that takes more than the command of the second reader.

check.py kinds IMAGE...          together the images have all that version 1.0 of the format has, but for later generations
check.py example FORMAT.md IMAGE the tables of the page's example give the image's bytes, all of them, and what its frames decode to
check.py damage IMAGE            whichever byte is changed, and wherever it is cut off, the reader says that the image is damaged
check.py extract DIR IMAGE...    what the reader extracts of each into DIR, by its name: a process for all of them
check.py list DIR IMAGE...       the reader's listing of each into DIR, by its name: a process for all of them
check.py names MEMFS IMAGE       names that would lead outside, or are none, are refused by memfs and by the reader
check.py agree MEMFS COUNT IMAGE...  of images in which one field was changed and all hashes put right, memfs finds none intact
                                 that this reader refuses, and refuses none but for what only verifying has to check
"""

import collections
import contextlib
import os
import random
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import reader  # noqa: E402
import surgery  # noqa: E402
from reader import Damage, Image, need  # noqa: E402

# What memfs says of what only verifying finds [7], after the list there.
ONLY_VERIFYING = (
    "its link count is", "no entry names it", "is not one of its parent", "starts a run that is no directory's", "names this byte",
    "directories have", "names the last", "starts a set that no node has", "no regular file, but has a digest", "root: ", "is no file's", "named twice",
)


def read_all(image):
    """Comes by everything that is reached from the root, and by all chunks."""
    for _, number, node, _ in image.walk():
        image.attributes(node)
        if node.mode >> 12 == reader.FILE:
            collections.deque(image.contents(number, node), 0)
        elif node.mode >> 12 == reader.LINK:
            image.text(node.a + (node.b << 32), node.size)
    for table in range(reader.BLOCKS):
        for number in range(image.levels[table][0]):
            image.chunk(table, number)


def kinds(*paths):
    found = set()

    def columns(data, count, widths, also=(), original=reader.columns):
        tags, values, rest = original(data, count, widths, also)
        found.update(f"tag {tag} of column {number} of {len(widths)}" for number, tag in enumerate(tags) if tag > 1)
        found.update("column plain" if tag == 0 else "column of differences" for tag in tags if tag < 2)
        return tags, values, rest

    reader.columns = columns
    for path in paths:
        image = Image(path)
        read_all(image)
        found.update(f"codec {ref.codec} of a {'data block' if table == 6 else 'chunk'}" for table in range(7) for ref in image.tops[table])
        found.update(f"height {len(levels) - 1}" for levels in image.levels)
        found.update(f"{reader.TABLES[table]} in chunks" for table in range(7) if image.levels[table][0] > 1)
        found.update(name for name, count in zip(image.root._fields, image.root[:7]) if count > 0)
        found.add("a time" if image.root.timed else "no time")
    wanted = {"tag 2 of column 1 of 3", "tag 3 of column 2 of 3", "column plain", "column of differences", "a time", "no time"}
    wanted |= {f"codec {codec} of a {what}" for codec in (0, 1) for what in ("data block", "chunk")}
    wanted |= {f"height {height}" for height in range(3)} | set(image.root._fields[:7])
    wanted |= {f"{table} in chunks" for table in reader.TABLES}
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
            raw = image.block(ref)
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
        for length in (0, 7, 9, 63, 127, 500):
            file.seek(0)
            file.write(intact[:length])
            file.truncate()
            file.flush()
            try:
                read_all(Image(file.name))
            except Damage:
                continue
            raise Damage(f"of {length} bytes nothing noticed that they are not all")


def name_of(path):
    return os.path.basename(path).removesuffix(".mfs")


def extract_into(place, *paths):
    for path in paths:
        reader.extract(Image(path), os.path.join(place, name_of(path)))


def list_into(place, *paths):
    """What the reader refuses has no listing."""
    for path in paths:
        listing = os.path.join(place, name_of(path) + ".txt")
        try:
            with open(listing, "w", encoding="utf-8") as file, contextlib.redirect_stdout(file):
                reader.list_all(Image(path))
        except Damage as damage:
            print(f"check.py: {path}: {damage}", file=sys.stderr)
            os.remove(listing)


def verdicts(memfs, data):
    """What memfs says of an image and its exit code; what the reader says, nothing if it refuses nothing."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        told = subprocess.run([memfs, "verify", "-q", file.name], capture_output=True, text=True, errors="replace", check=False)
        try:
            read_all(Image(file.name))
        except Damage as damage:
            return told.returncode, told.stderr.splitlines(), f"refused: {damage}"
    return told.returncode, told.stderr.splitlines(), ""


def names(memfs, path):
    image = Image(path)
    blocks = [[image.block(ref) for ref in top] for top in image.tops]
    entry = image.record(reader.ENTRIES, 0)
    for name, legal in [(b"a", True), (b"...", True), (b".", False), (b"..", False), (b"", False), (b"/", False), (b"../a", False),
                        (b"a/", False), (b"/a", False), (b"a\0", False), (b"a" * 255, True)]:
        fields = entry._replace(length=len(name))[:4]
        blocks[reader.ENTRIES] = [surgery.encoded(list(zip(fields)), reader.WIDTHS[reader.Entry]) + name]
        code, _, refused = verdicts(memfs, surgery.rebuilt(image, blocks))
        need((code, not refused) == ((0, True) if legal else (3, False)), name, "memfs:", code, "the reader:", refused)


def changed(rng, image, blocks):
    """One field of a record, or one byte of a chunk, is another; or the same again."""
    table = rng.choice([table for table in range(reader.BLOCKS) if blocks[table]])
    chunks, at = list(blocks[table]), rng.randrange(len(blocks[table]))
    kind = [reader.Node, reader.Entry, reader.Extent, reader.Xattr, None, None][table]
    if kind and rng.random() < 0.8:
        records, widths = list(image.chunk(table, at)), reader.WIDTHS[kind]
        row, column = rng.randrange(len(records)), rng.randrange(len(widths))
        old, bits = records[row][column], 8 * widths[column]
        other = [0, 1, old + 1, old - 1, 2**bits - 1, old ^ 1 << rng.randrange(bits), rng.randrange(20), rng.choice(records)[column]]
        new = rng.choice(other) % 2**bits
        records[row] = records[row]._replace(**{kind._fields[column]: new})
        names = b"".join(entry.name for entry in records) if table == reader.ENTRIES else b""
        chunks[at] = surgery.encoded(list(zip(*records))[: len(widths)], widths) + names
        what = f"{reader.TABLES[table]} {at}, record {row}: {kind._fields[column]} {old} -> {new}"
    else:
        where, new = rng.randrange(len(chunks[at])), rng.choice([0, 1, 2, 3, 4, 255, rng.randrange(256)])
        what = f"{reader.TABLES[table]} {at}, byte {where}: {chunks[at][where]} -> {new}"
        chunks[at] = chunks[at][:where] + bytes([new]) + chunks[at][where + 1 :]
    return [chunks if number == table else blocks[number] for number in range(7)], what


def agree(memfs, count, *paths):
    rng, seen, images = random.Random(1), {}, []
    for image in map(Image, paths):
        if max(map(len, image.levels)) == 1:
            images.append((image, [[image.block(ref) for ref in top] for top in image.tops]))
    for number in range(int(count)):
        image, blocks = images[number % len(images)]
        blocks, what = changed(rng, image, blocks)
        code, findings, refused = verdicts(memfs, surgery.rebuilt(image, blocks))
        seen[code, bool(refused)] = seen.get((code, bool(refused)), 0) + 1
        need(code in (0, 3), what, "memfs:", code, findings)
        need(code == 3 or not refused, what, "memfs finds it intact, the reader", refused)
        for finding in [] if refused else findings:
            need(any(text in finding for text in ONLY_VERIFYING), what, "the reader finds nothing, memfs:", finding)
    print("memfs's exit code, whether the reader refused, how often:", seen)
    need(len(seen) == 3, "not all verdicts were met")


if __name__ == "__main__":
    action, *arguments = sys.argv[1:]
    try:
        commands = {"kinds": kinds, "example": example, "damage": damage, "extract": extract_into, "list": list_into, "names": names, "agree": agree}
        commands[action](*arguments)
    except Damage as told:
        sys.exit(f"check.py: {told}")
