# SPDX-License-Identifier: Apache-2.0
"""Measures scoring against scikit-learn, ONNX Runtime and DuckDB, its memory,
the start of the program and a scheduler's run; see ../BENCH.md.

Prints a table of runs and a table of requirements, writes both as JSON, and
exits 1 if a requirement is not met.
"""

import argparse
import hashlib
import json
import os
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "features" / "bench"))

import measure  # noqa: E402
from measure import Program, median, ratio  # noqa: E402

THREADS = 2
PEAK_MB = 200


def short(n):
    return f"{n // 10**6}m" if n % 10**6 == 0 else f"{n // 1000}k"


class Bench:
    def __init__(self, args):
        self.args = args
        self.work = args.work.resolve() / "predict"
        self.work.mkdir(parents=True, exist_ok=True)
        self.log = str(self.work / "log.txt")
        self.runs, self.checks = {}, []

    def note(self, text):
        print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    def python(self, name, script, *argv, output=""):
        script = HERE / script if not pathlib.Path(script).is_absolute() else script
        env = {k: str(THREADS) for k in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        return Program(name, [str(a) for a in (self.args.python, script, *argv)], str(output), env)

    def holdfast(self, name, *argv, output="", env=None):
        argv = [str(a) for a in (self.args.holdfast.resolve(), "--quiet", *argv)]
        return Program(name, argv, str(output), {"GOMAXPROCS": str(THREADS)} | (env or {}))

    def table(self, rows, *flags, name=""):
        """Returns a made table, in the page cache where it fits there."""
        path = self.work / f"{name or short(rows)}.parquet"
        if not path.exists():
            self.note(f"making {path}")
            measure.run(self.python("make", "make.py", path, rows, *flags), self.log)
        if path.stat().st_size < 4 << 30:
            with path.open("rb") as f:
                while f.read(1 << 20):  # a runner that grows would pass its peak on to its children
                    pass
        return path

    def model(self, stages="linear"):
        """Returns the model, and leaves the peers' weights beside it."""
        path = self.work / f"{stages}.json"
        if not path.exists():
            history = self.table(100_000, "--label", name="train")
            argv = ["train", "--table", history, "--label", "churned", "--id", "account_id", "--stages", stages]
            measure.run(self.holdfast("train", *argv, "-o", path), self.log)
        if stages == "linear" and not (self.work / "model.onnx").exists():
            measure.run(self.python("weights", "weights.py", path, self.work), self.log)
        return path

    def ours(self, table, model, name="holdfast", **env):
        output = self.work / f"{name.replace(' ', '-')}.parquet"
        argv = ["predict", "--table", table, "--model", model, "--id", "account_id", "-o", output]
        return self.holdfast(name, *argv, output=output, env=env)

    def compete(self, case, programs, pairs=None):
        pairs = pairs or self.args.pairs
        self.note(f"{case}: {', '.join(p.name for p in programs)}, {pairs} rounds")
        self.runs[case] = measure.interleave(programs, pairs, self.log)
        return self.runs[case]

    def require(self, case, what, found, required, goal=""):
        self.checks.append((case, what, found, required, goal))

    # The cases.

    def speed(self):
        """A million rows of 60 columns, a linear model, against the peers."""
        table, model = self.table(self.args.rows), self.model()
        programs = [self.ours(table, model)]
        for kind in ("sklearn", "onnx"):
            output = self.work / f"{kind}.parquet"
            programs.append(self.python(kind, "peer.py", kind, table, self.work, output, THREADS, output=output))
        output = self.work / "duckdb.parquet"
        programs.append(self.python("duckdb", "peer_duckdb.py", table, self.work, output, THREADS, output=output))
        runs = self.compete("speed", programs)
        measure.run(self.python("compare", "compare.py", *(p.output for p in programs)), self.log)
        us = runs["holdfast"]
        for name, required, goal in (("sklearn", ">= 5", "8"), ("onnx", ">= 4", "6"), ("duckdb", ">= 6", "8")):
            self.require("speed", f"CPU, {name} / ours", ratio(runs[name], us, "cpu_s"), required, goal)
        self.require("speed", "peak memory, MB", median(us, "peak_mb"), f"<= {PEAK_MB}")

    def memory(self):
        """Twenty times the rows in the same memory, and one large row group."""
        table = self.table(self.args.memory_rows)
        runs = self.compete("memory", [self.ours(table, self.model(), name="many rows")], pairs=1)
        self.require("memory", f"peak memory, {short(self.args.memory_rows)} rows, MB", median(runs["many rows"], "peak_mb"), f"<= {PEAK_MB}")
        table = self.table(self.args.rows, "--group", self.args.rows, name="one-group")
        runs = self.compete("one-group", [self.ours(table, self.model(), name="one row group")], pairs=1)
        self.require("memory", "peak memory, one row group, MB", median(runs["one row group"], "peak_mb"), f"<= {PEAK_MB}")

    def additive(self):
        """An additive model of curves, and values that are missing."""
        model = self.model("splines")
        table = self.table(self.args.rows, "--gaps", "0.05", name="gaps")
        runs = self.compete("additive", [self.ours(table, model, name="splines")])
        self.require("additive", "peak memory, MB", median(runs["splines"], "peak_mb"), f"<= {PEAK_MB}")

    def workers(self):
        """One, two and seven goroutines: the same bytes."""
        table, model, digests = self.table(self.args.rows), self.model(), set()
        for n in (1, 2, 7):
            p = self.ours(table, model, name=f"workers {n}")
            p.argv += ["--workers", str(n)]
            self.runs[p.name] = {p.name: [measure.run(p, self.log)]}
            digests.add(hashlib.sha256(pathlib.Path(p.output).read_bytes()).hexdigest())
        self.require("workers", "different files", len(digests), "<= 1")

    def start(self):
        """How long the program takes to start: the least of 30 runs, as other
        load can only add to it."""
        runs = self.compete("start", [self.holdfast("version", "version")], pairs=30)["version"]
        self.require("start", "holdfast version, wall ms", 1000 * min(r.wall_s for r in runs), "<= 20")

    def run(self):
        """The scheduler's call on 100 k accounts and 20 M events: the least wall
        time, and the CPU time."""
        folder = self.work / "run"
        if not (folder / "models" / "aliases.json").exists():
            measure.run(self.python("events", "history.py", self.args.reference, folder, self.args.events), self.log)
            measure.run(self.holdfast("train", "-C", folder, "train", "--as-of", "2024-07-01"), self.log)
            argv = ["models", "promote", "latest", "--approve", "bench", "--because", "no backtest is made here"]
            measure.run(self.holdfast("promote", "-C", folder, *argv), self.log)
        runs = []
        for _ in range(self.args.pairs):
            for file in (folder / "runs").glob("*/*"):
                file.unlink()
            argv = ["-C", folder, "run", "--as-of", "2024-07-01", "--max-age", "1y"]
            runs.append(measure.run(self.holdfast("run", *argv), self.log))
        self.runs["run"] = {"run": runs}
        self.require("run", "holdfast run, wall s", min(r.wall_s for r in runs), "<= 5")

    def report(self):
        print("case          program           CPU s  wall s  peak MB")
        for case, programs in self.runs.items():
            for name, runs in programs.items():
                print(f"{case:13} {name:16} {median(runs, 'cpu_s'):6.2f} {median(runs, 'wall_s'):7.2f} {median(runs, 'peak_mb'):8.0f}")
        print(f"\n{'case':10} {'requirement':42} {'found':>8}  required  goal")
        failed = 0
        for case, what, found, required, goal in self.checks:
            sign, bound = required.split()
            ok = found >= float(bound) if sign == ">=" else found <= float(bound)
            failed += not ok
            print(f"{case:10} {what:42} {found:8.2f}  {required:8}  {goal:4} {'' if ok else 'NOT MET'}")
        facts = {"runs": {c: {n: [vars(r) for r in rs] for n, rs in p.items()} for c, p in self.runs.items()}, "checks": self.checks}
        (self.work / "bench-predict.json").write_text(json.dumps(facts, indent=1))
        return failed


CASES = ["speed", "memory", "additive", "workers", "start", "run"]


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    p.add_argument("--work", type=pathlib.Path, default=ROOT / "bench-work")
    p.add_argument("--holdfast", type=pathlib.Path, default=ROOT / "bin" / "holdfast")
    p.add_argument("--reference", type=pathlib.Path, default=ROOT.parent / "shared" / "reference" / "features")
    p.add_argument("--python", type=pathlib.Path, default=pathlib.Path(sys.executable))
    p.add_argument("--pairs", type=int, default=3)
    p.add_argument("--rows", type=int, default=10**6)
    p.add_argument("--memory-rows", type=int, default=20 * 10**6)
    p.add_argument("--events", type=int, default=20 * 10**6)
    args = p.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    bench = Bench(args)
    for case in args.cases or CASES:
        getattr(bench, case)()
    sys.exit(1 if bench.report() else 0)


if __name__ == "__main__":
    main()
