"""Running commands and keeping what they took."""

import os
import signal
import statistics
import subprocess
import tempfile

ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("SOURCE_DATE_EPOCH", "LC_ALL", "LANG")}
ENVIRONMENT["LC_ALL"] = "C"
HANGS = 1800  # seconds after which a command is given up
PROGRAMS = {}  # "took": where the program is that runs the commands; told at the start


class Failed(Exception):
    """A command did not end well; says which and how."""


class Run:
    """What one run of a command took. CPU and peak are of all its processes: peak is
    the largest of any one of them."""

    def __init__(self, took, out):
        self.wall, self.cpu, self.peak = took["wall"], took["cpu"], took["peak"]
        self.out = out

    def measures(self):
        return measures(self.out)


def measures(text):
    """The lines "name, tab, value, tab, unit" of our own programs."""
    lines = (line.split("\t") for line in text.splitlines())
    return {fields[0]: float(fields[1]) for fields in lines if len(fields) == 3}


def last_line(file):
    file.seek(0)
    lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def finish(process):
    """Waits for it. If we are interrupted or it hangs, it ends with all that it has started."""
    try:
        return process.wait(timeout=HANGS)
    except subprocess.TimeoutExpired as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise Failed(f"no end after {HANGS} s") from error
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


def run(command, cwd=None, keep=False):
    """A list of arguments, or a pipeline as a string for bash. keep: its output is wanted."""
    if isinstance(command, str):
        command = ["bash", "-c", "set -o pipefail; " + command]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors, tempfile.NamedTemporaryFile() as took:
        process = subprocess.Popen(
            [PROGRAMS["took"], took.name, *command],
            cwd=cwd,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=out if keep else subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        if finish(process) != 0:
            raise Failed(f"{' '.join(command)[:200]}: exit code {process.returncode}: {last_line(errors)}")
        out.seek(0)
        return Run(measures(took.read().decode()), out.read().decode(errors="replace"))


class Series:
    """The values of one figure, one a round."""

    def __init__(self):
        self.values = []

    def add(self, value):
        self.values.append(value)

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def low(self):
        return min(self.values)

    @property
    def high(self):
        return max(self.values)


class Row:
    """One contestant of a section: "ours", a "peer", a "floor", or only there for "scale"."""

    def __init__(self, name, kind):
        self.name, self.kind = name, kind
        self.figures = {}

    def add(self, figure, value):
        self.figures.setdefault(figure, Series()).add(value)

    def median(self, figure):
        series = self.figures.get(figure)
        return series.median if series else None


class Section:
    """A table: what was measured, by whom, and what could not be."""

    def __init__(self, key, title, figures, compared=None, text=(), floors=None):
        self.key, self.title = key, title
        self.figures = figures  # names, in order; see report.py for their units
        self.compared = compared  # the figure of which ratios are shown
        self.text = list(text)  # definitions, a sentence each
        self.floors = floors or {}  # row: its floor, where it is not the section's first; None: none
        self.rows = {}
        self.missing = {}  # row: why it was not measured

    def row(self, name, kind):
        return self.rows.setdefault(name, Row(name, kind))

    def miss(self, name, why):
        self.missing[name] = why
        self.rows.pop(name, None)


class Curve:
    """How something grows: points of x and of some figures, one run each."""

    def __init__(self, key, title, x, figures, text=()):
        self.key, self.title, self.x = key, title, x
        self.figures = figures  # name: unit
        self.text = list(text)
        self.points = []  # x and a dictionary of figures

    def add(self, x, figures):
        self.points.append((x, figures))

    def column(self, figure):
        return [(x, values[figure]) for x, values in self.points if figure in values]


class Contestant:
    """A command that takes part in the rounds of a section."""

    def __init__(
        self,
        name,
        kind,
        command,
        out=None,
        needs=(),
        rounds=None,
        before=None,
        after=None,
        measures=None,
        cwd=None,
        option=None,
    ):
        self.name, self.kind, self.command, self.out = name, kind, command, out
        self.needs = needs  # programs
        self.rounds = rounds  # at most so many
        self.before, self.after = before, after
        self.measures = measures  # for our own programs: figure by the name under which they print it
        self.cwd = cwd
        self.option = option  # of memfs: (subcommand, option) without which it cannot be measured

    def go(self, row):
        if self.before:
            self.before()
        try:
            took = run(self.command, cwd=self.cwd, keep=self.measures is not None)
            if self.measures is None:
                row.add("wall", took.wall)
                row.add("cpu", took.cpu)
                row.add("peak", took.peak)
                if self.out:
                    row.add("size", os.path.getsize(self.out))
            else:
                told = took.measures()
                for figure, name in self.measures.items():
                    row.add(figure, told[name])
        finally:
            if self.after:
                self.after()
