"""The operations in memory, against a plain hash, against tmpfs by system calls, and against memcpy."""

import os

import report
import trees
from measure import Failed, Section, run

PAIRS = (
    # name in the table, measure of small.c
    ("create, write 100 bytes, close", "create"),
    ("stat by path, random", "stat"),
    ("open, read, close, random", "read"),
    ("overwrite and read 16 bytes", "overwrite"),
    ("list with attributes, an entry", "list"),
    ("unlink", "unlink"),
    ("create, write 100 bytes, close, again", "create again"),
    ("create, write 100 bytes, close, beside a thread", "create beside"),
    ("stat by path, random, beside a thread", "stat beside"),
    ("open, read, close, random, beside a thread", "read beside"),
    ("unlink, beside a thread", "unlink beside"),
)
SINGLE = {
    "lookup": "look-up by path, 6 levels, a million files",
    "lookup, cached": "of thirty of them, again and again",
    "lookup, waits": "floor: waiting for memory twice",
    "lookup without attributes": "the same by memfs_resolve",
    "lookup 2 threads on one": "2 threads on one filesystem, together",
    "lookup 2 threads on two": "2 threads on two, together",
    "lookup in image, first pass": "opened from its image, first pass",
    "lookup in image": "opened from its image, resident",
    "large write memfs": "write 1 GiB in pieces of 1 MiB",
    "large write memcpy": "memcpy of it into freshly mapped memory",
    "large read memfs": "read 1 GiB in pieces of 1 MiB",
    "large read memcpy": "memcpy of it into one buffer",
    "view": "view 1 GiB",
    "view pieces": "views that this takes",
    "view copied": "bytes copied by it",
    "append, tenth": "append of a byte, of 1,000,000",
    "append": "append of a byte, of 10,000,000",
    "bytes of an empty file": "memory of an empty file",
    "bytes of a file of 100": "memory of a file of 100 bytes",
}
SMALL_FILES = {False: 200000, True: 10000}  # quick or not
SMALL_TEXT = (
    "200,000 files of 100 bytes in 1,000 directories, the same relative paths for all, prepared in the order in which "
    "they are asked for: "
    "memfs by its calls by path in this process, with the clock of the last tick, as tmpfs has it, too, and "
    "without credentials; tmpfs by system calls, the working directory being there. A time is "
    "the mean over all files in one run; of the runs it is the median. Before files are made more memory than they "
    "take is touched and given back, for all: in a virtual machine it may have to be found first by the host. "
    "Again: after all were removed. Beside a thread: another one is there, and sleeps; else the process has only one, "
    "and memfs does without locked instructions, as the kernel does for the descriptors of such a process.",
    "floor: a plain chained hash over directory and name with a record of 64 bytes a file, in this process, in long "
    "mappings of huge pages: no threads, no errors, no handles, no permissions, nothing that a failure would leave "
    "as it was (tests/bench/plain.h).",
)
SINGLE_TEXT = (
    "Look-up: memfs_stat of each of a million files once, in random order, on paths of six names, "
    "ten entries a directory, the "
    "paths prepared; millions a second, the median of five passes behind one that is not measured. Of floor and two "
    "threads also the median of five. "
    "Two threads: what both do together, one starting half-way. Floor: reading, "
    "from tables of the same sizes, in huge pages, two slots that a hash points to, and then an entry and a node of the "
    "file and of its directory at random, each time before the next path.",
    "Writing: memfs_write to a new file, against memcpy of the same piece into memory freshly mapped, without madvise. "
    "Reading: memfs_node_read into one buffer of 1 MiB, against memcpy into the same. "
    "View: memfs_node_view of all of it; copied are "
    "bytes whose address differs when asked for twice, and memory that was taken.",
    "Memory: bytes held from the allocator, over the number of files "
    "(a million in a thousand directories, names of 16 bytes).",
)


def run_small(bench, files):
    """What one run of small.c told: {"create memfs": µs a file, ...}."""
    there = bench.path("tmpfs")
    os.makedirs(there, exist_ok=True)
    try:
        where = ["--tmpfs", there] if bench.in_memory else []
        return run([bench.program("small"), *where, str(files)], keep=True).measures()
    finally:
        trees.remove(there)


def measure(bench):
    bench.say("operations in memory")
    small = Section("small", "Small files in memory", ("memfs", "plain", "tmpfs", "times", "over"), None, SMALL_TEXT)
    single = Section("single", "Look-up, large files and memory", ("value",), None, SINGLE_TEXT)
    bench.sections["small"], bench.sections["single"] = small, single
    if not bench.in_memory:
        small.missing["tmpfs"] = "no tmpfs with room"
    for number in range(bench.rounds):
        bench.say(f"Operations in memory: round {number + 1} of {bench.rounds}")
        try:
            add_small(small, run_small(bench, SMALL_FILES[bench.quick]))
            for program in ("memory", "lookup"):
                command = [bench.program(program), "--scale", "5" if bench.quick else "100"]
                add_single(single, run(command, keep=True).out)
        except Failed as error:
            single.missing["memory"] = str(error)
            bench.note(str(error))
            break
    report.print_section(small)
    report.print_section(single)


def add_small(small, told):
    for title, name in PAIRS:
        row = small.row(title, "ours")
        memfs, plain, tmpfs = (told.get(f"{name} {where}") for where in ("memfs", "plain", "tmpfs"))
        row.add("memfs", memfs)
        if plain:
            row.add("plain", plain)
            row.add("over", memfs / plain)
        if tmpfs:
            row.add("tmpfs", tmpfs)
            row.add("times", tmpfs / memfs)


def add_single(single, out):
    for line in out.splitlines():
        name, value, unit = line.split("\t")
        row = single.row(SINGLE[name], "ours")
        row.add("value", float(value))
        row.unit = unit
