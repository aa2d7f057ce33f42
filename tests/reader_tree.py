"""The tree in an image: what records mean together. Written from format/FORMAT.md alone; numbers in brackets are its sections."""

import struct
from functools import lru_cache

import xxhash  # Debian: python3-xxhash

from reader_image import BLOCKS, DIGESTS, DIRECTORY, ENTRIES, EXTENTS, NODES, XATTRS, Image, need

PAGE = 4096


class Tree(Image):
    def __init__(self, path):
        super().__init__(path)
        self.passed = 0  # entries, by all directories together

    def target(self, node):
        target = self.blob(node.a + (node.b << 32), node.size)
        need(0 not in target, "a link's target has a NUL byte")
        return target

    def children(self, directory):  # [5.4, 7]
        """Name, number and node of each entry of the directory with this number."""
        size, name = self.record(NODES, directory).size, b""
        first, end = size % 2**32, size % 2**32 + (size >> 32)
        for number in range(first, end):
            self.passed += 1
            need(self.passed <= self.counts[ENTRIES], "directories have entries in common")
            entry = self.record(ENTRIES, number)
            need(entry.starts == (number == first) and name < entry.name, "entry", number, "is in a wrong run:", entry)
            name, node = entry.name, self.record(NODES, entry.node)
            need(node.mode >> 12 == entry.type, "entry", number, "is of another type than its node:", entry)
            need(entry.type != DIRECTORY or (node.a, node.b) == (directory, number), "directory", entry.node, "is elsewhere:", entry)
            yield name, entry.node, node
        need(first == end or end == self.counts[ENTRIES] or self.record(ENTRIES, end).starts, "a run goes on beyond its end:", end)

    def attributes(self, node):  # [5.6]
        """Name and value of each extended attribute."""
        number, name, together = node.xattrs - 1, b"", 0
        need(number < 1 or self.record(XATTRS, number - 1).last, "a set of attributes begins amid another:", number)
        for number in range(number, self.counts[XATTRS]) if node.xattrs else ():
            xattr, before = self.record(XATTRS, number), name
            name = self.blob(xattr.name, xattr.name_length)
            together += len(name) + 1
            need(before < name and 0 not in name and together <= 65536, "the name of xattr", number, "is wrong")
            yield name, self.blob(xattr.value, xattr.value_length)
            if xattr.last:
                return

    @lru_cache(4)
    def data_block(self, number):  # [5.9]
        return self.block(self.ref(BLOCKS, 0, number), 1, self.header.block_size, "a data block")

    def pages(self, node):  # [5.5]
        """Offset and bytes of each page of a file that is not all zeros."""
        start, page, end = 0, b"", 0
        for number in range(node.a, node.a + node.b):
            extent = self.record(EXTENTS, number)
            need(end <= extent.offset, "extent", number, "overlaps the one before:", extent)
            at, end = extent.offset, extent.offset + extent.length
            need(end <= node.size, "extent", number, "goes beyond its file:", extent)
            block, shift = self.data_block(extent.place >> 24), extent.place % 2**24 - at
            need(shift + end <= len(block), "extent", number, "goes beyond its block:", extent)
            while at < end:
                if not page or at >= start + PAGE:
                    if any(page):
                        yield start, page
                    start = at - at % PAGE
                    page = bytearray(min(PAGE, node.size - start))
                stop = min(end, start + PAGE)
                page[at - start : stop - start] = block[shift + at : shift + stop]
                at = stop
        if any(page):
            yield start, page

    def contents(self, number, node, write):  # [5.8]
        """Gives each page that is not all zeros to write(bytes, offset), and checks the digest."""
        digest, end = xxhash.xxh3_64(), 0
        for start, page in self.pages(node):
            if end < start:
                digest.update(struct.pack("<QQ", end, start - end))
            digest.update(page)
            write(page, start)
            end = start + len(page)
        if end < node.size:
            digest.update(struct.pack("<QQ", end, node.size - end))
        need(digest.intdigest() == self.record(DIGESTS, number), "the contents of node", number, "have another digest")
