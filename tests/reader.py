#!/usr/bin/env python3
"""A second reader of memfs images, written from format/FORMAT.md alone; [5.1] and the like are its sections.

reader.py list IMAGE         a line a name: type, mode, uid, gid, links, size, mtime, path; by type; attributes
reader.py extract IMAGE DIR  makes DIR and in it what the image has; owners and devices as root only
It needs python3-zstandard and python3-xxhash, and exits with 3 if it refuses the image."""

import collections, functools, io, itertools, os, struct, sys
from collections import namedtuple
import xxhash
import zstandard

NODES, ENTRIES, EXTENTS, XATTRS, BLOBS, DIGESTS, BLOCKS = range(7)  # the tables [1]
TABLES = ("nodes", "entries", "extents", "xattrs", "blobs", "digests", "blocks")
IN_CHUNK = (512, 512, 512, 512, 65536, 512, 1)
FILE, DIRECTORY, LINK, FIFO, SOCKET, CHARACTER, BLOCK = 0o10, 0o04, 0o12, 0o01, 0o14, 0o02, 0o06  # mode >> 12 [5.3]
LETTERS = {FILE: "f", DIRECTORY: "d", LINK: "l", FIFO: "p", SOCKET: "s", CHARACTER: "c", BLOCK: "b"}

Root = namedtuple("Root", "files directories links fifos sockets characters blocks content data raw stored "
                  "time timed earlier message reserved")  # [4]
Earlier = namedtuple("Earlier", "trailer time generation timed")
# Records in columns, and the widths of these [5.2 to 5.6]. The names of entries stand behind the columns.
Ref = namedtuple("Ref", "offset stored raw codec hash")
Node = namedtuple("Node", "mode nlink uid gid size mtime xattrs a b")
Entry = namedtuple("Entry", "node length type starts name")
Extent = namedtuple("Extent", "length offset place")
Xattr = namedtuple("Xattr", "name value value_length name_length last")
WIDTHS = {Ref: (8, 4, 4, 1, 8), Node: (2, 4, 4, 4, 8, 8, 4, 4, 4), Entry: (4, 1, 1, 1), Extent: (4, 8, 8),
          Xattr: (8, 8, 4, 1, 1)}
hash_of = xxhash.xxh3_64_intdigest

class Damage(Exception): "The image is refused"

def need(condition, *words):
    if not condition: raise Damage(" ".join(map(str, words)))

def columns(data, count, widths, also=()):  # gives their tags, their values, what follows them [5.1]
    tags, values = [], []
    for number, width in enumerate(widths):
        tag, planes, data = data[0], data[1 : 1 + width * count], data[1 + width * count :]
        need(tag < 2 or (number, tag) in also, "a column has tag", tag)  # also: what else is legal
        column = [int.from_bytes(planes[i::count], "little") for i in range(count)]
        for i in range(1, count if tag == 1 else 0):
            column[i] = (column[i] + column[i - 1]) % 256**width
        tags, values = [*tags, tag], [*values, column]
    return tags, values, data

def decode_extents(tags, lengths, offsets, places):  # what tags 2 (ends) and 3 (frontier) say, in place [5.5]
    end, frontier, cursors = 0, 0, [0] * 8
    for i, length in enumerate(lengths):
        if tags[1] == 2:
            offsets[i] = offsets[i] - 1 if offsets[i] else end
            end = offsets[i] + length
        if tags[2] == 3:
            step, places[i] = places[i] - 1, frontier
            if step >= 0:
                cursor, distance = step % 8, step // 8
                places[i] = (cursors.pop(cursor) + (-(distance + 1) // 2 if distance % 2 else distance // 2)) % 2**64
                cursors.insert(0, places[i] + length)
            frontier = max(frontier, places[i] + length)

class Image:
    """root, message; by table: counts of records, levels (counts of refs), tops (refs in the root)."""

    def __init__(self, path):  # header and trailer [2, 3], in the order of [7]
        self.file = open(path, "rb", buffering=0)
        self.chunk, self.refs = functools.lru_cache(24)(self.chunk), functools.lru_cache(24)(self.refs)
        size = os.fstat(self.file.fileno()).st_size
        self.header, end = os.pread(self.file.fileno(), 64, 0), os.pread(self.file.fileno(), 64, max(0, size - 64))
        need(self.header[:8] == b"\x89MFS\r\n\x1a\n", "not an image")
        need(self.header[8:10] == b"\1\0" or size < 10, "an image of a newer version")
        need(size >= 352 and end[:8] == b"\x89MFT\r\n\x1a\n", "truncated")
        *_, kind, width, zeros, features, _, _, self.block_size, rest = struct.unpack("<8sHHBB2sQQQI20s", self.header)
        _, place, previous, self.root_place, length, self.generation, *hashes = struct.unpack("<8sQQQIIQQQ", end)
        need(hashes[1:] == [hash_of(self.header), hash_of(end[:56])], "header or trailer: another hash")
        need(place == size - 64 == self.root_place + length and self.root_place >= 64, "trailer: places")
        before = range(288, self.root_place - 63) if self.generation > 1 else range(self.generation == 1)  # or none
        need(224 <= length <= 16384 and previous in before, "trailer: length of the root, or the trailer before")
        need(features == 0 and (kind, width) == (1, 8), "unknown feature")
        need(not any(zeros + rest) and self.block_size in [2**n for n in range(16, 25)], "header: fields")
        self.open_root(previous, length, io.BytesIO(self.read(self.root_place, length, hashes[0]) + bytes(2**17)))

    def read(self, offset, length, expected):
        data = os.pread(self.file.fileno(), length, offset)
        need(len(data) == length and hash_of(data) == expected, length, "bytes at", offset, "are damaged")
        return data

    def open_root(self, previous, length, packed):  # checks what it can without tables [4]
        def take(form):
            return struct.unpack(form, packed.read(struct.calcsize(form)))  # zeros stand behind the root
        self.root, self.counts, self.levels, self.tops = Root(*take("<7Q4Qq4I")), [], [], []
        need((self.root.reserved, self.root.earlier) == (0, min(32, self.generation - 1)), "root: fields")
        need(self.root.message <= 4096, "root: length of the message")
        earlier = [Earlier(*take("<QqII")) for _ in range(self.root.earlier)]
        for i, one in enumerate(earlier):
            need(one.generation == self.generation - 1 - i, "root: number of an earlier generation")
            need(64 <= one.trailer < earlier[i - 1].trailer if i else one.trailer == previous, "root: trailers")
        need(all(one.timed == 1 or one.timed == one.time == 0 for one in [self.root, *earlier]), "root: a time")
        self.message = take(f"{self.root.message}s")[0]
        need(b"\0" not in self.message, "root: NUL in the message")
        for number, in_chunk in enumerate(IN_CHUNK):
            records, height, count, reserved = take("<QBB6s")
            levels = [-(-records // in_chunk)]
            need(records <= (2**40 if number == BLOBS else 2**32 - 1) and levels[0] <= self.root_place, "root: records")
            while levels[-1] > 16: levels.append(-(-levels[-1] // 128))
            need((height, count, reserved) == (len(levels) - 1, levels[-1], bytes(6)), "root:", TABLES[number])
            refs = [take("<QIIB7sQ") for _ in range(count)]
            need(not any(any(ref[4]) for ref in refs), "root: reserved bytes of a ref")
            self.counts.append(records)
            self.levels.append(levels)
            self.tops.append(self.checked_refs(number, height, 0, [Ref(*ref[:4], ref[5]) for ref in refs]))
        nodes, *_, digests, blocks = self.counts
        need(packed.tell() == length and 2 <= nodes == digests and 1 <= sum(self.root[:7]) < nodes, "root: nodes")
        need(blocks * self.block_size >= self.root.raw >= self.root.stored <= self.root_place, "root: sums")

    def length(self, table, level, number):  # how many refs of the level, or records in level -1, a chunk has
        of, most = (self.levels[table][level], 128) if level >= 0 else (self.counts[table], IN_CHUNK[table])
        return min(most, of - most * number)

    def checked_refs(self, table, level, first, refs):  # their bounds [5]; first: number of the first in its level
        for number, ref in enumerate(refs, first):
            n = self.length(table, level - 1, number)
            high = (9 + 42 * n, 4 + 262 * n, 3 + 20 * n, 5 + 22 * n, n, 1 + 8 * n, self.block_size)[table]
            low, high = (5 + 25 * n,) * 2 if level else ({ENTRIES: 4 + 8 * n, BLOCKS: 1}.get(table, high), high)
            need(64 <= ref.offset and ref.offset + ref.stored <= self.root_place and low <= ref.raw <= high
                 and (ref.stored == ref.raw if ref.codec == 0 else ref.codec == 1 and 0 < ref.stored < ref.raw),
                 f"ref {number} in level {level} of {TABLES[table]} is out of bounds:", ref)
        return refs

    def refs(self, table, level, number):  # a chunk of a level of refs [1]
        if level == len(self.levels[table]) - 1: return self.tops[table]
        block = self.block(self.refs(table, level + 1, number >> 7)[number & 127])
        values = columns(block, self.length(table, level, number), WIDTHS[Ref])[1]
        return self.checked_refs(table, level, 128 * number, list(map(Ref._make, zip(*values))))

    def block(self, ref):  # decoded; the ref was checked. One frame and nothing else [5]
        stored = self.read(ref.offset, ref.stored, ref.hash)
        if ref.codec == 0: return stored
        try:
            frame = zstandard.get_frame_parameters(stored)
            need(stored[:4] == b"\x28\xb5\x2f\xfd" and frame.content_size == ref.raw, "a frame of another kind or size")
            need(frame.dict_id == 0 and frame.window_size <= 2**24, "a frame with a dictionary or too large a window")
            return zstandard.ZstdDecompressor().decompress(stored, max_output_size=ref.raw, allow_extra_data=False)
        except zstandard.ZstdError as error:
            raise Damage(f"zstd: {error}") from error

    def chunk(self, table, number):  # its records, checked; or its bytes; or digests
        n, data = self.length(table, -1, number), self.block(self.refs(table, 0, number >> 7)[number & 127])
        if table in (BLOBS, BLOCKS): return data
        if table == DIGESTS: return columns(data, n, (8,))[1][0]
        kind = (Node, Entry, Extent, Xattr)[table]
        tags, values, names = columns(data, n, WIDTHS[kind], ((1, 2), (2, 3)) if table == EXTENTS else ())
        if table == NODES: values[5] = [time - (time >> 63 << 64) for time in values[5]]
        if table == ENTRIES:
            need(sum(values[1]) == len(names), "names have", len(names), "bytes")
            ends = itertools.accumulate(values[1])
            values.append([names[end - length : end] for end, length in zip(ends, values[1])])
        if table == EXTENTS: decode_extents(tags, *values)
        records = list(map(kind._make, zip(*values)))
        for i, record in enumerate(records):
            need(self.is_legal(table, number * 512 + i, record), TABLES[table], number * 512 + i, record)
            need(table != ENTRIES or record.starts or (records[i - 1].name < record.name if i else number), "names")
        return records

    def is_legal(self, table, number, it):  # what can be told of a record without others [5.3 to 5.6]
        nodes, entries, extents, xattrs, _, _, blocks = self.counts
        if table == ENTRIES:
            return (2 <= it.node < nodes and it.type in LETTERS and it.starts < 2
                    and it.name not in (b"", b".", b"..") and b"/" not in it.name and b"\0" not in it.name)
        if table == EXTENTS:
            return (it.length > 0 and it.offset + it.length < 2**63 and it.place >> 24 < blocks
                    and it.place % 2**24 + it.length <= self.block_size)
        if table == XATTRS:
            return (self.in_blobs(it.name, it.name_length) and self.in_blobs(it.value, it.value_length)
                    and it.name_length > 0 and (it.value_length > 0 or it.value == 0)
                    and it.last < 2 and (it.last == 1 or number + 1 < xattrs))
        kind, a, b, first, count = it.mode >> 12, it.a, it.b, it.size % 2**32, it.size >> 32
        none, named = it.size == a == b == 0, 0 < a < nodes and b < entries if number > 1 else a == b == 0
        if number == 0: return it == (0,) * 9
        return it.nlink > 0 and it.xattrs <= xattrs and (number > 1 or kind == DIRECTORY) and {
            FILE: b <= it.size < 2**63 and a + b <= extents and (b > 0 or a == 0),
            DIRECTORY: named and first + count <= entries and (count > 0 or first == 0), FIFO: none, SOCKET: none,
            LINK: 0 < it.size < 4096 and self.in_blobs(a + (b << 32), it.size), CHARACTER: it.size == 0,
            BLOCK: it.size == 0}.get(kind)

    def in_blobs(self, offset, length):
        return offset + length <= self.counts[BLOBS] and offset % 65536 + length <= 65536
    def text(self, offset, length, nul=b"\0"):
        text = self.chunk(BLOBS, offset >> 16)[offset % 65536 :][:length] if length else b""
        need(not nul or nul not in text, "NUL in a name or a target")
        return text

    def record(self, table, number):
        return self.chunk(table, number // IN_CHUNK[table])[number % IN_CHUNK[table]]

    def attributes(self, node):  # names and values [5.6]
        number, found, last = node.xattrs - 1, {}, node.xattrs == 0
        need(number < 1 or self.record(XATTRS, number - 1).last, "attributes from amid a set")
        while not last:
            _, value, value_length, _, last = xattr = self.record(XATTRS, number)
            name = self.text(xattr.name, xattr.name_length)
            need(name > max(found, default=b""), "order of attributes")
            found[name], number = self.text(value, value_length, None), number + 1
            need(sum(map(len, found)) + len(found) <= 65536, "too many attributes")
        return found

    def contents(self, number, node):  # offset and bytes of each page that is not all zeros [5.5, 5.8]
        state, end = xxhash.xxh3_64(), 0
        for offset, page in itertools.chain(self.pages(node), [(node.size, b"")]):
            state.update((struct.pack("<QQ", end, offset - end) if end < offset else b"") + page)
            end = offset + len(page)
            yield offset, page
        need(state.intdigest() == self.record(DIGESTS, number), "node", number, "has another digest")

    def pages(self, node):
        page, start, end = bytearray(4096), 0, 0
        for number in range(node.a, node.a + node.b):
            length, offset, place = self.record(EXTENTS, number)
            data = self.chunk(BLOCKS, place >> 24)[place % 2**24 :][:length]
            need(end <= offset and len(data) == length and offset + length <= node.size, "extent", number, "misplaced")
            end = offset + length
            for low in range(offset // 4096 * 4096, end, 4096):
                if low > start:
                    yield from [(start, bytes(page))] if any(page) else []
                    page, start = bytearray(4096), low
                page[max(offset - low, 0) : min(end - low, 4096)] = data[max(low - offset, 0) : low + 4096 - offset]
        yield from [(start, bytes(page[: node.size - start]))] if any(page) else []

    def walk(self):  # path, number, node, whether it is a directory's second time: behind what is in it
        todo, left = [(b"", 1, self.record(NODES, 1), False)], self.counts[ENTRIES]
        while todo:
            path, number, node, done = todo.pop()
            yield path, number, node, done
            if not done and node.mode >> 12 == DIRECTORY:
                left, first, name, below = left - (node.size >> 32), node.size % 2**32, b"", []
                need(left >= 0, "directories have more names than there are entries")
                for at in range(first, first + (node.size >> 32)):  # what leads to a node must be what that says [7]
                    child = self.record(NODES, (entry := self.record(ENTRIES, at)).node)
                    need(entry.starts == (at == first) and name < entry.name, "entry", at, "is not of this run")
                    need(child.mode >> 12 == entry.type, "entry", at, "says another type")
                    need(entry.type != DIRECTORY or child[7:] == (number, at), "directory", entry.node, "is elsewhere")
                    name = entry.name
                    below.append((path + b"/" + name, entry.node, child, False))
                todo += [(path, number, node, True), *reversed(below)]

def shown(text):
    return "".join(chr(byte) if 32 < byte < 127 and byte != 92 else f"\\{byte:03o}" for byte in text)

def list_all(image):
    for path, number, node, done in image.walk():
        kind, more = node.mode >> 12, []
        if kind == FILE:
            collections.deque(image.contents(number, node), 0)  # for the digest's sake
            more = [f"{image.record(DIGESTS, number):016x}"]
        elif kind == LINK:
            more = ["->", shown(image.text(node.a + (node.b << 32), node.size))]
        elif kind in (CHARACTER, BLOCK):
            more = [f"{node.a},{node.b}"]
        more += [f"{shown(name)}={shown(value)}" for name, value in image.attributes(node).items()]
        start = (LETTERS[kind], f"{node.mode & 0o7777:04o}", node.uid, node.gid, node.nlink)
        if not done:
            print(*start, node.size >> 32 * (kind == DIRECTORY), node.mtime, shown(path or b"/"), *more)

def extract(image, place):  # works in the directory it has come to: no path is long, none leads elsewhere
    known = {}  # of nodes with several names: held open
    os.chdir(os.path.dirname(place) or ".")
    for path, number, node, done in image.walk():
        kind, name = node.mode >> 12, path.rpartition(b"/")[2] or os.path.basename(place)
        if done:
            os.chdir("..")
        elif kind == DIRECTORY:
            os.mkdir(name, 0o700)
            os.chdir(name)
            continue
        elif number in known:  # given a directory, os.link follows what is in /proc
            os.link(f"/proc/self/fd/{known[number]}", name, src_dir_fd=known[number])
            continue
        elif kind == FILE:
            with open(name, "xb", buffering=0) as file:
                for offset, page in image.contents(number, node):
                    os.pwrite(file.fileno(), page, offset)
                file.truncate(node.size)
        elif kind == LINK:
            os.symlink(image.text(node.a + (node.b << 32), node.size), name)
        else:
            os.mknod(name, node.mode, os.makedev(node.a, node.b))
        if os.geteuid() == 0:  # first: it takes away setuid and capabilities. Permissions last: attributes need some
            os.chown(name, node.uid, node.gid, follow_symlinks=False)
        for key, value in image.attributes(node).items(): os.setxattr(name, key, value, follow_symlinks=False)
        os.utime(name, ns=(node.mtime, node.mtime), follow_symlinks=False)
        if kind != LINK: os.chmod(name, node.mode & 0o7777)
        if node.nlink > 1 and kind != DIRECTORY: known[number] = os.open(name, os.O_PATH | os.O_NOFOLLOW)

if __name__ == "__main__":
    action = {("list", 3): list_all, ("extract", 4): extract}.get(("".join(sys.argv[1:2]), len(sys.argv)))
    try:
        action(Image(sys.argv[2]), *sys.argv[3:]) if action else sys.exit(__doc__)
    except Damage as told:
        print(f"reader.py: {sys.argv[2]}: {told}", file=sys.stderr)
        sys.exit(3)
