# SPDX-License-Identifier: Apache-2.0
"""Reference results for package train, computed without any of its code.

Reads two seeded tables it makes itself (plain.csv, hard.csv) and, if it is
there, the telco table of the shared data folder. Cleans and standardises them
as METHODS.md section 3 says, fits scikit-learn, and writes peers.json. Also
fits calibration maps with scipy and sandwich errors with plain numpy loops.

Run from this folder:  python peers.py [path to telco.parquet]
Made with Python 3.11.7, numpy 2.4.6, pandas 3.1.1, scipy 1.17.1, scikit-learn 1.9.1.
"""
import json
import os
import sys

import numpy as np
import pandas as pd
import scipy
import sklearn
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

SEED = 20240117
TELCO = "../../../shared/data/tabular/telco/telco.parquet"


def make_plain():
    """300 rows, weights 1, five numbers and one level of four values; one
    number is skewed, one is missing in 12 % of the rows."""
    rng = np.random.default_rng(SEED)
    n = 300
    z = rng.normal(size=(n, 5))
    visits = np.floor(np.exp(1.5 + z[:, 2]))
    gap = np.round(30 + 12 * z[:, 3] + 4 * z[:, 0], 2)
    gap[rng.random(n) < 0.12] = np.nan
    plan = rng.choice(["basic", "plus", "pro", "trial"], n, p=[0.5, 0.3, 0.17, 0.03])
    eta = -0.8 + 0.7 * z[:, 0] - 0.6 * z[:, 1] - 0.5 * np.log1p(visits) + 0.4 * (plan == "basic") + 0.9
    y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int)
    return pd.DataFrame({
        "y": y, "weight": 1.0, "group": [f"a{i // 2}" for i in range(n)],
        "age:number": np.round(50 + 9 * z[:, 0], 1), "seats:number": np.round(z[:, 1], 3),
        "visits:number": visits, "gap:number": gap, "noise:number": np.round(z[:, 4], 3), "plan:level": plan})


def make_hard():
    """150 rows, half of them snapshots of weight 1/2; columns on scales from
    1e-6 to 1e7, one the sum of two others, one the double of another but for
    noise, a heavy tail beyond 5 standard deviations, missing levels."""
    rng = np.random.default_rng(SEED + 1)
    n = 150
    a, b, c, d = rng.normal(size=(4, n))
    tail = np.round(rng.standard_t(1.5, n), 3)
    region = rng.choice(["north", "south", "east", "tiny", "other"], n, p=[0.4, 0.3, 0.16, 0.03, 0.11]).astype(object)
    region[rng.random(n) < 0.1] = np.nan
    y = (rng.random(n) < 1 / (1 + np.exp(1 - a - 0.8 * b))).astype(int)
    big, small = np.round(1e7 * a), np.round(1e-6 * b, 9)
    return pd.DataFrame({
        "y": y, "weight": np.where(np.arange(n) % 2 == 0, 1.0, 0.5), "group": [f"g{i % 40}" for i in range(n)],
        "big:number": big, "small:number": small, "sum:number": np.round(a + b, 6),
        "twice:number": np.round(2 * a + 0.4 * c, 4), "tail:number": tail, "free:number": np.round(d, 3),
        "region:level": region})


def quantile(x, w, q):
    o = np.argsort(x, kind="stable")
    c = np.cumsum(w[o])
    return float(x[o][np.searchsorted(c, q * c[-1] - 1e-9 * c[-1])])


def skew(x, w):
    m = np.average(x, weights=w)
    return np.average((x - m) ** 3, weights=w) / np.average((x - m) ** 2, weights=w) ** 1.5


def signed_log(x):
    return np.sign(x) * np.log1p(np.abs(x))


def columns(df):
    """The raw basis columns, by name, before standardising."""
    w = df.weight.to_numpy(float)
    total = w.sum()
    out = {}
    for name in df.columns[3:]:
        feature, kind = name.split(":")
        if kind == "number":
            x = df[name].to_numpy(float)
            known = ~np.isnan(x)
            missing = w[~known].sum() / total
            transform = lambda v: v
            word = "identity"
            before, after = abs(skew(x[known], w[known])), abs(skew(signed_log(x[known]), w[known]))
            if before > 1 and after < (1 - 1e-6) * before:
                transform, word = signed_log, "signed_log"
            filled = np.where(known, x, quantile(x[known], w[known], 0.5))
            out[f"{feature}|linear|{word}"] = transform(filled)
            if missing > 0.001:
                out[f"{feature}|missing|"] = (~known).astype(float)
        else:
            v = df[name].astype(object).where(df[name].notna(), "(missing)").to_numpy()
            need = max(10, total / 400)
            share = {l: w[v == l].sum() for l in sorted(set(v))}
            common = [l for l in share if share[l] >= need and l != "other"]
            rest = ~np.isin(v, common)
            for l in common:
                out[f"{feature}|level|{l}"] = (v == l).astype(float)
            if w[rest].sum() >= need:
                out[f"{feature}|level|other"] = rest.astype(float)
    return out


def design(df):
    cols = columns(df)
    w = df.weight.to_numpy(float)
    X = np.column_stack(list(cols.values()))
    mean = np.average(X, axis=0, weights=w)
    sd = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=w))
    return list(cols), np.clip((X - mean) / sd, -5, 5), mean, sd


def fit(df, lam):
    names, X, mean, sd = design(df)
    y, w = df.y.to_numpy(), df.weight.to_numpy(float)
    m = LogisticRegression(C=1 / lam, solver="newton-cholesky", tol=1e-10, max_iter=1000).fit(X, y, sample_weight=w)
    theta = np.r_[m.intercept_[0], m.coef_[0]]
    se = sandwich(np.c_[np.ones(len(X)), X], y, w, df.group.to_numpy(), theta, lam)
    return {"lambda": lam, "intercept": theta[0], "columns": [
        {"name": n, "mean": a, "sd": s, "weight": t, "se": e} for n, a, s, t, e in zip(names, mean, sd, theta[1:], se[1:])]}


def sandwich(X, y, w, group, theta, lam):
    p = 1 / (1 + np.exp(-X @ theta))
    L = lam * np.eye(X.shape[1])
    L[0, 0] = 0
    A = np.zeros_like(L)
    for x, wi, pi in zip(X, w, p):
        A += wi * pi * (1 - pi) * np.outer(x, x)
    A += L
    M = np.zeros_like(L)
    for g in sorted(set(group)):
        s = ((w * (p - y))[group == g][:, None] * X[group == g]).sum(axis=0)
        M += np.outer(s, s)
    Ai = np.linalg.inv(A)
    return np.sqrt(np.diag(Ai @ (M + L) @ Ai))


def calibration():
    """80 log-odds with outcomes, and the two maps that fit them under the priors."""
    rng = np.random.default_rng(SEED + 2)
    z = np.round(rng.normal(-1, 1.5, 80), 3)
    y = (rng.random(80) < 1 / (1 + np.exp(0.4 - 0.7 * z))).astype(int)
    w = np.where(np.arange(80) % 3 == 0, 1.0, 0.5)

    def loss(t, intercept, slope):
        zc = t[0] + t[1] * z
        return (w * (np.logaddexp(0, zc) - y * zc)).sum() + intercept / 2 * t[0] ** 2 + slope / 2 * (t[1] - 1) ** 2

    tight = dict(method="Nelder-Mead", options=dict(xatol=1e-11, fatol=1e-15, maxiter=20000, maxfev=20000))
    platt = minimize(loss, [0, 1], args=(0, 1 / 0.09), **tight).x
    shift = minimize(lambda a: loss([a[0], 1], 1 / 0.09, 0), [0], **tight).x
    return {"z": z.tolist(), "y": y.tolist(), "w": w.tolist(), "platt": platt.tolist(), "shift": float(shift[0])}


def main():
    out = {"versions": {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__, "pandas": pd.__version__}}
    for name, df, lam in (("plain", make_plain(), 3.0), ("hard", make_hard(), 0.25)):
        df.to_csv(f"{name}.csv", index=False, float_format="%.10g")
        out[name] = fit(pd.read_csv(f"{name}.csv", keep_default_na=False, na_values=[""]), lam)
    telco = sys.argv[1] if len(sys.argv) > 1 else TELCO
    if os.path.exists(telco):
        t = pd.read_parquet(telco)
        df = pd.DataFrame({"y": t.target.astype(int), "weight": 1.0, "group": t.customerID})
        for c in t.columns:
            if c in ("target", "customerID"):
                continue
            df[c + (":number" if pd.api.types.is_numeric_dtype(t[c]) else ":level")] = t[c]
        out["telco"] = fit(df, 10.0)
        for c in out["telco"]["columns"]:  # coefficients only: the data stay where they are
            del c["mean"], c["sd"]
    out["calibration"] = calibration()
    names, X, _, _ = design(pd.read_csv("plain.csv").drop(columns="plan:level"))
    pd.DataFrame(X, columns=[n.replace("|", "_") for n in names]).assign(y=make_plain().y).to_csv("glm.csv", index=False, float_format="%.12g")
    with open("peers.json", "w") as f:
        json.dump(out, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
