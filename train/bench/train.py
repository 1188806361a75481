# SPDX-License-Identifier: Apache-2.0
"""Measures the solver of package train against scikit-learn and R's glmnet; see
../BENCH-SOLVER.md.

Programs run in rounds, each once a round, on the same data with two threads
each, and time the fit alone. Prints a table of requirements and writes all
runs as JSON; exits 1 if a requirement is not met.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
THREADS = "2"
FOLDS_LOSS = 1e-8  # to which out-of-fold losses must agree with the exact optimum
SINGLE_LAMBDA = 1e-6  # a row
STREAMED = (5_000_000, 100, "1300MB")  # rows, columns, --max-memory
STREAMED_PEAK_MB = 1536
STREAMED_SMALL = (200_000, 100, "500MB")  # that scikit-learn fits too
STREAMED_WEIGHTS = 1e-9


def note(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def make(path, rows, cols):
    """Correlated normals, a fifth of them cut to rare indicators and a fifth
    skewed, standardised; half of the columns matter."""
    if path.with_suffix(".y").exists():
        return
    note(f"making {path}")
    r = np.random.default_rng(7)
    beta = r.normal(0, 1, cols) * (r.random(cols) < 0.5) * 0.35
    mix = (np.eye(cols) + 0.75 * r.normal(0, 1, (cols, cols)) / np.sqrt(cols)).astype(np.float32)
    x, y = np.empty((rows, cols), np.float32), np.empty(rows, np.uint8)
    fifth = cols // 5
    for at in range(0, rows, 100_000):
        n = min(100_000, rows - at)
        part = r.standard_normal((n, cols), dtype=np.float32) @ mix
        part[:, :fifth] = part[:, :fifth] > 1
        skewed = part[:, fifth : 2 * fifth]
        part[:, fifth : 2 * fifth] = np.sign(skewed) * np.log1p(3 * np.abs(skewed))
        y[at : at + n] = r.random(n) < 1 / (1 + np.exp(2 - part @ beta))
        if at == 0:
            mean, sd = part.mean(axis=0), part.std(axis=0)
        x[at : at + n] = (part - mean) / sd
    x.tofile(path.with_suffix(".x"))
    y.tofile(path.with_suffix(".y"))


class Bench:
    def __init__(self, args):
        self.args, self.checks, self.runs = args, [], {}

    def run(self, name, case, tol=None):
        """Runs one program on a case and returns what it printed. With a
        tolerance the figures count, not the time: one thread does not spin."""
        env = os.environ | {"GOMAXPROCS": THREADS}
        for slow in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # a peer takes the kernel that fits the processor
            env.pop(slow, None)
        for library in ("OPENBLAS", "OMP", "MKL"):
            env[f"{library}_NUM_THREADS"] = "1" if tol else self.args.peer_threads
        if name.startswith("holdfast"):
            text = json.dumps(case | {"AVX2": name.endswith("AVX2")})
            env["HOLDFAST_BENCH"] = text
            argv = [self.args.binary.resolve(), "-test.run", "^TestBench$", "-test.v"]
        elif name == "glmnet":
            lambdas = ",".join(map(repr, case["Lambdas"]))
            argv = ["Rscript", HERE / "glmnet.R", case["Data"], str(case["Rows"]), str(case["Cols"]), lambdas]
        elif name == "LightGBM":
            argv = [sys.executable, HERE / "boost.py", json.dumps(case)]
        else:
            argv = [sys.executable, HERE / "fit.py", json.dumps(case | ({"tol": tol} if tol else {}))]
        done = subprocess.run([str(a) for a in argv], env=env, capture_output=True, text=True)
        lines = [line for line in done.stdout.splitlines() if line.startswith("bench:")]
        if done.returncode != 0 or not lines:
            raise SystemExit(f"{name}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        out = json.loads(lines[0].removeprefix("bench:"))
        note(f"  {name}: {out['CPU']:.3f} s of CPU")
        return out

    def compete(self, title, case, names):
        note(f"{title}: {', '.join(names)}, {self.args.pairs} rounds")
        runs = {name: [] for name in names}
        for i in range(self.args.pairs):
            for name in names[i % len(names) :] + names[: i % len(names)]:
                runs[name].append(self.run(name, case))
        self.runs[title] = runs
        return runs

    def ratio(self, title, runs, peer, ours, bound):
        found = statistics.median(p["CPU"] / o["CPU"] for p, o in zip(runs[peer], runs[ours], strict=True))
        self.checks.append((title, f"CPU, {peer} / {ours}", found, ">=", bound))

    def agree(self, title, case, ours, which):
        """Compares losses with scikit-learn's at a tolerance that leaves nothing
        to gain; its own default leaves up to some 1e-7."""
        exact = self.run("scikit-learn", case | {"Lambdas": [case["Lambdas"][i] for i in which]}, tol=1e-10)
        for name in ours:
            worst = max(abs(self.runs[title][name][0]["Losses"][i] - v) for i, v in zip(which, exact["Losses"], strict=True))
            self.checks.append((title, f"largest difference of losses, {name}", worst, "<=", FOLDS_LOSS))

    def path(self, rows, cols, peers, factor, which):
        case = self.case(rows, cols)
        case["Lambdas"] = [float(rows * 10 ** (-1 - 5 * i / 14)) for i in range(15)]
        title = f"15 penalties x 5 folds, {rows:,} x {cols}"
        ours = ["holdfast", "holdfast AVX2"]
        runs = self.compete(title, case, ours + peers)
        for peer in peers:
            self.ratio(title, runs, peer, "holdfast", factor)
            self.ratio(title, runs, peer, "holdfast AVX2", factor / 2)
        self.agree(title, case, ours, which)

    def single(self, rows, cols, factor):
        case = self.case(rows, cols) | {"Lambdas": [SINGLE_LAMBDA * rows]}
        title = f"one fit, {rows:,} x {cols}"
        ours = ["holdfast", "holdfast AVX2"]
        runs = self.compete(title, case, ours + ["scikit-learn"])
        self.ratio(title, runs, "scikit-learn", "holdfast", factor)
        self.ratio(title, runs, "scikit-learn", "holdfast AVX2", factor / 2)
        best = self.run("scikit-learn", case, tol=1e-12)["Theta"]
        for name in ours:
            worst = max(abs(a - b) for a, b in zip(runs[name][0]["Theta"], best, strict=True))
            self.checks.append((title, f"largest difference of weights, {name}", worst, "<=", 1e-6))

    def boost(self, rows, cols):
        """The goal: a search no slower than LightGBM's."""
        case = self.case(rows, cols)
        case["Lambdas"] = [float(rows * 10 ** (-1 - 5 * i / 14)) for i in range(15)]
        title = f"search, {rows:,} x {cols}"
        runs = self.compete(title, case, ["holdfast", "LightGBM"])
        self.ratio(title, runs, "LightGBM", "holdfast", 1)

    def stream(self, rows, cols, memory):
        """Memory and CPU of a whole `holdfast train` whose rows do not fit."""
        run, model = self.train(rows, cols, memory)
        title = f"holdfast train, {rows:,} x {cols}, --max-memory {memory}"
        self.runs[title] = {"holdfast": [run]}
        self.checks.append((title, "peak memory, MB", run["PeakMB"], "<=", STREAMED_PEAK_MB))
        self.checks.append((title, "rows that were fitted", model["provenance"]["rows"] if run["Streamed"] else 0, ">=", rows))

    def agreement(self, rows, cols, memory):
        """The weights of a streamed fit against scikit-learn's of all rows."""
        run, _ = self.train(rows, cols, memory, "--stages", "linear")
        if not run["Streamed"]:
            raise SystemExit(f"{rows} rows fit into {memory}")
        argv = [sys.executable, HERE / "agree.py", self.model(), self.table(rows, cols), "churned"]
        done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=True)
        worst = json.loads(done.stdout.removeprefix("bench:"))["Worst"]
        title = f"streamed, {rows:,} x {cols}, linear"
        self.runs[title] = {"holdfast": [run]}
        self.checks.append((title, "largest difference of weights, scikit-learn", worst, "<=", STREAMED_WEIGHTS))

    def train(self, rows, cols, memory, *options):
        """Runs `holdfast train` on a made-up table and returns what it took and the model's JSON."""
        argv = [self.args.holdfast, "train", "--table", self.table(rows, cols), "--label", "churned", "--id", "id", "--max-memory", memory,
                "--workers", THREADS, "--json", "-o", self.model(), *options]
        note(" ".join(map(str, argv[1:])))
        began = time.monotonic()
        done = subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE)
        printed = json.loads(done.stdout.read())
        _, status, used = os.wait4(done.pid, 0)
        if status != 0:
            raise SystemExit(f"holdfast: status {status}")
        return {
            "CPU": used.ru_utime + used.ru_stime,
            "Seconds": time.monotonic() - began,
            "PeakMB": used.ru_maxrss / 1024,
            "Streamed": printed["provenance"].get("streamed"),
        }, printed

    def model(self):
        return self.args.work / "streamed.json"

    def table(self, rows, cols):
        path = self.args.work.resolve() / f"wide-{rows}x{cols}.parquet"
        if not path.exists():
            note(f"making {path}")
            part = path.with_suffix(".part")
            subprocess.run([sys.executable, HERE / "wide.py", part, str(rows), str(cols)], check=True)
            part.rename(path)
        return path

    def case(self, rows, cols):
        data = self.args.work.resolve() / f"fit-{rows}x{cols}"
        make(data, rows, cols)
        return {"Data": str(data), "Rows": rows, "Cols": cols}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", help="small, single, large, boost, stream; all by default")
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--binary", type=pathlib.Path, default=pathlib.Path("bin/train.test"))
    parser.add_argument("--holdfast", type=pathlib.Path, default=pathlib.Path("bin/holdfast"))
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--peer-threads", default=THREADS)
    args = parser.parse_args()
    b = Bench(args)
    for case in args.cases or ["small", "single", "large", "boost", "stream"]:
        match case:
            case "small":
                b.path(100_000, 50, ["scikit-learn", "glmnet"], 15, range(15))
            case "single":
                b.single(1_000_000, 60, 7)
            case "large":
                b.path(1_000_000, 60, ["scikit-learn"], 40, [0, 4, 8, 11, 14])
            case "boost":
                b.boost(1_000_000, 60)
            case "stream":
                b.stream(*STREAMED)
                b.agreement(*STREAMED_SMALL)
            case _:
                raise SystemExit(f"case {case!r}: must be small, single, large, boost or stream")
    (args.work / "bench-train.json").write_text(json.dumps({"runs": b.runs, "checks": b.checks}, indent=1))
    met = True
    for title, what, found, sign, bound in b.checks:
        ok = found >= bound if sign == ">=" else found <= bound
        met = met and ok
        print(f"{title:40} {what:45} {found:10.3g}  {sign} {bound:<6g} {'' if ok else 'NOT MET'}")
    for title, runs in b.runs.items():
        for name, of in runs.items():
            median = statistics.median(r["CPU"] for r in of)
            extra = statistics.median(r.get("ExactFoldsCPU") or 0 for r in of)
            print(f"{title:40} {name:20} {median:8.3f} s of CPU" + (f", exact folds {extra:.3f}" if extra else ""))
    sys.exit(0 if met else 1)


main()
