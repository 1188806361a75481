import csv, json, sys
import numpy as np
m = json.load(open(sys.argv[1]))
LEVELS = {t["feature"] for t in m["terms"] if t["kind"] == "level"}
def splines(knots, degree, x):  # all B-splines on clamped knots: Cox and de Boor
    t, x = [knots[0]] * degree + knots + [knots[-1]] * degree, np.clip(x, knots[0], knots[-1])
    piece = min(max(np.searchsorted(knots, x, "right"), 1), len(knots) - 1) + degree - 1
    B = [float(i == piece) for i in range(len(t) - 1)]
    for d in range(1, degree + 1):
        up = [(x - a) / (b - a) if b > a else 0 for a, b in zip(t, t[d:])]
        B = [up[i] * B[i] + (1 - up[i + 1]) * B[i + 1] for i in range(len(B) - 1)]
    return B
def nearest(at, x): return at[np.searchsorted((np.array(at[1:]) + at[:-1]) / 2, x)]
def line(o, x, low, high):
    x = np.clip(x, low, high)
    return np.sign(x) * np.log1p(abs(x)) if o["transform"] == "signed_log" else x
def add(o, u, limit=np.inf): return o.get("weight", 1) * np.clip((u - o["mean"]) / o["sd"], -limit, limit)
def column(t, b, x):  # what a column of a term adds
    kind, at, index = b["kind"], b.get("at", 0), b.get("index", 0)
    own = [c.get("level", c.get("at", 0)) for c in t["columns"] if c["kind"] == kind]
    if kind == "level": return add(b, x == b["level"] or b["level"] == "other" and x not in own, 5)
    if kind == "missing": return add(b, np.isnan(x), 5)
    if kind == "linear": return add(b, line(b, t["median"] if np.isnan(x) else x, t["low"], t["high"]), 5)
    if kind in ("value", "spike"): return add(b, (nearest(own, x) if kind == "value" else x) == at and not np.isnan(x))
    B = [0] * (index + 1) if np.isnan(x) else splines(t["knots"], 3, x)
    return add(b, B[index] if kind == "spline" else sum(B[index:]))
def side(s, x):  # the columns of a side of a pair
    kind = s["kind"]
    if kind == "level": return [x == level for level in s["levels"]] + [x not in s["levels"]]
    known = 0 if np.isnan(x) else x
    if kind == "value": U = [v == nearest(s["values"], known) for v in s["values"]]
    elif kind == "linear": U = [add(s, line(s, known, s.get("low", 0), s.get("high", 0)), 5)]
    else: U = splines(s["knots"], 2, known)
    if kind == "cumulated": U = [sum(U[k:]) for k in range(1, len(U))]
    return list(np.array(U) * (not np.isnan(x))) + [np.isnan(x)] * s.get("missing", False)
def holds(c, x):  # a condition of a rule, a criterion of a scorecard
    if "levels" in c: return (x in c["levels"]) != c.get("not", False)
    if np.isnan(x): return c.get("missing", False)
    return (not (x <= c.get("above", np.nan) or x > c.get("at_most", np.nan) or x < c.get("at_least", np.nan) or x >= c.get("below", np.nan))
            and not ("points" in c and c.get("missing") and not c.keys() & {"above", "at_most", "at_least", "below"}))
def measured(q, x):
    if x == "(missing)" or x != x: return q["missing"]
    return q.get("scores", {}).get(x, q.get("other", 0)) if isinstance(x, str) else 100 * np.clip((x - q["worst"]) / (q["best"] - q["worst"]), 0, 1)
def card(c, X):  # the score s
    if c["method"] == "pillars":
        of = [(p["weight"], [(q["weight"], measured(q, X[q["feature"]])) for q in p["measures"]]) for p in c["pillars"]]
        return np.average([np.average([s for _, s in q], weights=[u for u, _ in q]) for _, q in of], weights=[w for w, _ in of])
    caps, points = {g["name"]: g for g in c.get("groups", [])}, {}
    for r in c["criteria"]: points[r.get("group")] = points.get(r.get("group"), 0) + r["points"] * holds(r, X[r["feature"]])
    total = sum(np.clip(p, caps.get(g, {}).get("min", -np.inf), caps.get(g, {}).get("max", np.inf)) for g, p in points.items())
    return 100 * (np.clip(total, c["least"], c["most"]) - c["least"]) / (c["most"] - c["least"])
for row in csv.DictReader(open(sys.argv[2])):
    X = {k: (v or "(missing)") if k in LEVELS else float(v or "nan") for k, v in row.items()}
    z = m["intercept"] + sum(column(t, b, X[t["feature"]]) for t in m["terms"] for b in t["columns"])
    for p in m.get("pairs", []):
        U, V = [side(s, X[s["feature"]]) for s in p["sides"]]
        z += sum(add(c, U[c["i"]] * V[c["j"]]) for c in p["cells"])
    z += sum(add(r, all(holds(c, X[c["feature"]]) for c in r["conditions"])) for t in m.get("tables", []) for r in t["rules"])
    if "scorecard" in m: z += add(m["scorecard"], card(m["scorecard"], X))
    c, base = m["calibration"], m["score"]["base_rate"]
    if "knots" in c:
        p = np.interp(z, [k["z"] for k in c["knots"]], [k["p"] for k in c["knots"]])
        z = np.log(p / (1 - p))
    z = c["intercept"] + c["slope"] * z
    if "segments" in c: z += sum(s["intercept"] for s in c["segments"]["shifts"] if s["level"] == X[c["segments"]["feature"]])
    print("%.17g,%.17g" % (1 / (1 + np.exp(-z)), np.clip(60 - 12 * (z / np.log(2) - np.log2(base / (1 - base))), 0, 100)))
