#!/usr/bin/env python3
"""Lets every allocation of the command memfs fail in turn, once and from then on.

Each scenario is a command line. A run that is denied memory ends as one that is not, to
the byte, or it fails: exit code 4, one line on standard error that says so, everything
in its directory as before. No signal, and nothing shortened. A run that was denied nothing
closes each scenario, in the same directory, and must do what the first did.

Environment: BUILD; MEMFS_FULL=1: every allocation, else a sample that is always the
same, denser at first. The last line is "N passed, N failed".
"""

import concurrent.futures
import hashlib
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

BUILD = os.environ["BUILD"]
MEMFS = BUILD + "/memfs"
DENY = BUILD + "/tests/memory/deny.so"
FULL = os.environ.get("MEMFS_FULL") == "1"

# What a message about memory says, behind what it is about.
NO_MEMORY = re.compile(rb"memfs: \S.*: .*(cannot allocate|no|not enough) memory", re.IGNORECASE)
SECONDS = 60  # no run takes more than a small part of it

# Name, arguments, standard input (a file beside the scenario's directory), what lies in it before.
OLD = {"old.mfs": "other.mfs"}
SCENARIOS = [
    ("cat", "cat ../base.mfs text sub/deep/leaf", None, {}),
    ("cat a file of many pieces", "cat ../base.mfs large", None, {}),
    ("cat from a pipe", "cat - text", "base.mfs", {}),
    ("ls", "ls ../base.mfs", None, {}),
    ("ls -lR", "ls -lRa ../base.mfs", None, {}),
    ("ls by time, in columns, in colours", "ls -t --columns --color always ../base.mfs many", None, {}),
    ("ls --json", "ls --json -R ../base.mfs", None, {}),
    ("tree", "tree -a ../base.mfs", None, {}),
    ("tree --json", "tree --json ../base.mfs", None, {}),
    ("find", "find ../base.mfs", None, {}),
    ("find, an expression", "find ../base.mfs / ( -iname *E* -o -size +1k ) -type f,d ! -empty -print0", None, {}),
    ("find, an owner", "find ../base.mfs -user root -group root", None, {}),
    ("du", "du -a -c --stored ../base.mfs", None, {}),
    ("hash", "hash -j 1 ../base.mfs", None, {}),
    ("hash on two processors", "hash -j 2 --json ../base.mfs", None, {}),
    ("info", "info ../base.mfs", None, {}),
    ("info -v", "info -v --largest 5 --extensions 3 ../base.mfs", None, {}),
    ("info --html", "info --html page.html ../base.mfs", None, {}),
    ("info --html over a page", "info -f --html page.html ../base.mfs", None, {"page.html": "tree/text"}),
    ("verify", "verify -j 1 ../base.mfs ../other.mfs", None, {}),
    ("verify on two processors", "verify -j 2 ../base.mfs", None, {}),
    ("verify --quick", "verify --quick ../base.mfs", None, {}),
    ("diff", "diff -j 1 ../base.mfs ../other.mfs", None, {}),
    ("diff -U", "diff -j 1 -U 3 ../base.mfs ../other.mfs", None, {}),
    ("diff --stat on two processors", "diff -j 2 --stat ../base.mfs ../other.mfs", None, {}),
    ("diff --json with a directory", "diff -j 1 --json ../base.mfs ../tree", None, {}),
    ("pack", "pack -j 1 ../tree new.mfs", None, {}),
    ("pack over an image", "pack -j 1 -f ../tree old.mfs", None, OLD),
    ("pack on two processors", "pack -j 2 -f --share files ../tree old.mfs", None, OLD),
    ("pack to standard output", "pack -j 1 ../tree -", None, {}),
    ("pack several", "pack -j 1 -f ../tree/sub ../tree/text ../other old.mfs", None, OLD),
    ("pack with rules", "pack -j 1 --exclude *.c --exclude-from ../rules --mtime @5 --owner 7 ../tree new.mfs", None, {}),
    ("pack for an owner", "pack -j 1 --owner root --group root ../tree new.mfs", None, {}),
    ("pack names of a list", "pack -j 1 -C ../tree --files-from - . ../%s/new.mfs", "names", {}),
    ("pack --dry-run", "pack -n ../tree new.mfs", None, {}),
    ("unpack", "unpack -j 1 ../base.mfs out", None, {}),
    ("unpack on two processors", "unpack -j 2 --all ../base.mfs out", None, {}),
    ("unpack from a pipe", "unpack -j 1 - out", "base.mfs", {}),
    ("unpack some", "unpack -j 1 --only many --only **/*.c --strip-components 1 -v ../base.mfs out", None, {}),
    ("unpack over files", "unpack -j 1 --into --overwrite ../base.mfs out", None, {"out": "other"}),
    ("unpack beside files", "unpack -j 1 --into --skip ../base.mfs out", None, {"out": "other"}),
]


def make_inputs(top):
    """Two trees that differ a little, their images, a list and rules."""
    tree = top + "/tree"
    os.makedirs(tree + "/sub/deep")
    os.mkdir(tree + "/many")
    for i in range(60):
        with open(f"{tree}/many/file {i}.{'c' if i % 3 else 'txt'}", "w") as file:
            file.write(f"number {i}\n" * i)
    digest = b"seed"
    with open(tree + "/large", "wb") as file:
        for _ in range(12000):
            digest = hashlib.sha256(digest).digest()
            file.write(digest)
    with open(tree + "/text", "w") as file:
        file.writelines(f"line {i}\n" for i in range(200))
    with open(tree + "/sub/deep/leaf", "w") as file:
        file.write("leaf\n")
    with open(tree + "/sparse", "wb") as file:
        file.seek(1 << 20)
        file.write(b"end")
    os.symlink("../text", tree + "/sub/soft")
    os.link(tree + "/text", tree + "/sub/hard")
    os.mkfifo(tree + "/fifo")
    os.setxattr(tree + "/text", "user.note", b"remember") if has_xattrs(top) else None
    for directory, _, names in os.walk(tree, topdown=False):
        for name in names + [""]:
            os.utime(os.path.join(directory, name), (1e9, 1e9), follow_symlinks=False)
    shutil.copytree(tree, top + "/other", symlinks=True, ignore=shutil.ignore_patterns("fifo", "deep", "*9.c"))
    with open(top + "/other/text", "a") as file:
        file.write("one more\n")
    with open(top + "/rules", "w") as file:
        file.write("# rules\n/sparse\n!many/file 1.c\ndeep/\n")
    with open(top + "/names", "w") as file:
        file.write("text\nsub/deep\nmany/file 7.c\n")
    for name, block in ("base", "64K"), ("other", "1M"):
        source = "tree" if name == "base" else name
        subprocess.run([MEMFS, "pack", "--block", block, source, name + ".mfs"], cwd=top, check=True)


def has_xattrs(directory):
    try:
        os.setxattr(directory, "user.try", b"")
        os.removexattr(directory, "user.try")
        return True
    except OSError:
        return False


def snapshot(directory):
    """All that lies below a directory, but for times: an aborted unpack may touch those of directories."""
    found = {}
    for where, directories, files in os.walk(directory):
        for name in directories + files:
            path = os.path.join(where, name)
            stat = os.lstat(path)
            what = b""
            if os.path.islink(path):
                what = os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    what = hashlib.sha256(file.read()).digest()
            found[os.path.relpath(path, directory)] = (stat.st_mode, stat.st_nlink, what)
    return found


def is_start(out, whole):
    """Whether an output was cut short; what JSON has open is closed, as is a line."""
    return whole.startswith(out) or whole.startswith(out.rstrip(b'"}]\n'))


class Scenario:
    def __init__(self, top, number):
        self.name, arguments, stdin, self.before = SCENARIOS[number]
        self.top, self.directory = top, f"{top}/run{number}"
        self.arguments = [word.replace("%s", f"run{number}") for word in arguments.split()]
        self.told = f"{top}/told{number}"
        self.input = b""
        if stdin:
            with open(f"{top}/{stdin}", "rb") as file:
                self.input = file.read()
        self.asked = self.failed = self.runs = self.survived = 0

    def prepare(self):
        """The directory as it is before: what it needs, and nothing else."""
        shutil.rmtree(self.directory, ignore_errors=True)
        os.mkdir(self.directory)
        for name, source in self.before.items():
            source, target = f"{self.top}/{source}", f"{self.directory}/{name}"
            shutil.copytree(source, target, symlinks=True) if os.path.isdir(source) else shutil.copy2(source, target)

    def run(self, deny, after):
        """Returns exit code, standard output and error, what lies there then, allocations asked for and failed."""
        with open(self.told, "wb") as file:
            file.write(bytes(16))
        # In C's locale: denied memory for another, the C library silently does with that one.
        environment = {"LC_ALL": "C", "PATH": os.environ["PATH"], "TZ": "UTC", "LD_PRELOAD": DENY}
        environment |= {"MEMORY_TOLD": self.told, "MEMORY_DENY": str(deny), "MEMORY_AFTER": str(after)}
        with subprocess.Popen([MEMFS] + self.arguments, cwd=self.directory, env=environment, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                out, err = process.communicate(self.input, timeout=SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        with open(self.told, "rb") as file:
            asked, failed = struct.unpack("=QQ", file.read())
        return (process.returncode, out, err, snapshot(self.directory)), asked, failed

    def judge(self, result, initial, want):
        """What is wrong with a run that was denied memory; None if nothing is."""
        code, out, err, left = result
        if result == want:
            self.survived += 1
            self.prepare()
            return None
        if code != 4:
            return f"exit code {code}, not 4 (nor all as it should be)"
        if err.count(b"\n") != 1 or not NO_MEMORY.match(err):
            return "standard error is not one line that tells of memory"
        if not is_start(out, want[1]):
            return "standard output is not the start of what it should be: " + repr(out[-300:])
        if left != initial:
            return "something has changed: " + str(left.items() ^ initial.items())[:500]
        return None

    def deny(self, after, initial, want):
        """Denies in turn, until there is nothing left to deny. What is wrong, or None."""
        nth = 1
        while True:
            result, asked, failed = self.run(nth, after)
            if not failed:
                if result != want:
                    return f"without a failure at last: exit code {result[0]}, {result[2]}"
                self.asked = max(self.asked, asked)
                self.prepare()
                return None
            self.runs += 1
            self.failed += failed
            wrong = self.judge(result, initial, want)
            if wrong:
                how = "and all behind it" if after else "alone"
                return f"allocation {nth} {how}: {wrong}; standard error: {result[2]!r}"
            nth += 1 if FULL else 1 + (nth if after else nth // 2)

    def play(self):
        """What is wrong, or None."""
        self.prepare()
        initial = snapshot(self.directory)
        want, _, _ = self.run(0, 0)
        if want[0] not in (0, 1) or want[2]:
            return f"fails with all the memory there is: exit code {want[0]}, {want[2]}"
        self.prepare()
        for after in 0, 1:
            wrong = self.deny(after, initial, want)
            if wrong:
                return wrong
        if self.runs == self.survived:
            return f"none of {self.runs} failing allocations was noticed"
        return None


def main():
    top = tempfile.mkdtemp(prefix="memfs-memory.", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    passed = failed = runs = denied = 0
    try:
        make_inputs(top)
        scenarios = [Scenario(top, number) for number in range(len(SCENARIOS))]
        if len(sys.argv) > 1:
            scenarios = [one for one in scenarios if one.name in sys.argv[1:]]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for scenario, wrong in zip(scenarios, pool.map(Scenario.play, scenarios)):
                runs, denied = runs + scenario.runs, denied + scenario.failed
                if wrong:
                    failed += 1
                    print(f"not ok {scenario.name}\n     | {wrong}")
                else:
                    passed += 1
                    print(f"ok     {scenario.name}: {scenario.asked} allocations, {scenario.runs} runs denied memory, "
                          f"{scenario.survived} of them did all the same")
    finally:
        shutil.rmtree(top, ignore_errors=True)
    print(f"tried  {len(scenarios)} scenarios, {runs} runs, {denied} allocations denied")
    print(f"{passed} passed, {failed} failed")
    return failed > 0 or passed == 0


sys.exit(main())
