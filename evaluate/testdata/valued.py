# SPDX-License-Identifier: Apache-2.0
"""More reference values for the cases of peers.json; writes valued.json.

Run in this folder, after peers.py:  python valued.py
Made with scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1, Python 3.11.7, numpy seed 20240518.

Average precision, accuracy, the isotonic fit and the value-weighted log loss, Brier score
and AUC are scikit-learn's. Recall at capacity has no peer that shares out ties: it is
computed from its definition in exact arithmetic. ICI with weights has none either (R's
lowess takes no weights): it is computed here row by row, each local line by numpy's
least squares.
"""
import json
import platform
from fractions import Fraction

import numpy as np
import scipy
import sklearn
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import accuracy_score, average_precision_score, brier_score_loss, log_loss, roc_auc_score

print(sklearn.__version__, np.__version__, scipy.__version__, platform.python_version())
rng = np.random.default_rng(20240518)


def recall(score, y, w, value, capacity):
    """Share of the churned value in the top capacity of the weight; the run on its edge counts pro rata."""
    w = [Fraction(float(x)) for x in w]
    value = [Fraction(float(x)) for x in value]
    room = sum(w) * Fraction(capacity)
    got = Fraction(0)
    for s in sorted(set(score), reverse=True):
        tied = [i for i in range(len(score)) if score[i] == s]
        own = sum(w[i] for i in tied)
        part = min(Fraction(1), room / own)
        got += part * sum((w[i] * value[i] for i in tied if y[i] == 1), Fraction(0))
        room -= part * own
        if room <= 0:
            break
    lost = sum((w[i] * value[i] for i in range(len(y)) if y[i] == 1), Fraction(0))
    return float(got / lost)


def smooth(p, y, w):
    """Local lines at the rows that lowess of R visits, with prior weights; interpolated between."""
    order = np.argsort(p, kind="stable")
    x, n = p[order], len(p)
    v = w[order]
    m = np.empty(n)
    for t in np.unique(x):
        tied = x == t
        m[tied] = np.sum(v[tied] * y[order][tied]) / np.sum(v[tied])
        v[tied] = np.mean(v[tied])  # so that it does not matter which of them the window cuts
    span = min(n, max(2, int(2 / 3 * n + 1e-7)))
    near = 0.01 * (x[-1] - x[0])
    at, fit = [], []
    i = 0
    while True:
        # the window of span rows whose farther edge is nearest to x[i]; the first of equals
        far = [max(x[i] - x[k], x[k + span - 1] - x[i]) for k in range(n - span + 1)]
        k = int(np.argmin(far))
        h = far[k]
        r = np.abs(x - x[i])
        c = np.where(r <= 0.001 * h, 1.0, (1 - np.minimum(r / h, 1) ** 3) ** 3 if h > 0 else 1.0)
        c = np.where(r <= 0.999 * h, c, 0.0) * v
        c[:k] = 0
        if c.sum() <= 0:
            fit.append(m[i])
        else:
            mean = np.sum(c * x) / c.sum()
            if np.sqrt(np.sum(c * (x - mean) ** 2) / c.sum()) > 0.001 * (x[-1] - x[0]):
                root = np.sqrt(c)
                line = np.linalg.lstsq(np.column_stack([root, root * (x - x[i])]), root * m, rcond=None)[0]
                fit.append(line[0])
            else:
                fit.append(np.sum(c * m) / c.sum())
        at.append(x[i])
        if x[i] == x[-1]:
            break
        later = np.flatnonzero(x > x[i] + near)
        last = np.flatnonzero(x == x[i])[-1]
        i = max(last + 1, (later[0] if len(later) else n) - 1)
    return np.interp(p, at, fit)


def mean_quantile(e, w, q):
    """Type 7 with steps of the mean weight of two neighbours."""
    o = np.lexsort((w, e))
    e, w = e[o], w[o]
    t = np.concatenate([[0], np.cumsum((w[1:] + w[:-1]) / 2)])
    return float(np.interp(q * t[-1], t, e))


out = []
for case in json.load(open("peers.json")):
    p, y = np.array(case["p"]), np.array(case["y"])
    w = np.ones(len(p)) if case["w"] is None else np.array(case["w"])
    value = np.round(np.exp(6 + 1.5 * rng.standard_normal(len(p))), 2)
    value[rng.random(len(p)) < 0.1] = 0
    has = value > 0
    q = np.clip(p, 1e-15, 1 - 1e-15)
    both = len(set(y)) == 2
    iso = IsotonicRegression(out_of_bounds="clip").fit(p, y, sample_weight=w).predict(p)
    rate = np.average(y, weights=w)
    s = (w * value)[has]
    error = np.abs(p - smooth(p, y, w))
    fitted = brier_score_loss(y, iso, sample_weight=w, pos_label=1)
    lost = bool((y * value).any())
    out.append({
        "name": case["name"], "value": value.tolist(),
        "ap": average_precision_score(y, p, sample_weight=w) if y.any() else None,
        "recall": recall(p, y, w, np.ones(len(p)), 0.25) if y.any() else None,
        "accuracy": accuracy_score(y, p >= 0.5, sample_weight=w), "majority": max(rate, 1 - rate),
        "mcb": brier_score_loss(y, p, sample_weight=w, pos_label=1) - fitted,
        "dsc": np.average((rate - y) ** 2, weights=w) - fitted, "unc": rate * (1 - rate),
        "ici": np.average(error, weights=w),
        # within ties the Go version spreads their weight evenly over their rows
        "e90": mean_quantile(error, np.array([np.mean(w[p == t]) for t in p]), 0.9),
        "value_log_loss": log_loss(y[has], q[has], sample_weight=s, labels=[0, 1]),
        "value_brier": brier_score_loss(y[has], p[has], sample_weight=s, pos_label=1),
        "value_auc": roc_auc_score(y[has], p[has], sample_weight=s) if len(set(y[has])) == 2 else None,
        "value_oe": np.sum(s * y[has]) / np.sum(s * p[has]),
        "value_recall": recall(p[has], y[has], w[has], value[has], 0.25) if lost else None,
        "value_recall_by_risk": recall((p * value)[has], y[has], w[has], value[has], 0.25) if lost else None,
    })

with open("valued.json", "w") as f:
    json.dump(out, f, separators=(",", ":"))
    f.write("\n")
