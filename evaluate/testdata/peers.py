# SPDX-License-Identifier: Apache-2.0
"""Reference values for the metrics, from other software; writes peers.json.

Run in this folder:  python peers.py && Rscript peers.R
Made with scikit-learn 1.9.1, numpy 2.4.6, Python 3.11.7, numpy seed 20240517;
peers.R adds what R says of the same cases (peers_r.json).

log loss, Brier and AUC are scikit-learn's. ECE, lift and O:E have no peer
with weights and whole ties; they are computed here from their definitions, row
by row and without any code in common with the Go version.
"""
import json
from fractions import Fraction

import numpy as np
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

rng = np.random.default_rng(20240517)


def draw(n, base, slope, decimals=None, weights=None):
    """Outcomes of z = base + noise, and predictions whose slope is off."""
    z = base + 1.2 * rng.standard_normal(n)
    y = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(float)
    p = 1 / (1 + np.exp(-(0.1 + slope * z + 0.3 * rng.standard_normal(n))))
    if decimals is not None:
        p = np.round(p, decimals)
    w = None
    if weights == "thirds":  # 1/K of K snapshots
        w = 1 / rng.integers(1, 6, n)
    elif weights == "wide":
        w = np.exp(rng.standard_normal(n))
    return p, y, w


def ece(p, y, w):
    """A run of equal p goes to bin floor(10 (below + half its weight) / all + 1e-9); exact arithmetic."""
    w = [Fraction(float(x)) for x in w]
    total = sum(w)
    bins = {}
    for v in np.unique(p):
        tied = [i for i in range(len(p)) if p[i] == v]
        below = sum((w[i] for i in range(len(p)) if p[i] < v), Fraction(0))
        own = sum(w[i] for i in tied)
        k = int(10 * (below + own / 2) / total + Fraction(1, 10**9))
        bins.setdefault(k, []).extend(tied)
    gap = Fraction(0)
    for rows in bins.values():
        gap += abs(sum(w[i] * (Fraction(float(y[i])) - Fraction(float(p[i]))) for i in rows))
    return float(gap / total)


def lift(p, y, w):
    """Churned weight in the top tenth of the weight; the run on its edge counts pro rata."""
    w = [Fraction(float(x)) for x in w]
    room = sum(w) / 10
    got = Fraction(0)
    for v in sorted(set(p), reverse=True):
        tied = [i for i in range(len(p)) if p[i] == v]
        own = sum(w[i] for i in tied)
        part = min(Fraction(1), room / own)
        got += part * sum(w[i] for i in tied if y[i] == 1)
        room -= part * own
        if room <= 0:
            break
    churned = sum(w[i] for i in range(len(p)) if y[i] == 1)
    return float(10 * got / churned)


cases = []


def add(name, p, y, w):
    v = np.ones(len(p)) if w is None else w
    q = np.clip(p, 1e-15, 1 - 1e-15)
    cases.append({
        "name": name, "p": p.tolist(), "y": y.tolist(), "w": None if w is None else w.tolist(),
        "log_loss": log_loss(y, q, sample_weight=v, labels=[0, 1]),
        "brier": brier_score_loss(y, p, sample_weight=v, pos_label=1),
        "auc": roc_auc_score(y, p, sample_weight=v) if len(set(y)) == 2 else None,
        "ece": ece(p, y, v),
        "lift": lift(p, y, v) if y.any() else None,
        "oe": float(np.sum(v * y) / np.sum(v * p)),
    })


add("continuous", *draw(400, -1.5, 1.0))
add("rare and too extreme", *draw(500, -3.0, 1.6))
add("ties", *draw(300, -1.0, 0.7, decimals=1))
add("weights of snapshots", *draw(300, -1.5, 1.0, weights="thirds"))
add("wide weights and ties", *draw(250, -0.5, 0.8, decimals=2, weights="wide"))
add("fewer rows than bins", np.array([0.1, 0.4, 0.35, 0.8, 0.3]), np.array([0.0, 0.0, 1.0, 1.0, 0.0]), None)
p, y, w = draw(200, -1.0, 1.0)
p[:3], y[:3] = [0, 1, 1], [0, 1, 0]  # certain, and once wrong
add("p of 0 and 1", p, y, None)
add("constant p", np.full(60, 0.25), (np.arange(60) % 3 == 0).astype(float), None)
add("nobody churned", np.linspace(0.01, 0.3, 40), np.zeros(40), None)
add("everybody churned", np.linspace(0.5, 0.9, 40), np.ones(40), np.linspace(1, 2, 40))

with open("peers.json", "w") as f:
    json.dump(cases, f, separators=(",", ":"))
    f.write("\n")
