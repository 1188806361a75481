# SPDX-License-Identifier: Apache-2.0
"""Measures `holdfast features` against DuckDB and Polars; see ../BENCH.md.

Prints a table of runs and a table of requirements, writes both as JSON, and
exits 1 if a requirement is not met.
"""

import argparse
import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import shutil
import sys
import time

import measure
from measure import Program, median, ratio
from spill import kill_spilling, leftovers

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
THREADS = 2
MEMORY_LIMIT, MEMORY_PEAK_MB = "512MB", 640
LOW_MEMORY = "256MB"


@dataclasses.dataclass
class Check:
    """One requirement, and what was found."""

    case: str
    what: str
    found: float
    required: str  # such as ">= 7", "<= 1.5"
    goal: str = ""

    def ok(self):
        sign, bound = self.required.split()
        return self.found >= float(bound) if sign == ">=" else self.found <= float(bound)


def short(n):
    for unit, size in (("m", 10**6), ("k", 10**3)):
        if n % size == 0:
            return f"{n // size}{unit}"
    return str(n)


class Bench:
    def __init__(self, args):
        self.args = args
        self.work = args.work.resolve()
        self.out = self.work / "out"
        self.out.mkdir(parents=True, exist_ok=True)
        self.log = str(self.out / "log.txt")
        self.runs = {}  # case -> program -> runs
        self.checks = []

    def note(self, text):
        print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    # What is run.

    def python(self, name, script, *argv, output=""):
        script = HERE / script if (HERE / script).exists() else self.args.reference / script
        env = {"POLARS_MAX_THREADS": str(THREADS)}
        return Program(name, [str(a) for a in (self.args.python, script, *argv)], str(output), env)

    def data(self, events, accounts, text=False):
        """Returns the folder of an event log, made where it is not there yet."""
        folder = self.work / f"{short(events)}-{short(accounts)}{'-text' if text else ''}"
        if not folder.exists():
            self.note(f"making {folder}")
            partial = folder.with_name(folder.name + ".partial")
            shutil.rmtree(partial, ignore_errors=True)
            argv = [partial, events, accounts] + (["string"] if text else [])
            measure.run(self.python("gen", "gen.py", *argv), self.log)
            partial.rename(folder)
        for file in folder.glob("events/*/*.parquet"):
            file.read_bytes()  # into the page cache, so that no run waits for the disk
        return folder

    def ours(self, name, folder, snapshots, *flags, env=None, output=None):
        without = ["--without", self.args.without] if self.args.without else []
        measure.run(self.python("prepare", "prepare.py", folder, snapshots, *without), self.log)
        output = output or self.out / f"{name}.parquet"
        project = folder / f"holdfast-{snapshots}"
        argv = [self.args.holdfast.resolve(), "-C", project, "--quiet", "features", "--history", "-o", output]
        env = {"GOMAXPROCS": str(THREADS)} | (env or {})
        return Program(name, [str(a) for a in [*argv, *flags]], str(output), env)

    def peer(self, name, folder, snapshots):
        output = self.out / f"{name}.parquet"
        tail = {"duckdb band": ("band", THREADS)}.get(name, ())
        script = {"duckdb band": "duck.py", "duckdb asof": "duck_asof.py", "polars": "pol.py"}[name]
        return self.python(name, script, folder, snapshots, output, *tail, output=output)

    def compete(self, case, programs):
        self.note(f"{case}: {', '.join(p.name for p in programs)}, {self.args.pairs} rounds")
        self.runs[case] = measure.interleave(programs, self.args.pairs, self.log)
        return self.runs[case]

    def require(self, case, what, found, required, goal=""):
        self.checks.append(Check(case, what, found, required, goal))

    def equal(self, case, folder, snapshots, ours):
        """Compares a frame of ours with DuckDB's, which is made once and kept."""
        theirs = folder / f"duckdb-{snapshots}.parquet"
        if not theirs.exists():
            made = self.peer("duckdb band", folder, snapshots)
            measure.run(made, self.log)
            shutil.move(made.output, theirs)
        without = ["--without", self.args.without] if self.args.without else []
        argv = [ours.output, theirs, folder / f"{snapshots}.parquet", *without]
        try:
            measure.run(self.python("compare", "compare.py", *argv), self.log)
            self.require(case, "frames that differ from DuckDB's", 0, "<= 0")
        except measure.Failed as e:
            self.note(str(e))
            self.require(case, "frames that differ from DuckDB's", 1, "<= 0")

    # The cases.

    def speed(self):
        """Two snapshots an account: the default mode against every peer."""
        folder = self.data(self.args.events, self.args.accounts)
        ours = self.ours("holdfast", folder, "snap2")
        peers = ["duckdb band", "polars"] + (["duckdb asof"] if self.args.all_queries else [])
        runs = self.compete("speed", [ours] + [self.peer(p, folder, "snap2") for p in peers])
        self.equal("speed", folder, "snap2", ours)
        us, duckdb = runs["holdfast"], self.best_duckdb(runs)
        self.require("speed", "CPU, DuckDB / ours", ratio(duckdb, us, "cpu_s"), ">= 7", "10")
        self.require("speed", "CPU, Polars / ours", ratio(runs["polars"], us, "cpu_s"), ">= 5", "7")
        self.require("speed", "peak memory, DuckDB / ours", ratio(duckdb, us, "peak_mb"), ">= 2.5", "4")

    def low_memory(self):
        """The same with events on disk past a small bound."""
        folder = self.data(self.args.events, self.args.accounts)
        ours = self.ours(f"holdfast --max-memory {LOW_MEMORY}", folder, "snap2", "--max-memory", LOW_MEMORY)
        runs = self.compete("low-memory", [ours, self.peer("duckdb band", folder, "snap2")])
        self.equal("low-memory", folder, "snap2", ours)
        us, duckdb = runs[ours.name], runs["duckdb band"]
        self.require("low-memory", "CPU, DuckDB / ours", ratio(duckdb, us, "cpu_s"), ">= 5")
        self.require("low-memory", "peak memory, DuckDB / ours", ratio(duckdb, us, "peak_mb"), ">= 4")

    def monthly(self):
        """24 snapshots an account, a month apart."""
        folder = self.data(self.args.events, self.args.monthly_accounts)
        ours = self.ours("holdfast", folder, "snap24")
        peers = ["duckdb asof"] + (["duckdb band", "polars"] if self.args.all_queries else [])
        runs = self.compete("monthly", [ours] + [self.peer(p, folder, "snap24") for p in peers])
        self.equal("monthly", folder, "snap24", ours)
        found = ratio(self.best_duckdb(runs), runs["holdfast"], "cpu_s")
        self.require("monthly", "CPU, DuckDB / ours", found, ">= 14", "20")

    def strings(self):
        """Text ids against integer ids, the events being the same."""
        text = self.data(self.args.events, self.args.accounts, text=True)
        number = self.data(self.args.events, self.args.accounts)
        programs = [self.ours("text ids", text, "snap2"), self.ours("integer ids", number, "snap2")]
        runs = self.compete("strings", programs)
        self.equal("strings", text, "snap2", programs[0])
        found = ratio(runs["text ids"], runs["integer ids"], "cpu_s")
        self.require("strings", "CPU, text / integer", found, "<= 1.5")

    def growth_events(self):
        """Ten times the events of the same accounts."""
        many = self.data(self.args.events, self.args.accounts)
        few = self.data(self.args.events // 10, self.args.accounts)
        programs = [self.ours("all events", many, "snap2"), self.ours("a tenth", few, "snap2")]
        runs = self.compete("growth-events", programs)
        found = ratio(runs["all events"], runs["a tenth"], "cpu_s")
        self.require("growth-events", "CPU, 10x events", found, "<= 11")

    def growth_snapshots(self):
        """Ten times the snapshots of each account: 20 against 2."""
        folder = self.data(self.args.events, self.args.growth_accounts)
        programs = [self.ours("20 snapshots", folder, "snap20"), self.ours("2 snapshots", folder, "snap2")]
        runs = self.compete("growth-snapshots", programs)
        found = ratio(runs["20 snapshots"], runs["2 snapshots"], "cpu_s")
        self.require("growth-snapshots", "CPU, 10x snapshots an account", found, "<= 4")

    def memory(self):
        """A history larger than the memory allowed: the same bytes, and nothing
        left behind by a run that was killed while it spilled."""
        require = functools.partial(self.require, "memory")
        folder = self.data(self.args.memory_events, self.args.accounts)
        free = self.ours("no limit", folder, "snap2")
        scratch = self.out / "scratch"  # nothing but the limited run writes here
        spill = scratch / "tmp"
        shutil.rmtree(scratch, ignore_errors=True)
        spill.mkdir(parents=True)
        flags, env = ["--max-memory", MEMORY_LIMIT], {"TMPDIR": str(spill)}
        limited = self.ours("limited", folder, "snap2", *flags, env=env, output=scratch / "frame.parquet")

        self.note(f"memory: no limit, {MEMORY_LIMIT}, killed, {MEMORY_LIMIT} again")
        runs = self.runs["memory"] = {}
        for name, program in (("no limit", free), (MEMORY_LIMIT, limited)):
            runs[name] = [measure.run(program, self.log)]
        peak = runs[MEMORY_LIMIT][0].peak_mb
        require(f"peak MB under --max-memory {MEMORY_LIMIT}", peak, f"<= {MEMORY_PEAK_MB}")
        require("frames that differ from the one without limit", int(digest(free) != digest(limited)), "<= 0")
        require("files left by a run that ended", len(leftovers(scratch, limited)), "<= 0")

        pathlib.Path(limited.output).unlink()
        require("runs killed while they spilled", int(kill_spilling(limited, spill, self.log)), ">= 1")
        self.note(f"the kill left {len(leftovers(scratch, limited))} files")
        measure.run(limited, self.log)
        require("files left by the kill after the next run", len(leftovers(scratch, limited)), "<= 0")
        require("frames after the kill that differ", int(digest(free) != digest(limited)), "<= 0")

    @staticmethod
    def best_duckdb(runs):
        found = [r for name, r in runs.items() if name.startswith("duckdb")]
        return min(found, key=lambda r: median(r, "cpu_s"))

    # What is said of it.

    def markdown(self):
        lines = ["| case | program | runs | CPU s | wall s | peak MB |", "|---|---|--:|--:|--:|--:|"]
        for case, programs in self.runs.items():
            for name, runs in programs.items():
                cpu, wall, peak = (median(runs, f) for f in ("cpu_s", "wall_s", "peak_mb"))
                lines.append(f"| {case} | {name} | {len(runs)} | {cpu:.2f} | {wall:.2f} | {peak:.0f} |")
        lines += ["", "| case | what | found | required | goal | met |", "|---|---|--:|--:|--:|---|"]
        for c in self.checks:
            met = "yes" if c.ok() else "NO"
            lines.append(f"| {c.case} | {c.what} | {c.found:.4g} | {c.required} | {c.goal} | {met} |")
        return "\n".join(lines)

    def json(self):
        as_dicts = {case: {name: [dataclasses.asdict(r) for r in runs] for name, runs in programs.items()}
                    for case, programs in self.runs.items()}
        checks = [dataclasses.asdict(c) | {"met": c.ok()} for c in self.checks]
        sizes = {k: v for k, v in vars(self.args).items() if isinstance(v, int) and not isinstance(v, bool)}
        return json.dumps({"sizes": sizes, "threads": THREADS, "runs": as_dicts, "checks": checks}, indent=1)


def digest(program):
    with open(program.output, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


CASES = {
    "speed": Bench.speed,
    "low-memory": Bench.low_memory,
    "monthly": Bench.monthly,
    "strings": Bench.strings,
    "growth-events": Bench.growth_events,
    "growth-snapshots": Bench.growth_snapshots,
    "memory": Bench.memory,
}


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("cases", nargs="*", metavar="CASE", help=f"default: all of {', '.join(CASES)}")
    p.add_argument("--work", type=pathlib.Path, default=ROOT / "bench-work", help="folder of the data")
    p.add_argument("--holdfast", type=pathlib.Path, default=ROOT / "bin/holdfast")
    p.add_argument("--python", default=sys.executable, help="the Python that has the peers")
    p.add_argument("--reference", type=pathlib.Path, default=ROOT.parent / "shared/reference/features",
                   help="folder of gen.py and the peers' queries")
    p.add_argument("--pairs", type=int, default=3, help="rounds of each case")
    p.add_argument("--events", type=int, default=20_000_000)
    p.add_argument("--accounts", type=int, default=100_000)
    p.add_argument("--monthly-accounts", type=int, default=10_000)
    p.add_argument("--growth-accounts", type=int, default=100_000, help="of growth-snapshots")
    p.add_argument("--memory-events", type=int, default=100_000_000)
    p.add_argument("--all-queries", action="store_true", help="also the peers' slower queries: up to 17 GB")
    p.add_argument("--without", default="", help="aggregates that this binary lacks, such as tenure,ratio")
    p.add_argument("--json", type=pathlib.Path, help="default: bench-features.json in the folder --work")
    a = p.parse_args()
    if unknown := set(a.cases) - set(CASES):
        p.error(f"unknown case {', '.join(sorted(unknown))}; expected {', '.join(CASES)}")
    if not (a.reference / "gen.py").exists():
        p.error(f"{a.reference}: no gen.py; name the folder of the reference scripts with --reference")
    if not a.holdfast.exists():
        p.error(f"{a.holdfast}: no such file; run make build")
    return a


def main():
    a = arguments()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])  # children inherit it
    b = Bench(a)
    for case in a.cases or CASES:
        try:
            CASES[case](b)
        except measure.Failed as e:  # the other cases still say something
            b.note(str(e))
            b.require(case, "cases that ran to their end", 0, ">= 1")
    print(b.markdown())
    (a.json or b.work / "bench-features.json").write_text(b.json() + "\n")
    sys.exit(0 if all(c.ok() for c in b.checks) else 1)


if __name__ == "__main__":
    main()
