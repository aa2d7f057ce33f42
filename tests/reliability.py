#!/usr/bin/env python3
"""Writes RELIABILITY.md from the logs of a whole `make check-full`, or of `make check`.

reliability.py LOGS: the directory that tests/run.sh has left, with NAME.log, NAME.time and NAME.counts.
A row is what one or several suites have tried; a suite that did not run is said to be missing.
Figures of others are those that they publish themselves.
"""

import glob
import os
import platform
import re
import subprocess
import sys
import time

ROWS = (
    # what, suites, what the best of the others publishes
    (
        "Hostile images: classes of lies, each raw and resealed, through the library and all subcommands",
        ("hostile", "surroundings"),
        "DwarFS: 1,284 bad images, 27 of which some builds skip",
    ),
    ("Exhaustive damage of eight small images", ("test_damage",), "no number is published"),
    ("Bombs: extents, ratios, depth", ("test_bombs",), "no number is published"),
    ("Images that change while eight threads read them", ("test_changing",), "no number is published"),
    (
        "Allocations that fail, once and for ever after",
        ("test_alloc_fail", "test_alloc_scenarios", "memory"),
        "SQLite: every one in turn, once and for ever after",
    ),
    (
        "System calls that fail, with each error; EINTR; short ones; kill -9; power loss",
        ("faults", "test_host_calls"),
        "SQLite, curl: each call that can fail, in turn; littlefs: power lost at every write; without numbers",
    ),
    (
        "The host refuses: no room, quota, read-only, descriptors, names too long, mounts",
        ("e2e-disks",),
        "no number is published",
    ),
    (
        "Unpacking and packing while somebody attacks; escapes from the sandbox",
        ("enemies",),
        "no number is published; more than ten CVEs of unsquashfs, tar, cpio, libarchive and others are of this kind",
    ),
    (
        "Golden images, read by the second reader too",
        ("golden",),
        "age: 143 test vectors, run by other implementations",
    ),
    ("Random operations against the model", ("test_model",), "rax has such a test"),
    (
        "Other compilers, sanitizers, machines and C libraries; static analysis; how what is built is hardened",
        ("elsewhere", "hardening"),
        "no number is published",
    ),
    ("Fuzzing: seeds, findings and mutations replayed", ("replay_*",), "libarchive: 25 targets"),
)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def suite(logs, name):
    """What a suite says that it has tried, and how many cases passed, failed and were skipped."""
    tried = re.findall(r"^tried\s+(.*)$", read(os.path.join(logs, name + ".log")), re.M)
    passed, failed, skipped = (int(count) for count in read(os.path.join(logs, name + ".counts")).split())
    return [" ".join(line.split()) for line in tried], passed, failed, skipped


def row(logs, names):
    tried, passed, failed, skipped, missing = [], 0, 0, 0, []
    for pattern in names:
        found = sorted(os.path.basename(path)[:-4] for path in glob.glob(os.path.join(logs, pattern + ".log")))
        missing += [] if found else [pattern]
        for name in found:
            more = suite(logs, name)
            tried += more[0]
            passed, failed, skipped = passed + more[1], failed + more[2], skipped + more[3]
    tried.append(f"{passed:,} tests passed" + (f", {skipped:,} skipped" if skipped else ""))
    tried += [f"**{name} did not run**" for name in missing]
    return "<br>".join(tried), failed


def campaign():
    """Targets and executions of the campaigns, from fuzz/campaign.tsv."""
    rounds = [line.split("\t") for line in read("fuzz/campaign.tsv").splitlines()]
    targets = {line[0] for line in rounds}
    inputs, opened = sum(int(line[4]) for line in rounds), sum(int(line[5]) for line in rounds)
    past = f"; {100 * opened / inputs:.1f} % of the images got past the checksums" if inputs else ""
    return f"{len(targets)} targets, {sum(int(line[1]) for line in rounds):,} executions{past}"


def coverage():
    """The two sums of tests/COVERAGE.md, which are written by hand from what `make coverage` says."""
    sums = re.findall(r"^\| \*\*(\w+)\*\* \| .* \| \*\*([\d.]+) %\*\* \|", read("tests/COVERAGE.md"), re.M)
    if len(sums) != 2:
        raise ValueError("tests/COVERAGE.md has no two sums")
    return "<br>".join(f"{room}: {percent} %" for room, percent in sums)


def version():
    text = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return text.stdout.strip() or "of no repository"


def main(logs):
    print("# Reliability\n")
    how = "`make check-full`" if os.environ.get("MEMFS_FULL") else "`make check`, which tries a share of the longest"
    print(f"Written by {how}, on {time.strftime('%Y-%m-%d')}, of {version()}, on {platform.machine()},")
    print(f"Linux {platform.release().split('-')[0]}. What each suite holds is said at its beginning, in `tests/`.\n")
    print("| what | tried here | failed | the best of the others |")
    print("|---|---|--:|---|")
    for what, names, peer in ROWS:
        tried, failed = row(logs, names)
        print(f"| {what} | {tried} | {failed:,} | {peer} |")
    print(
        f"| Fuzzing campaigns ([CAMPAIGN.md](../fuzz/CAMPAIGN.md)) | {campaign()} | | "
        "libarchive: 25 targets; SQLite: a billion mutated inputs a day |"
    )
    print(f"| Branches that tests take ([COVERAGE.md](COVERAGE.md)) | {coverage()} | | SQLite: 100 % |")
    everything = [suite(logs, os.path.basename(path)[:-4]) for path in sorted(glob.glob(os.path.join(logs, "*.log")))]
    # The shell may have told of a crash before.
    times = [read(path).splitlines()[-1] for path in glob.glob(os.path.join(logs, "*.time"))]
    seconds = sum(float(line.split()[0]) for line in times)
    print(
        f"\nAll suites: {sum(s[1] for s in everything):,} passed, {sum(s[2] for s in everything):,} failed, "
        f"{sum(s[3] for s in everything):,} skipped, in {seconds / 60:.0f} minutes, one after the other. "
        "`make check-defects` plants defects in a copy and says which test finds each."
    )


if __name__ == "__main__":
    main(sys.argv[1])
