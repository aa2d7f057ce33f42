"""The records of an image, read from its bytes: written from format/FORMAT.md alone. Numbers in brackets are its sections.

It does the duties of a reader [7], short of verifying: what nobody asks for is not looked at."""

import itertools
import os
import struct
from collections import namedtuple
from functools import lru_cache

import xxhash  # Debian: python3-xxhash
import zstandard  # Debian: python3-zstandard

NODES, ENTRIES, EXTENTS, XATTRS, BLOBS, DIGESTS, BLOCKS = range(7)
TABLES = ("nodes", "entries", "extents", "xattrs", "blobs", "digests", "blocks")
PER_CHUNK = (512, 512, 512, 512, 65536, 512, 1)
REFS_IN_CHUNK, REFS_IN_TOP = 128, 16
# mode >> 12, in the order of the root's counts.
KINDS = FILE, DIRECTORY, LINK, FIFO, SOCKET, CHARACTER, BLOCK = 0o10, 0o4, 0o12, 0o1, 0o14, 0o2, 0o6

# Records that stand field by field [2, 3, 4].
Header = namedtuple("Header", "magic major minor hash_kind hash_width zero incompatible read_only compatible block_size zeros")
Trailer = namedtuple("Trailer", "magic offset previous root length generation root_hash header_hash hash")
Root = namedtuple(
    "Root", "files directories links fifos sockets characters blocks content data raw stored time timed earlier message zero"
)
Earlier = namedtuple("Earlier", "trailer time generation timed")
Table = namedtuple("Table", "count height top zeros")
FORMS = {Header: "<8sHHBB2sQQQI20s", Trailer: "<8sQQQIIQQQ", Root: "<11QqIIII", Earlier: "<QqII", Table: "<QBB6s"}

# Records that stand column by column [5.2 to 5.6], and the columns' widths.
Ref = namedtuple("Ref", "offset stored raw codec hash")
Node = namedtuple("Node", "mode nlink uid gid size mtime xattrs a b")
Entry = namedtuple("Entry", "node length type starts name")
Extent = namedtuple("Extent", "length offset place")
Xattr = namedtuple("Xattr", "name value value_length name_length last")
WIDTHS = {Ref: (8, 4, 4, 1, 8), Node: (2, 4, 4, 4, 8, 8, 4, 4, 4), Entry: (4, 1, 1, 1), Extent: (4, 8, 8), Xattr: (8, 8, 4, 1, 1)}


class Damage(Exception):
    """The image is damaged, of a newer version, or none."""


def need(condition, *what):
    if not condition:
        raise Damage(" ".join(map(str, what)))


def hash_of(data):
    return xxhash.xxh3_64_intdigest(data)


def columns(data, count, widths, also=()):  # [5.1]
    """The tags, the columns, and what follows them. also: which column may have which tag beyond 1."""
    at, tags, values = 0, [], []
    for number, width in enumerate(widths):
        tag = data[at]
        need(tag < 2 or (number, tag) in also, "a column has the tag", tag)
        joined = bytearray(width * count)
        for byte in range(width):
            joined[byte::width] = data[at + 1 + byte * count : at + 1 + (byte + 1) * count]
        column = struct.unpack(f"<{count}{' BH I   Q'[width]}", joined)
        if tag == 1:
            column = list(itertools.accumulate(column, lambda a, b: (a + b) % 256**width))
        tags.append(tag)
        values.append(column)
        at += 1 + width * count
    return tags, values, data[at:]


def ends(stored, lengths):  # [5.5]
    end, offsets = 0, []
    for value, length in zip(stored, lengths):
        offsets.append(value - 1 if value else end)
        end = offsets[-1] + length
    return offsets


def frontier(stored, lengths):  # [5.5]
    front, cursors, places = 0, [0] * 8, []
    for value, length in zip(stored, lengths):
        place = front
        if value:
            cursor, distance = (value - 1) & 7, (value - 1) >> 3
            distance = -(distance + 1) // 2 if distance & 1 else distance // 2
            place = (cursors.pop(cursor) + distance) % 2**64
            cursors.insert(0, place + length)
        need(place < 2**56, "an extent's place is", place)
        front = max(front, place + length)
        places.append(place)
    return places


class Image:
    def __init__(self, path):
        self.file = os.open(path, os.O_RDONLY)
        length = os.fstat(self.file).st_size
        start = os.pread(self.file, 64, 0)
        need(start[:8] == b"\x89MFS\r\n\x1a\n", "not an image")
        need(start[8:10] in (b"", b"\1", b"\1\0"), "of another version of the format")
        need(length >= 352, "truncated")
        self.header = Header(*struct.unpack(FORMS[Header], start))
        self.read_trailer(length, os.pread(self.file, 64, length - 64))
        self.check_header(start)
        self.rest = os.pread(self.file, self.trailer.length, self.trailer.root)
        need(self.trailer.root_hash == hash_of(self.rest), "the root's hash is wrong")
        self.read_root()

    def read_trailer(self, length, end):  # [3]
        self.trailer = t = Trailer(*struct.unpack(FORMS[Trailer], end))
        need(t.magic == b"\x89MFT\r\n\x1a\n", "truncated: no trailer at the end")
        need(t.hash == hash_of(end[:56]), "the trailer's hash is wrong")
        need(t.offset == length - 64 and t.generation >= 1, "the trailer is wrong:", t)
        need(224 <= t.length <= 16384 and 64 <= t.root and t.root + t.length == t.offset, "the root is not before the trailer:", t)
        need(t.previous == 0 if t.generation == 1 else 288 <= t.previous <= t.root - 64, "the trailer before is wrong:", t)

    def check_header(self, start):  # [2]
        h = self.header
        need(self.trailer.header_hash == hash_of(start), "the header's hash is wrong")
        need((h.hash_kind, h.hash_width) == (1, 8) and h.incompatible == 0, "needs what is unknown here:", h)
        need(not any(h.zero + h.zeros), "the header's reserved bytes are not zero")
        need(h.block_size in [2**i for i in range(16, 25)], "the block size is", h.block_size)

    def take(self, form):
        size = struct.calcsize(form)
        need(size <= len(self.rest), "the root is too short")
        values, self.rest = struct.unpack(form, self.rest[:size]), self.rest[size:]
        return values

    def read_root(self):  # [4]
        self.root = r = Root(*self.take(FORMS[Root]))
        need(r.timed <= 1 and (r.timed or not r.time) and not r.zero and r.message <= 4096, "the root is wrong:", r)
        self.read_generations()
        (self.message,) = self.take(f"<{r.message}s")
        need(0 not in self.message, "the message has a NUL")
        self.counts, self.levels, self.tops = zip(*[self.take_table(table) for table in range(7)])
        need(not self.rest, "the root does not end with the last table")
        for table, count in enumerate(self.counts):
            least, most = 2 if table in (NODES, DIGESTS) else 0, 2**40 if table == BLOBS else 2**32 - 1
            need(least <= count <= most, "there are", count, TABLES[table])
        need(self.counts[NODES] == self.counts[DIGESTS], "there are not as many digests as nodes")
        need(1 <= sum(r[:7]) < self.counts[NODES], "the counts of nodes are wrong:", r)
        need(r.raw <= self.counts[BLOCKS] * self.header.block_size, "the sum of raw bytes is wrong:", r)
        need(r.stored <= min(r.raw, self.trailer.root), "the sum of stored bytes is wrong:", r)

    def read_generations(self):
        number, after = self.trailer.generation, self.trailer.root
        need(self.root.earlier == min(32, number - 1), "the root lists", self.root.earlier, "generations")
        self.earlier = [Earlier(*self.take(FORMS[Earlier])) for _ in range(self.root.earlier)]
        need(not self.earlier or self.earlier[0].trailer == self.trailer.previous, "the generations do not begin with the last")
        for g in self.earlier:
            need(64 <= g.trailer < after and g.generation == number - 1, "the generations are wrong:", g)
            need(g.timed <= 1 and (g.timed or not g.time), "the generations are wrong:", g)
            number, after = g.generation, g.trailer

    def take_table(self, number):
        table = Table(*self.take(FORMS[Table]))
        levels = [-(-table.count // PER_CHUNK[number])]
        while levels[-1] > REFS_IN_TOP:
            levels.append(-(-levels[-1] // REFS_IN_CHUNK))
        shape = (len(levels) - 1, levels[-1], bytes(6))
        need((table.height, table.top, table.zeros) == shape, "the table of", TABLES[number], "is wrong:", table)
        need(levels[0] <= self.trailer.root, "there are more chunks than bytes:", TABLES[number], table)
        return table.count, levels, [self.ref_of(*self.take("<QIIB7sQ")) for _ in range(table.top)]

    def ref_of(self, offset, stored, raw, codec, zeros, value):  # [5]
        ref = Ref(offset, stored, raw, codec, value)
        need(64 <= offset and offset + stored <= self.trailer.root, "a block lies outside:", ref)
        need(stored == raw if codec == 0 else codec == 1 and 0 < stored < raw, "a block cannot be:", ref)
        need(not any(zeros), "a ref's reserved bytes are not zero")
        return ref

    def block(self, ref, least, most, what):  # [5]
        what = f"{what} at offset {ref.offset}"
        need(least <= ref.raw <= most, what, "cannot have this many bytes:", ref.raw)
        data = os.pread(self.file, ref.stored, ref.offset)
        need(len(data) == ref.stored and hash_of(data) == ref.hash, what, "has a wrong hash")
        if ref.codec == 0:
            return data
        try:
            frame = zstandard.get_frame_parameters(data)
            need(data[:4] == b"\x28\xb5\x2f\xfd" and frame.dict_id == 0, what, "is no zstd frame, or wants a dictionary")
            need(frame.content_size == ref.raw and frame.window_size <= 2**24, what, "has a wrong content size or window")
            return zstandard.ZstdDecompressor(max_window_size=2**24).decompress(data, allow_extra_data=False)
        except zstandard.ZstdError as error:
            raise Damage(f"{what}: {error}") from error

    def ref(self, table, level, number):  # [1]; goes no deeper than the height, which is at most 4
        if level == len(self.levels[table]) - 1:
            return self.tops[table][number]
        return self.refs(table, level, number // REFS_IN_CHUNK)[number % REFS_IN_CHUNK]

    @lru_cache(1024)
    def refs(self, table, level, chunk):  # [5.2]
        n = min(REFS_IN_CHUNK, self.levels[table][level] - REFS_IN_CHUNK * chunk)
        raw = self.block(self.ref(table, level + 1, chunk), 5 + 25 * n, 5 + 25 * n, "a chunk of refs")
        return [self.ref_of(*values, b"", value) for *values, value in zip(*columns(raw, n, WIDTHS[Ref])[1])]

    @lru_cache(256)
    def chunk(self, table, number):
        first = number * PER_CHUNK[table]
        n = min(PER_CHUNK[table], self.counts[table] - first)
        sizes = {NODES: (9 + 42 * n,), ENTRIES: (4 + 8 * n, 4 + 262 * n), EXTENTS: (3 + 20 * n,), XATTRS: (5 + 22 * n,)}
        sizes |= {BLOBS: (n,), DIGESTS: (1 + 8 * n,)}
        raw = self.block(self.ref(table, 0, number), sizes[table][0], sizes[table][-1], f"a chunk of {TABLES[table]}")
        decode = (self.nodes, self.entries, self.extents, self.xattrs, lambda *_: raw, self.digests)[table]
        return decode(raw, n, first)

    def record(self, table, number):
        return self.chunk(table, number // PER_CHUNK[table])[number % PER_CHUNK[table]]

    def nodes(self, raw, count, first):  # [5.3]
        nodes = [Node(*values) for values in zip(*columns(raw, count, WIDTHS[Node])[1])]
        for number, node in enumerate(nodes, first):
            need(self.legal_node(number, node) if number else not any(node), "node", number, "is wrong:", node)
        return [node._replace(mtime=(node.mtime + 2**63) % 2**64 - 2**63) for node in nodes]

    def legal_node(self, number, node):
        kind, first, entries = node.mode >> 12, node.size % 2**32, node.size >> 32
        if kind not in KINDS or node.nlink < 1 or node.xattrs > self.counts[XATTRS] or (number == 1 and kind != DIRECTORY):
            return False
        if kind == DIRECTORY:
            above = 1 <= node.a < self.counts[NODES] and node.b < self.counts[ENTRIES]
            above = above if number > 1 else node.a == node.b == 0
            return above and first + entries <= self.counts[ENTRIES] and (entries > 0 or first == 0)
        if kind == FILE:
            return node.size < 2**63 and node.a + node.b <= self.counts[EXTENTS] and (node.b > 0 or node.a == 0)
        if kind == LINK:
            return 1 <= node.size <= 4095 and self.legal_blob(node.a + (node.b << 32), node.size)
        return node.size == 0 and (kind in (CHARACTER, BLOCK) or node.a == node.b == 0)

    def entries(self, raw, count, first):  # [5.4]
        _, (nodes, lengths, types, starts), names = columns(raw, count, WIDTHS[Entry])
        need(sum(lengths) == len(names), "the names of entries from", first, "on do not fill the chunk")
        stops = itertools.accumulate(lengths)
        names = [names[stop - length : stop] for stop, length in zip(stops, lengths)]
        entries = list(map(Entry, nodes, lengths, types, starts, names))
        for number, e in enumerate(entries, first):
            need(2 <= e.node < self.counts[NODES] and e.type in KINDS and e.starts <= 1, "entry", number, "is wrong:", e)
            need(e.name not in (b"", b".", b"..") and not {0, 0x2F} & set(e.name), "entry", number, "has an illegal name:", e)
            need(e.starts or number > 0, "the first entry does not start a run")
            need(e.starts or number == first or entries[number - first - 1].name < e.name, "entry", number, "is out of order:", e)
        return entries

    def extents(self, raw, count, first):  # [5.5]
        tags, (lengths, offsets, places), _ = columns(raw, count, WIDTHS[Extent], {(1, 2), (2, 3)})
        if tags[1] == 2:
            offsets = ends(offsets, lengths)
        if tags[2] == 3:
            places = frontier(places, lengths)
        extents = list(map(Extent, lengths, offsets, places))
        for number, e in enumerate(extents, first):
            need(e.length >= 1 and e.offset + e.length < 2**63, "extent", number, "is wrong:", e)
            need(e.place >> 24 < self.counts[BLOCKS], "extent", number, "is in no block:", e)
        return extents

    def xattrs(self, raw, count, first):  # [5.6]
        xattrs = [Xattr(*values) for values in zip(*columns(raw, count, WIDTHS[Xattr])[1])]
        for number, x in enumerate(xattrs, first):
            need(self.legal_blob(x.name, x.name_length) and self.legal_blob(x.value, x.value_length), "xattr", number, "is wrong:", x)
            need(x.name_length >= 1 and x.value_length <= 65536 and x.last <= 1, "xattr", number, "is wrong:", x)
            need(x.value_length or x.value == 0, "xattr", number, "has a place for nothing:", x)
            need(x.last or number + 1 < self.counts[XATTRS], "the last xattr does not end its set")
        return xattrs

    def digests(self, raw, count, _):  # [5.8]
        return columns(raw, count, (8,))[1][0]

    def legal_blob(self, offset, length):  # [5.7]
        return offset + length <= self.counts[BLOBS] and offset % 65536 + length <= 65536

    def blob(self, offset, length):
        return self.chunk(BLOBS, offset // 65536)[offset % 65536 : offset % 65536 + length] if length else b""
