#!/usr/bin/env python3
"""Runs the fast tests as `make coverage` built them, and counts the branches they take.

A line for each file with branches not taken, most of them first, one for each room, and
"N passed, N failed": a room passes at its floor or above. Floors only go up; COVERAGE.md
says what is missing to the goal. Names of tests as arguments run these alone; --count
runs none and counts what earlier runs took. Environment: BUILD, JOBS.

Branches of assertions are left out: what they guard against cannot be provoked.
"""

import json
import os
import subprocess
import sys

BUILD = os.environ["BUILD"]
GOAL = 95.0
FLOORS = {"libmemfs": 87.0, "format": 86.0}
# Beside the suites. Not e2e's scripts: they look at standard error, where a sandboxed or killed
# process complains that it cannot write its counters.
OTHERS = ["golden", "replay_fuzz_image"]


def suites():
    return sorted(name[:-2] for name in os.listdir("tests") if name.startswith("test_") and name.endswith(".c"))


def run_tests(names):
    for directory, _, files in os.walk(BUILD):
        for name in files:
            if name.endswith(".gcda"):
                os.remove(os.path.join(directory, name))
    subprocess.run(["tests/run.sh", "--fast"] + names, check=True)


def count():
    """Rows (file, branches taken, branches) as gcovr counts them."""
    summary = BUILD + "/coverage.json"
    command = ["gcovr", "-j", str(os.cpu_count()), "--root", ".", "--json-summary", summary]
    command += ["--exclude-throw-branches", "--exclude-unreachable-branches"]
    command += ["--exclude-branches-by-pattern", r".*\bassert\(.*"]
    for room in FLOORS:
        command += ["--filter", room + "/"]
    subprocess.run(command + [f"{BUILD}/{room}" for room in FLOORS], check=True)
    with open(summary, encoding="utf-8") as file:
        files = json.load(file)["files"]
    return [(one["filename"], one["branch_covered"], one["branch_total"]) for one in files]


def report(rows):
    """Returns how many rooms are at their floor, and how many below."""
    for name, taken, total in sorted(rows, key=lambda row: row[1] - row[2]):
        if taken < total:
            print(f"{total - taken:5} of {total:4} not taken  {name}")
    passed = failed = 0
    for room, floor in FLOORS.items():
        taken = sum(row[1] for row in rows if row[0].startswith(room + "/"))
        total = sum(row[2] for row in rows if row[0].startswith(room + "/"))
        percent = 100 * taken / total if total else 0
        word = "ok    " if percent >= floor else "not ok"
        print(f"{word} {room}: {percent:.2f} % of {total} branches (floor {floor} %, goal {GOAL} %)")
        passed, failed = passed + (percent >= floor), failed + (percent < floor)
    return passed, failed


def main():
    os.chdir(os.path.dirname(os.path.abspath(__file__)) + "/..")
    if sys.argv[1:] != ["--count"]:
        run_tests(sys.argv[1:] or suites() + OTHERS)
    passed, failed = report(count())
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
