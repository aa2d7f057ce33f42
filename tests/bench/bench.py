#!/usr/bin/env python3
"""make bench: memfs, its peers and the floor, in one run.

tests/bench/bench.py [--quick] [SECTION...]

Sections: pack, unpack, read, memory, growth; without any, all of them. The figures of a
whole run go to RESULTS.md and charts/ here; with --quick or sections they are only printed.

Environment: BUILD (what make built); BENCH_ROUNDS (5; with --quick 3); BENCH_DIR (where to
work; default: /dev/shm if there is room, else TMPDIR); BENCH_LINUX and BENCH_TSV (trees that
are there already; they are only read).
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import goals
import growth
import inmemory
import machine
import packing
import reading
import report
import trees
import unpacking
from measure import PROGRAMS, Failed

HERE = os.path.dirname(os.path.abspath(__file__))
SECTIONS = {
    "pack": packing.measure,
    "unpack": unpacking.measure,
    "read": reading.measure,
    "memory": inmemory.measure,
    "growth": growth.measure,
}


class Bench:
    """One run: its place, its trees, what it has measured."""

    threads = 2

    def __init__(self, quick, wanted):
        self.quick, self.wanted = quick, wanted or list(SECTIONS)
        self.complete = not quick and not wanted
        self.build = os.path.abspath(os.environ.get("BUILD", "build"))
        self.rounds = int(os.environ.get("BENCH_ROUNDS", 3 if quick else 5))
        self.memfs = machine.Memfs(self.build)
        self.measured = self.commit()  # before results are written beside the sources
        PROGRAMS["took"] = self.program("took")
        self.begin = time.monotonic()
        # All keep to as many processors as they have threads, those too that would start more of them.
        self.processors = os.sched_getaffinity(0)
        os.sched_setaffinity(0, sorted(self.processors)[: self.threads])
        self.sections, self.curves, self.trees, self.small, self.notes, self.mounts = {}, {}, {}, {}, [], []
        base, self.in_memory = trees.place(quick)
        self.work = tempfile.mkdtemp(prefix="memfs-bench.", dir=base)
        if not self.in_memory:
            self.note(f"not enough room in /dev/shm: everything lies in {base}, and its filesystem is measured too")

    def commit(self):
        """Of what was measured: its version, and its commit where there is a repository."""
        said = machine.first_line(self.memfs.path, "--version")
        git = (
            subprocess.run(
                ["git", "-C", HERE, "describe", "--always", "--dirty"],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                check=False,
            )
            if shutil.which("git")
            else None
        )
        return f"{said}, {git.stdout.decode().strip()}" if git and git.returncode == 0 else said

    def program(self, name):
        return os.path.join(self.build, "tests", "bench", name)

    def path(self, name):
        return os.path.join(self.work, name)

    def say(self, text):
        print(f"[{time.monotonic() - self.begin:5.0f} s] {text}", flush=True)

    def note(self, text):
        self.notes.append(text)
        self.say("note: " + text)

    def obtain(self, name, how, *arguments):
        """A tree; without it its sections are left out."""
        try:
            self.say(f"obtaining {name}")
            self.trees[name] = how(*arguments)
            self.say(str(self.trees[name]))
        except (Failed, OSError) as error:
            self.note(f"{name} is not measured: {error}")

    def grown(self, curve):
        self.curves[curve.key] = curve
        report.print_curve(curve)

    def obtain_all(self):
        files = self.program("make_files")
        if self.quick:
            self.obtain("large", trees.include, self.work)
            self.obtain("versions", trees.generated, files, "versions", 5, self.path("versions"), "versions")
        else:
            self.obtain("large", trees.linux, self.work)
            self.obtain("versions", trees.tsv, self.work, os.path.join(self.build, "bench"))

    def compete(self, section, contestants, rounds=None):
        """Round by round, all of them in each, so that what the machine does besides meets all."""
        self.sections[section.key] = section
        rounds = rounds or self.rounds
        for number in range(rounds):
            self.say(f"{section.title}: round {number + 1} of {rounds}")
            for one in contestants:
                if one.name not in section.missing and number < (one.rounds or rounds):
                    self.let(section, one)
        report.print_section(section)

    def let(self, section, one):
        why = machine.lack(one.needs)
        if not why and one.option and not self.memfs.knows(*one.option):
            why = f"memfs {one.option[0]} has no {one.option[1]} yet"
        if why:
            section.miss(one.name, why)
            return
        try:
            one.go(section.row(one.name, one.kind))
        except (Failed, OSError, KeyError) as error:
            section.miss(one.name, str(error))
            self.say(f"{one.name}: {error}")

    def close(self):
        for mount in self.mounts[:]:
            reading.unmount(self, mount)
        trees.remove(self.work)


def interrupted(number, frame):
    raise KeyboardInterrupt


def arguments():
    parser = argparse.ArgumentParser(description="measures memfs, its peers and the floor")
    parser.add_argument("--quick", action="store_true", help="a minute, on /usr/include and generated trees")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    found = parser.parse_args()
    for name in found.sections:
        if name not in SECTIONS:
            parser.error(f"no such section: {name}")
    return found


def main():
    asked = arguments()
    signal.signal(signal.SIGTERM, interrupted)
    bench = Bench(asked.quick, asked.sections)
    try:
        bench.obtain_all()
        for name in SECTIONS:
            if name in bench.wanted:
                SECTIONS[name](bench)
        verdicts = goals.judge(bench)
        report.print_goals(bench, verdicts)
        if bench.complete:
            bench.say("writing RESULTS.md and charts")
            report.write(bench, verdicts, HERE)
        bench.say("done")
    except KeyboardInterrupt:
        return 130
    finally:
        bench.close()
    return 0


if __name__ == "__main__":
    if not shutil.which("bash"):
        sys.exit("bench: bash is needed")
    sys.exit(main())
