# SPDX-License-Identifier: Apache-2.0
"""Measures how well `holdfast train` predicts, beside its peers; see ../BENCH.md.

Prints a table of figures and a table of requirements, writes both as JSON,
and exits 1 if a requirement is not met.
"""

import argparse
import dataclasses
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import pyarrow.parquet as pq

import peers
import tables

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.append(str(ROOT / "features/bench"))
import measure  # noqa: E402  the runner that bench-features has

THREADS = 2
OURS, PLAIN = "holdfast", "plain LR"
TREES = ("EBM", "LightGBM", "CatBoost")  # whose calibration ours must match, and whose best is the goal
WORSE = 0.002  # how much worse than a plain logistic regression is never allowed
BOUNDS = {  # mean test log loss of a table: required, goals
    "telco": (0.4085, "0.4068"),
    "mlc_churn": (0.1850, "0.1705, 0.1483"),
    "hotel_inn": (0.3356, "0.3120, 0.2668"),
}
HISTORIES = {"oulad": (0.1245, "0.1225"), "online_retail": (0.5604, "0.557")}
NULL, NULL_BAND = "ravenstack", 0.0010  # a history with nothing to find, and how near its constant to stay
REFUSED = 5  # exit code of a quality gate
RUNS = 5  # of the speed case
REPEATS = 0.05  # share of test rows that repeat a training row from which the others are shown apart


@dataclasses.dataclass
class Check:
    """One requirement, and what was found; without a bound it only tells."""

    case: str
    what: str
    found: float
    required: str  # such as "<= 0.4085", or nothing
    goal: str = ""

    def met(self):
        if not self.required:
            return ""
        bound = float(self.required.removeprefix("<= "))
        return "yes" if self.found <= bound else "NO"  # NaN, of a run that failed, is not met


class Cache:
    """Figures of the peers, which change with their versions only."""

    def __init__(self, file):
        self.file = file

    def read(self):
        return json.loads(self.file.read_text()) if self.file.exists() else {}

    def get(self, key, made_with):
        found = self.read().get(key)
        return found if found and found["made_with"] == made_with else None

    def put(self, key, made_with, figures):
        found = self.read() | {key: figures | {"made_with": made_with}}
        partial = self.file.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n")
        partial.rename(self.file)


class Bench:
    def __init__(self, args, scratch):
        self.args = args
        self.scratch = pathlib.Path(scratch)
        self.log = str(args.work / "log.txt")
        self.cache = Cache(args.work / "peers.json")
        self.found = {}  # table -> program -> figures of each split
        self.checks = []

    def note(self, text):
        print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    def require(self, case, what, found, required="", goal=""):
        self.checks.append(Check(case, what, found, required, goal))

    def tables(self):
        for source in tables.sources(self.args.tables):
            if not self.args.only or source.name in self.args.only:
                yield source.read(self.args.splits)

    # What is run.

    def holdfast(self, *argv):
        env = {"GOMAXPROCS": str(THREADS)}
        return measure.Program(OURS, [str(a) for a in (self.args.holdfast, "--quiet", *argv)], "", env)

    def ours(self, table, part):
        """Trains on a part's training rows through files, as a user would, and
        judges what predict writes."""
        train, test, model, scores = (self.scratch / f for f in ("train.parquet", "test.parquet", "m.json", "s.parquet"))
        table.write(train, part.train)
        table.write(test, part.test, label=False)
        by = ["--id", table.id] if table.id else []
        run = measure.run(self.holdfast("train", "--table", train, "--label", tables.LABEL, *by, "-o", model), self.log)
        measure.run(self.holdfast("predict", "--table", test, "--model", model, *by, "-o", scores), self.log)
        p = pq.read_table(scores)["p_churn"].to_numpy()
        if len(p) != len(part.test) or not np.isfinite(p).all():
            raise measure.Failed(f"{table.name} {part.name}: {len(p)} scores of {len(part.test)} rows, or some not finite")
        return table.judge(part, p) | {"cpu_s": run.cpu_s}

    def peer(self, name, table, part):
        """Returns cached figures, or makes them; None where only cached ones are wanted."""
        key, made_with = f"{table.name}/{part.name}/{name}", f"{peers.recipe(name)}, data {table.digest(part)}"
        if (found := self.cache.get(key, made_with)) or self.args.cached:
            return found
        began = time.monotonic()
        x, test = table.features.iloc[part.train], table.features.iloc[part.test]
        figures = table.judge(part, peers.predict(name, x, table.y[part.train], test))
        self.cache.put(key, made_with, figures | {"wall_s": time.monotonic() - began})
        return figures

    # The cases.

    def splits(self):
        """The given splits of every table, against every peer."""
        for t in self.tables():
            found = self.found[t.name] = {}
            for name in peers.PEERS:
                each = [self.peer(name, t, part) for part in t.splits]
                if all(each):
                    found[name] = each
                    self.note(f"{t.name}: {name} {mean(each):.4f}")
            try:
                found[OURS] = []
                for i, part in enumerate(t.splits):
                    f = self.ours(t, part)
                    found[OURS].append(f)
                    beside = f", plain LR {found[PLAIN][i]['all']['log_loss']:.4f}" if PLAIN in found else ""
                    self.note(f"{t.name} {part.name}: {f['all']['log_loss']:.4f}{beside}, {f['cpu_s']:.1f} s of CPU")
            except measure.Failed as e:
                self.note(str(e))
                found[OURS] = []
            self.judge_splits(t.name, found)

    def judge_splits(self, name, found):
        ours, trees = found[OURS], {p: found[p] for p in TREES if p in found}  # with --cached perhaps not all
        bound, goal = BOUNDS.get(name, (None, ""))
        if bound or not trees:
            self.require(name, "log loss", mean(ours), f"<= {bound:.4f}" if bound else "", goal)
        if PLAIN in found:
            self.require(name, "log loss, ours - plain LR", mean(ours) - mean(found[PLAIN]), f"<= {WORSE}")
        if trees:
            names = ", ".join(trees)
            best = min(mean(t) for t in trees.values())
            self.require(name, f"log loss, ours - best of {names}", mean(ours) - best, "", "0")
            middle = statistics.median(mean(t, "ece") for t in trees.values())
            self.require(name, f"ECE, ours - median of {names}", mean(ours, "ece") - middle,
                         "<= 0" if len(trees) == len(TREES) else "")

    def small(self):
        """Random draws of few training rows, against the plain logistic regression."""
        for t in self.tables():
            worse = []
            try:
                for part in t.small(self.args.draws, self.args.rows):
                    if plain := self.peer(PLAIN, t, part):
                        ours = self.ours(t, part)
                        worse.append(ours["all"]["log_loss"] - plain["all"]["log_loss"])
                        self.note(f"{t.name} {part.name}: {ours['all']['log_loss']:.4f}, {worse[-1]:+.4f} "
                                  f"against plain LR, {ours['cpu_s']:.1f} s of CPU")
            except measure.Failed as e:
                self.note(str(e))
                worse = [math.nan]
            if worse:
                what = f"of {len(worse)} draws of {self.args.rows} rows, ours - plain LR"
                self.require(t.name, f"worst {what}", max(worse), f"<= {WORSE}")
                self.require(t.name, f"mean {what}", statistics.mean(worse))

    def speed(self):
        """The CPU time of `holdfast train` on all rows of telco."""
        file = self.args.data / "tabular/telco/telco.parquet"
        train = ["train", "--table", file, "--label", tables.LABEL, "--id", tables.IDS["telco"]]
        program = self.holdfast(*train, "-o", self.scratch / "telco.json")
        try:
            cpu = statistics.median(measure.run(program, self.log).cpu_s for _ in range(RUNS))
        except measure.Failed as e:
            self.note(str(e))
            cpu = math.nan
        self.require("speed", f"CPU s of train on telco, median of {RUNS}", cpu, "<= 1.5")

    def histories(self):
        """Out-of-time log loss on real histories, and that nothing is found in one that has nothing."""
        for name, (bound, goal) in HISTORIES.items():
            self.require(name, "log loss out of time", self.backtest(name).get(OURS, math.nan), f"<= {bound}", goal)
        found = self.backtest(NULL)
        gap = found.get(OURS, math.nan) - found.get("base_rate", math.nan)
        self.require(NULL, "log loss out of time, ours - constant", gap, f"<= {NULL_BAND}")
        self.require(NULL, "the same, its size", abs(gap))
        self.require(NULL, "models promoted", found.get("promoted", math.nan), "<= 0")

    def backtest(self, name):
        """Trains, evaluates and asks for promotion in a project of links to a
        history; returns pooled log losses by candidate, and `promoted`."""
        project = self.scratch / name
        project.mkdir()
        for file in (self.args.data / name).iterdir():
            (project / file.name).symlink_to(file.resolve())
        self.note(f"{name}: train, evaluate")
        try:
            measure.run(self.holdfast("-C", project, "train"), self.log)
            measure.run(self.holdfast("-C", project, "evaluate", "-o", project / "report"), self.log)
        except measure.Failed as e:
            self.note(str(e))
            return {}
        report = json.loads((project / "report/report.json").read_text())
        found = {c["name"]: c["pooled"]["log_loss"] for c in report["candidates"] if c.get("pooled")}
        promote = self.holdfast("-C", project, "models", "promote", "latest").argv
        code = subprocess.run(promote, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
        return found | ({"promoted": int(code == 0)} if code in (0, REFUSED) else {})

    # What is said of it.

    def markdown(self):
        lines = ["| table | program | splits | log loss | AUC | ECE |", "|---|---|--:|--:|--:|--:|"] if self.found else []
        for table, programs in self.found.items():
            for rows in ("all", "fresh"):
                shown = {n: e for n, e in programs.items() if e and (rows == "all" or repeats(e))}
                for name, each in sorted(shown.items(), key=lambda item: mean(item[1], rows=rows)):
                    title = table if rows == "all" else f"{table}, rows not in training"
                    log_loss, auc, ece = (mean(each, what, rows) for what in ("log_loss", "auc", "ece"))
                    lines.append(f"| {title} | {name} | {len(each)} | {log_loss:.4f} | {auc:.4f} | {ece:.4f} |")
        lines += [""] * bool(lines) + ["| case | what | found | required | goal | met |", "|---|---|--:|--:|--:|---|"]
        for c in self.checks:
            lines.append(f"| {c.case} | {c.what} | {c.found:.4f} | {c.required} | {c.goal} | {c.met()} |")
        return "\n".join(lines)

    def json(self):
        checks = [dataclasses.asdict(c) | {"found": number(c.found), "met": c.met()} for c in self.checks]
        made_with = {name: peers.recipe(name) for name in peers.PEERS}
        return json.dumps({"peers": made_with, "tables": self.found, "checks": checks}, indent=1)


def mean(each, what="log_loss", rows="all"):
    """The mean over the splits of one figure; NaN where a run failed."""
    return statistics.mean(e[rows][what] for e in each) if each else math.nan


def repeats(each):
    return all("fresh" in e for e in each) and statistics.mean(e["fresh_share"] for e in each) <= 1 - REPEATS


def number(x):
    return x if math.isfinite(x) else None


CASES = {"splits": Bench.splits, "small": Bench.small, "speed": Bench.speed, "histories": Bench.histories}


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("cases", nargs="*", metavar="CASE", help=f"default: all of {', '.join(CASES)}")
    p.add_argument("--work", type=pathlib.Path, default=ROOT / "bench-work", help="folder of the cached peers")
    p.add_argument("--holdfast", type=pathlib.Path, default=ROOT / "bin/holdfast")
    p.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared/data", help="folder of tables and histories")
    p.add_argument("--tables", type=pathlib.Path, action="append", default=[], metavar="DIR",
                   help="more tables: T.parquet with a column target, T_split<i>.csv beside it or in splits/; repeatable")
    p.add_argument("--only", action="append", default=[], metavar="TABLE", help="not the other tables; repeatable")
    p.add_argument("--splits", type=int, help="only the first so many splits of each table")
    p.add_argument("--draws", type=int, default=20, help="of the case small, from each table")
    p.add_argument("--rows", type=int, default=1000, help="of a draw")
    p.add_argument("--cached", action="store_true", help="run no peer: leave out what is not cached")
    p.add_argument("--json", type=pathlib.Path, help="default: bench-quality.json in the folder --work")
    a = p.parse_args()
    if unknown := set(a.cases) - set(CASES):
        p.error(f"unknown case {', '.join(sorted(unknown))}; expected {', '.join(CASES)}")
    if not a.holdfast.exists():
        p.error(f"{a.holdfast}: no such file; run make build")
    a.tables.insert(0, a.data / "tabular")
    for folder in a.tables:
        if not any(tables.sources([folder])):
            p.error(f"{folder}: no T.parquet with T_split<i>.csv in it")
    if missing := set(a.only) - {s.name for s in tables.sources(a.tables)}:
        p.error(f"no table {', '.join(sorted(missing))} in {', '.join(map(str, a.tables))}")
    a.holdfast, a.work = a.holdfast.resolve(), a.work.resolve()
    a.json = a.json or a.work / "bench-quality.json"
    a.work = a.work / "quality"
    a.work.mkdir(parents=True, exist_ok=True)
    return a


def main():
    a = arguments()
    with tempfile.TemporaryDirectory(prefix="holdfast-quality-") as scratch:
        b = Bench(a, scratch)
        for case in a.cases or CASES:
            CASES[case](b)
    print(b.markdown())
    a.json.write_text(b.json() + "\n")
    sys.exit(1 if any(c.met() == "NO" for c in b.checks) else 0)


if __name__ == "__main__":
    main()
