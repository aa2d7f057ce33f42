"""What there is: the machine, the programs, the options of memfs."""

import os
import platform
import re
import shutil
import subprocess

from measure import ENVIRONMENT


def first_line(*command):
    """What a program says of its version: the first line that has a number in it."""
    try:
        said = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=ENVIRONMENT,
            timeout=20,
            check=False,
        ).stdout.decode(errors="replace")
    except (OSError, subprocess.TimeoutExpired):
        return ""
    for line in said.splitlines():
        if re.search(r"\d\.\d", line):
            return line.strip(" *")
    return ""


def package(name):
    """The version of an installed Debian package, for programs that do not tell theirs."""
    return first_line("dpkg-query", "-W", "-f", "${Version}\n", name)


def versions():
    """Each program that takes part, and its version."""
    known = {
        "gcc": lambda: first_line(os.environ.get("CC", "gcc"), "--version"),
        "libzstd": lambda: package("libzstd1"),
        "libxxhash": lambda: package("libxxhash0"),
        "tar": lambda: first_line("tar", "--version"),
        "zstd": lambda: first_line("zstd", "--version"),
        "mksquashfs": lambda: first_line("mksquashfs", "-version"),
        "unsquashfs": lambda: first_line("unsquashfs", "-version"),
        "squashfuse": lambda: package("squashfuse") or first_line("squashfuse", "--version"),
        "mkfs.erofs": lambda: package("erofs-utils"),
        "zip": lambda: package("zip"),
        "unzip": lambda: package("unzip"),
        "sqlite3": lambda: first_line("sqlite3", "--version")[:27],
        "gnuplot": lambda: first_line("gnuplot", "--version"),
        "cp": lambda: first_line("cp", "--version"),
        "linux-source-6.1": lambda: package("linux-source-6.1"),
    }
    return {name: ask() or "not there" for name, ask in known.items()}


def lack(programs):
    """Why these cannot be run; None if they can."""
    missing = [name for name in programs if not shutil.which(name)]
    return f"{', '.join(missing)} could not be had" if missing else None


def fuse():
    """Why nothing can be mounted; None if it can."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "no /dev/fuse that this user may open"
    return None if shutil.which("fusermount3") or shutil.which("fusermount") else "fuse3 could not be had"


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def memory(key):
    """Bytes, of /proc/meminfo."""
    with open("/proc/meminfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
    return 0


def huge_pages():
    try:
        with open("/sys/kernel/mm/transparent_hugepage/enabled", encoding="utf-8") as file:
            return re.search(r"\[(\w+)\]", file.read()).group(1)
    except OSError:
        return "unknown"


def description(processors):
    return {
        "processor": f"{processor()}, {len(processors)} of them for this process",
        "memory": f"{memory('MemTotal') / 2**30:.1f} GiB, transparent huge pages: {huge_pages()}",
        "kernel": f"{platform.system()} {platform.release()}",
        "system": next(
            (
                line.split("=", 1)[1].strip().strip('"')
                for line in open("/etc/os-release", encoding="utf-8")
                if line.startswith("PRETTY_NAME=")
            ),
            "unknown",
        )
        if os.path.exists("/etc/os-release")
        else "unknown",
    }


class Memfs:
    """The command, with those options only that it knows."""

    def __init__(self, build):
        self.path = os.path.join(build, "memfs")
        self.help = {}

    def knows(self, subcommand, option):
        if subcommand not in self.help:
            self.help[subcommand] = subprocess.run(
                [self.path, subcommand, "--help"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
            ).stdout.decode()
        return re.search(rf"(^|[ ,]){re.escape(option)}([ ,=]|$)", self.help[subcommand], re.MULTILINE) is not None

    def call(self, subcommand, *rest, threads=None):
        """threads: asked for where it can be."""
        jobs = ["-j", str(threads)] if threads and self.knows(subcommand, "-j") else []
        return [self.path, subcommand, *jobs, *map(str, rest)]
