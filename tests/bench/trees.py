"""The trees that are measured: obtained, or made, in one place that is removed at the end."""

import os
import shutil
import stat
import subprocess

import machine
from measure import Failed, run

LINUX_SOURCE = "/usr/src/linux-source-6.1.tar.xz"
TYPESCRIPT = ("5.0.4", "5.1.6", "5.2.2", "5.3.3", "5.4.5", "5.5.4", "5.6.3", "5.7.3")
ROOM = {True: 1 << 30, False: 7 << 30}  # bytes, quick and full


def room(path):
    try:
        status = os.statvfs(path)
        return status.f_bavail * status.f_frsize
    except OSError:
        return 0


def place(quick):
    """Where to work: in memory if there is room, and whether it is."""
    if os.environ.get("BENCH_DIR"):
        base = os.environ["BENCH_DIR"]
        return base, base.startswith("/dev/shm")
    enough = min(room("/dev/shm"), machine.memory("MemAvailable")) >= ROOM[quick]
    if enough and os.access("/dev/shm", os.W_OK):
        return "/dev/shm", True
    return os.environ.get("TMPDIR", "/tmp"), False


class Tree:
    """A directory and what was counted in it."""

    def __init__(self, name, path):
        self.name, self.path = name, path
        self.files = self.bytes = 0
        for directory, _, names in os.walk(path):
            for entry in names:
                status = os.lstat(os.path.join(directory, entry))
                if stat.S_ISREG(status.st_mode):
                    self.files += 1
                    self.bytes += status.st_size

    def __str__(self):
        return f"{self.name}: {self.files:,} files, {self.bytes / 1e6:,.1f} MB"

    def list(self, path):
        """Writes the paths of its files, in order of their bytes, one a line."""
        found = []
        for directory, _, names in os.walk(self.path):
            for entry in names:
                whole = os.path.join(directory, entry)
                if not os.path.islink(whole) and os.path.isfile(whole) and "\n" not in whole:
                    found.append(os.path.relpath(whole, self.path))
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as out:
            out.writelines(name + "\n" for name in sorted(found))


def given(variable, name):
    """A tree that is there already and only read."""
    path = os.environ.get(variable)
    return Tree(name, os.path.abspath(path)) if path else None


def linux(work):
    found = given("BENCH_LINUX", "linux")
    if found:
        return found
    if not os.path.exists(LINUX_SOURCE):
        raise Failed("linux-source-6.1 could not be had")
    path = os.path.join(work, "linux")
    os.mkdir(path)
    run(["tar", "-xJf", LINUX_SOURCE, "-C", path, "--strip-components=1"])
    return Tree("linux", path)


def fetch(version, cache):
    """One version of typescript, by npm from the registry that it is configured for."""
    archive = os.path.join(cache, f"typescript-{version}.tgz")
    if not os.path.exists(archive):
        if not shutil.which("npm"):
            raise Failed("npm could not be had")
        run(["npm", "pack", "--silent", f"typescript@{version}"], cwd=cache)
    return archive


def tsv(work, cache):
    """Eight versions side by side."""
    found = given("BENCH_TSV", "tsv")
    if found:
        return found
    os.makedirs(cache, exist_ok=True)
    for version in TYPESCRIPT:
        path = os.path.join(work, "tsv", version)
        os.makedirs(path)
        run(["tar", "-xzf", fetch(version, cache), "-C", path, "--strip-components=1"])
    return Tree("tsv", os.path.join(work, "tsv"))


def include(work):
    """/usr/include, a copy: nothing changes it meanwhile."""
    path = os.path.join(work, "include")
    run(["cp", "-a", "/usr/include", path])
    return Tree("include", path)


def generated(program, kind, count, path, name):
    run([program, kind, str(count), path])
    return Tree(name, path)


def sample(tree, path, size):
    """Every n-th file of a tree, so that they have about so many bytes together."""
    listing = path + ".list"
    tree.list(listing)
    with open(listing, encoding="utf-8", errors="surrogateescape") as lines:
        names = [line[:-1] for line in lines]
    os.unlink(listing)
    for name in names[:: max(1, tree.bytes // size)]:
        into = os.path.join(path, os.path.dirname(name))
        os.makedirs(into, exist_ok=True)
        shutil.copyfile(os.path.join(tree.path, name), os.path.join(path, name))
    return Tree("sample", path)


def remove(*paths):
    """Not counted anywhere; rm is faster than we are."""
    subprocess.run(["rm", "-rf", "--", *paths], stdin=subprocess.DEVNULL, check=False)
