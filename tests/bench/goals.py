"""The goals: which figures they compare, and how far they may be apart."""

import inmemory

MEMFS = "memfs"
MB, MIB = 10**6, 2**20


class Goal:
    """value: section, row and figure. against: another, or a number in the figure's unit.
    at most, or at least, so many times of it."""

    def __init__(self, name, value, against, times, least=False, unit="×"):
        self.name, self.value, self.against, self.times, self.least, self.unit = (
            name,
            value,
            against,
            times,
            least,
            unit,
        )


# Operations on small files: as the goals name them, their rows, and how many times as fast as tmpfs they are to be.
SMALL = (
    ("create, write 100 bytes, close", inmemory.PAIRS[0][0], 10),
    ("open, read, close", inmemory.PAIRS[2][0], 8),
    ("unlink", inmemory.PAIRS[5][0], 8),
    ("stat by path", inmemory.PAIRS[1][0], 4),
)


def small(title, row, times):
    return Goal(f"{title}, times as fast as tmpfs", ("small", row, "times"), 1, times, least=True)


def single(name):
    return ("single", inmemory.SINGLE[name], "value")


SQUASH, TAR, LONG = "mksquashfs, 1 MiB", "tar | zstd -3", "tar | zstd -3 --long=27"
LARGE, VERSIONS = "pack large", "pack versions"
GOALS = (
    Goal("pack linux, against mksquashfs", (LARGE, MEMFS, "wall"), (LARGE, SQUASH, "wall"), 0.85),
    Goal("pack linux, against tar | zstd -3 -T2", (LARGE, MEMFS, "wall"), (LARGE, TAR, "wall"), 0.95),
    Goal(
        "pack --share=files linux, against mksquashfs",
        (LARGE, "memfs --share=files", "wall"),
        (LARGE, SQUASH, "wall"),
        0.70,
    ),
    Goal(
        "pack --share=files linux, against the floor",
        (LARGE, "memfs --share=files", "wall"),
        (LARGE, "floor", "wall"),
        1.25,
    ),
    Goal("pack tsv, against tar | zstd -3 --long=27 -T2", (VERSIONS, MEMFS, "wall"), (VERSIONS, LONG, "wall"), 1.0),
    Goal("size of linux, against mksquashfs", (LARGE, MEMFS, "size"), (LARGE, SQUASH, "size"), 0.95),
    Goal(
        "size of linux, --block 16M, against tar | zstd -3 --long=27",
        (LARGE, "memfs --block 16M", "size"),
        (LARGE, LONG, "size"),
        0.99,
    ),
    Goal("size of tsv, against mksquashfs", (VERSIONS, MEMFS, "size"), (VERSIONS, SQUASH, "size"), 0.22),
    Goal(
        "size of tsv, --block 16M, against tar | zstd -3 --long=27",
        (VERSIONS, "memfs --block 16M", "size"),
        (VERSIONS, LONG, "size"),
        1.35,
    ),
    Goal("size of tsv, -l 19 --block 16M", (VERSIONS, "memfs -l 19 --block 16M", "size"), MB, 7.0, unit="MB"),
    Goal(
        "its CPU time, against the 66.9 s that DwarFS took elsewhere for 7.67 MB",
        (VERSIONS, "memfs -l 19 --block 16M", "cpu"),
        66.9,
        1.0,
    ),
    Goal("tables, references and root of linux, of the image", ("tables", MEMFS, "share"), 1, 1.5, unit="%"),
    Goal("peak memory of pack, linux", (LARGE, MEMFS, "peak"), MIB, 320, unit="MiB"),
    Goal(
        "unpack linux, against unsquashfs -p 2",
        ("unpack", MEMFS, "wall"),
        ("unpack", "unsquashfs, 128 KiB", "wall"),
        0.70,
    ),
    Goal("unpack linux, against cp -a", ("unpack", MEMFS, "wall"), ("unpack", "cp -a", "wall"), 1.0),
    Goal(
        "verify linux, against decompressing",
        ("whole", "memfs verify", "wall"),
        ("whole", "floor, decompressing", "wall"),
        1.15,
    ),
    Goal(
        "verify --quick linux, against XXH3",
        ("whole", "memfs verify --quick", "wall"),
        ("whole", "floor, XXH3", "wall"),
        1.5,
    ),
    Goal("ls -lR linux, against sqlite3 -Atv", ("list", "memfs ls -lR", "wall"), ("list", "sqlite3 -Atv", "wall"), 0.6),
    Goal("open linux, in process", ("open", "large", "latency"), 1000, 0.5, unit="ms"),
    Goal(
        "open a million files, against a thousand",
        ("open", "many files", "latency"),
        ("open", "a thousand files", "latency"),
        1.5,
    ),
    Goal(
        "random files, against squashfuse",
        ("random", "memfs, 1 MiB", "latency"),
        ("random", "squashfuse, 128 KiB", "latency"),
        0.8,
    ),
    Goal(
        "random files, --block 256K, against squashfuse",
        ("random", "memfs, 256 KiB", "latency"),
        ("random", "squashfuse, 128 KiB", "latency"),
        0.35,
    ),
    Goal(
        "reading everything, 2 threads, against decompressing",
        ("whole", "reading everything, 2 threads", "wall"),
        ("whole", "floor, decompressing", "wall"),
        1.2,
    ),
    *(small(title, row, times) for title, row, times in SMALL),
    Goal("look-up by path, one thread", single("lookup"), 1, 1.5, least=True, unit="million/s"),
    Goal(
        "look-up, 2 threads on one filesystem, against two on two",
        single("lookup 2 threads on one"),
        single("lookup 2 threads on two"),
        0.9,
        least=True,
    ),
    Goal(
        "sequential write of 1 GiB, against memcpy",
        single("large write memfs"),
        single("large write memcpy"),
        0.8,
        least=True,
    ),
    Goal("an append of a byte, of 10 million, against of a million", single("append"), single("append, tenth"), 1.2),
    Goal(
        "read of 1 GiB by copy, against memcpy",
        single("large read memfs"),
        single("large read memcpy"),
        0.9,
        least=True,
    ),
    Goal("bytes copied by viewing 1 GiB", single("view copied"), 1, 0, unit="bytes"),
)


# Name, goal, and all that has to be done for it, where the goal's own floor leaves some of that out, or it has none. CPU
# time is taken as if it were spread over all threads.
FLOORS = (
    (
        "pack --share=files linux, against the floor and listing",
        "pack --share=files linux, against the floor",
        ((LARGE, "floor", "wall"), (LARGE, "floor, listing", "cpu")),
    ),
    (
        "verify linux, against reading, decompressing and hashing",
        "verify linux, against decompressing",
        (("whole", "floor, verifying", "wall"),),
    ),
    (
        "reading everything, 2 threads, against decompressing, keeping and copying",
        "reading everything, 2 threads, against decompressing",
        (("whole", "floor, keeping and copying", "wall"),),
    ),
    (
        "look-up by path, against waiting for memory twice, and the look-up without waiting",
        "look-up by path, one thread",
        (single("lookup, waits"), single("lookup, cached")),
    ),
    *(
        (f"{title}, against a plain hash", f"{title}, times as fast as tmpfs", (("small", row, "plain"),))
        for title, row, _ in SMALL
    ),
)


class Verdict:
    def __init__(self, goal, reached=None, why=None):
        self.goal, self.reached, self.why = goal, reached, why

    @property
    def limit(self):
        space = "" if self.goal.unit in "×%" else " "
        return f"{'≥' if self.goal.least else '≤'} {self.goal.times:g}{space}{self.goal.unit}"

    @property
    def measured(self):
        if self.reached is None:
            return ""
        space = "" if self.goal.unit in "×%" else " "
        return (
            f"{self.reached:.3g}{space}{self.goal.unit}"
            if self.reached < 1000
            else f"{self.reached:.0f}{space}{self.goal.unit}"
        )

    @property
    def word(self):
        if self.reached is None:
            return f"not measured: {self.why}"
        met = self.reached >= self.goal.times if self.goal.least else self.reached <= self.goal.times
        return "met" if met else "NOT met"


def find(bench, where):
    """A median, or why there is none."""
    key, name, figure = where
    section = bench.sections.get(key)
    if not section:
        return None, "its section or tree was left out"
    row = section.rows.get(name)
    value = row.median(figure) if row else None
    if value is None:
        return None, section.missing.get(name) or next(iter(section.missing.values()), f"no {figure} of {name}")
    return value, None


def judge(bench):
    verdicts = []
    for goal in GOALS:
        value, why = find(bench, goal.value)
        against = goal.against
        if isinstance(against, tuple) and not why:
            against, why = find(bench, against)
        verdicts.append(Verdict(goal, why=why) if why else Verdict(goal, value / against))
    return verdicts


def taken(bench, goal):
    """What takes the time that a goal is about, and the most that it may take; of millions a second, nanoseconds each."""
    value, against = find(bench, goal.value)[0], goal.against
    section, row, figure = goal.value
    if figure == "times":
        theirs = find(bench, (section, row, "tmpfs"))[0]
        return find(bench, (section, row, "memfs"))[0], theirs and theirs / goal.times
    if goal.unit == "million/s":
        return value and 1e3 / value, 1e3 / goal.times
    floor = find(bench, against)[0]
    return value, floor and floor * goal.times


def against_floors(bench):
    """Name, what is reached of the whole floor, and what that is of the most that is allowed; None if not measured."""
    by_name = {goal.name: goal for goal in GOALS}
    out = []
    for name, goal, floors in FLOORS:
        value, most = taken(bench, by_name[goal])
        whole = [(find(bench, where)[0], bench.threads if where[2] == "cpu" else 1) for where in floors]
        known = None not in (value, most, *(time for time, _ in whole))
        total = sum(time / threads for time, threads in whole) if known else 1
        out.append((name, value / total if known else None, total / most if known else None))
    return out
