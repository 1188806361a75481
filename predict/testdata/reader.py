import csv, json, sys
import numpy as np
m = json.load(open(sys.argv[1])); rows = list(csv.DictReader(open(sys.argv[2])))
def values(t):
    x = np.array([r[t["feature"]] for r in rows])
    return np.where(x == "", "(missing)", x) if t["kind"] == "level" else np.where(x == "", "nan", x).astype(float)
X = {t["feature"]: values(t) for t in m["terms"]}
def splines(knots, degree, x):  # all B-splines on clamped knots, one a row: Cox and de Boor
    t, x = np.r_[[knots[0]] * degree, knots, [knots[-1]] * degree], np.clip(x, knots[0], knots[-1])
    piece = np.clip(np.searchsorted(knots, x, "right"), 1, len(knots) - 1) + degree - 1
    B = [1.0 * (piece == i) for i in range(len(t) - 1)]
    for d in range(1, degree + 1):
        up = [(x - a) / (b - a) if b > a else 0 * x for a, b in zip(t, t[d:])]
        B = [up[i] * B[i] + (1 - up[i + 1]) * B[i + 1] for i in range(len(B) - 1)]
    return np.array(B)
def cumulated(B): return np.cumsum(B[::-1], 0)[::-1]
def nearest(at, x): return np.searchsorted((np.array(at)[1:] + at[:-1]) / 2, x) == np.arange(len(at))[:, None]
def linear(o, x, low, high):
    x = np.clip(x, low, high)
    return np.sign(x) * np.log1p(np.abs(x)) if o["transform"] == "signed_log" else x
def standardised(o, u): return (u - o["mean"]) / o["sd"]
def clipped(o, u): return np.clip(standardised(o, u), -5, 5)
def term(t, x):
    if t["kind"] == "level":
        x = np.where(np.isin(x, [b["level"] for b in t["columns"]]), x, "other")
        return sum(b["weight"] * clipped(b, x == b["level"]) for b in t["columns"])
    f, known, at = 0, ~np.isnan(x), [b.get("at", 0) for b in t["columns"] if b["kind"] == "value"]
    if t.get("knots"): B = splines(t["knots"], 3, x)
    for b in t["columns"]:
        kind, k = b["kind"], b.get("index", 0)
        if kind == "linear": v = clipped(b, linear(b, np.where(known, x, t["median"]), t["low"], t["high"]))
        elif kind == "missing": v = clipped(b, ~known)
        elif kind == "spike": v = standardised(b, x == b.get("at", 0))
        elif kind == "value": v = standardised(b, known & nearest(at, x)[at.index(b.get("at", 0))])
        else: v = standardised(b, np.where(known, B[k] if kind == "spline" else cumulated(B)[k], 0))
        f = f + b["weight"] * v
    return f
def side(s, x):
    if s["kind"] == "level":
        U = [x == level for level in s["levels"]]
        return np.array(U + [~np.any(U, 0)])
    if s["kind"] == "value": U = nearest(s["values"], x)
    elif s["kind"] == "linear": U = [clipped(s, linear(s, x, s.get("low", 0), s.get("high", 0)))]
    else: U = splines(s["knots"], 2, x)
    if s["kind"] == "cumulated": U = cumulated(U)[1:]
    return np.vstack([np.where(np.isnan(x), 0, U)] + [np.isnan(x)] * s.get("missing", False))
def holds(c, x):
    if "levels" in c: return np.isin(x, c["levels"]) != c.get("not", False)
    return np.where(np.isnan(x), c.get("missing", False), ~(x <= c.get("above", np.nan)) & ~(x > c.get("at_most", np.nan)))
z = m["intercept"] + sum(term(t, X[t["feature"]]) for t in m["terms"])
for p in m.get("pairs", []):
    U, V = [side(s, X[s["feature"]]) for s in p["sides"]]
    z = z + sum(c["weight"] * standardised(c, U[c["i"]] * V[c["j"]]) for c in p["cells"])
for r in [r for t in m.get("tables", []) for r in t["rules"]]:
    z = z + r["weight"] * standardised(r, np.all([holds(c, X[c["feature"]]) for c in r["conditions"]], 0))
z = m["calibration"]["intercept"] + m["calibration"]["slope"] * z
base = m["score"]["base_rate"]
health = np.clip(60 - 12 * (z / np.log(2) - np.log2(base / (1 - base))), 0, 100)
for pair in zip(1 / (1 + np.exp(-z)), health): print("%.17g,%.17g" % pair)
