#!/usr/bin/env python3
"""Runs the tests as `make coverage` built them, and counts the branches they take.

What is not taken is to stand in coverage.txt, with the reason. "not ok" is said of what is
not taken and does not stand there, of what stands there and is taken or gone, and of a
room below its floor. The last line is "N passed, N failed", of files and rooms.

Names of tests as arguments run these alone, beside what earlier runs took; --count runs
none. --new prints what is to be listed, as lines of coverage.txt. Environment: BUILD, JOBS.

Branches of assertions are left out: what they guard against cannot be provoked.
"""

import collections
import json
import os
import re
import subprocess
import sys

BUILD = os.environ["BUILD"]
GOAL = 95.0
FLOORS = {"libmemfs": 96.0, "format": 95.0}  # whoever raises the coverage raises these
LISTED = "tests/coverage.txt"


def all_tests():
    """What runs in processes that end by exit(). The command's are left to `make check`: a process
    in the sandbox cannot write its counters, and complains of that where scripts look."""
    names = ["hostile"]
    for directory in ["tests", "tests/damage", "fuzz"]:
        for name in sorted(os.listdir(directory)):
            if name.startswith("test_") and name.endswith(".c"):
                names.append(name[:-2])
            if name.startswith("fuzz_") and name.endswith(".c"):
                names.append("replay_" + name[:-2])
    return names


def forget():
    for directory, _, files in os.walk(BUILD):
        for name in files:
            if name.endswith(".gcda"):
                os.remove(os.path.join(directory, name))


def measured():
    """Of each file the branches of each line, as gcovr counts them: {file: {line: [times taken]}}."""
    report = BUILD + "/coverage.json"
    command = ["gcovr", "-j", os.environ.get("JOBS", str(os.cpu_count())), "--root", ".", "--json", report]
    command += ["--exclude-throw-branches", "--exclude-unreachable-branches"]
    command += ["--exclude-branches-by-pattern", r".*\bassert\(.*"]
    for room in FLOORS:
        command += ["--filter", room + "/"]
    subprocess.run(command + [f"{BUILD}/{room}" for room in FLOORS], check=True)
    with open(report, encoding="utf-8") as file:
        files = json.load(file)["files"]
    return {
        one["file"]: {line["line_number"]: [branch["count"] for branch in line["branches"]] for line in one["lines"]}
        for one in files
    }


def not_taken(name, lines):
    """Where branches of a file are not taken: {text of the line: [number of each that has that text]}."""
    with open(name, encoding="utf-8") as file:
        text = [line.strip() for line in file]
    missed = collections.defaultdict(list)
    for number, branches in sorted(lines.items()):
        missed[text[number - 1]] += [number] * branches.count(0)
    return {line: numbers for line, numbers in missed.items() if numbers}


def listed():
    """{file: {text of the line: (fewest branches, most)}}: see the head of coverage.txt."""
    result = collections.defaultdict(dict)
    name = None
    with open(LISTED, encoding="utf-8") as file:
        for row in file:
            if row.startswith("    "):
                few, most, text = re.fullmatch(r" +(\d+)(?:-(\d+))? +(.*)\n", row).groups()
                before = result[name].get(text, (0, 0))
                result[name][text] = (before[0] + int(few), before[1] + int(most or few))
            elif row.strip() and not row.startswith("#"):
                name = row.strip()
    return result


def differences(name, missed, known):
    """Lines that tell how what is not taken of a file differs from the list."""
    for text, numbers in missed.items():
        most = known.get(text, (0, 0))[1]
        if len(numbers) > most:
            yield f"{name}:{numbers[0]}: {len(numbers)} not taken, {most} listed: {text}"
    for text, (few, _) in known.items():
        count = len(missed.get(text, []))
        if count < few:
            yield f"{name}: {few} listed, {count} not taken: {text}"


def print_new(missed, known):
    for name in sorted(missed):
        rows = [(text, len(numbers)) for text, numbers in missed[name].items()]
        rows = [row for row in rows if row[1] > known[name].get(row[0], (0, 0))[1]]
        if rows:
            print("\n".join([name] + [f"    {count} {text}" for text, count in rows]))


def main():
    os.chdir(os.path.dirname(os.path.abspath(__file__)) + "/..")
    options = [argument for argument in sys.argv[1:] if argument.startswith("-")]
    names = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if not options and not names:
        forget()
    if not options:
        subprocess.run(["tests/run.sh"] + (names or all_tests()), check=True)
    files, known = measured(), listed()
    missed = {name: not_taken(name, lines) for name, lines in files.items()}
    if options == ["--new"]:
        print_new(missed, known)
        return 0
    passed = failed = 0
    for name in sorted(set(missed) | set(known)):
        wrong = list(differences(name, missed.get(name, {}), known[name]))
        print("".join(f"not ok {line}\n" for line in wrong), end="")
        passed, failed = passed + (not wrong), failed + bool(wrong)
    for room in FLOORS:
        counts = [n for name in files if name.startswith(room + "/") for line in files[name].values() for n in line]
        percent = 100 * (1 - counts.count(0) / max(len(counts), 1))
        reached = bool(counts) and percent >= FLOORS[room]
        word = "ok    " if reached else "not ok"
        print(f"{word} {room}: {percent:.2f} % of {len(counts)} branches (floor {FLOORS[room]} %, goal {GOAL} %)")
        passed, failed = passed + reached, failed + (not reached)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
