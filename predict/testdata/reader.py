import csv, json, sys
import numpy as np
m = json.load(open(sys.argv[1])); rows = list(csv.DictReader(open(sys.argv[2])))
z = np.full(len(rows), m["intercept"])
for t in m["terms"]:
    x = np.array([r[t["feature"]] for r in rows])
    if t["kind"] == "number":
        missing = x == ""
        x = np.clip(np.where(missing, t["median"], np.where(missing, "0", x).astype(float)), t["low"], t["high"])
    else:
        x = np.where(x == "", "(missing)", x)
        x = np.where(np.isin(x, [b["level"] for b in t["columns"]]), x, "other")
    for b in t["columns"]:
        if b["kind"] == "linear": u = np.sign(x) * np.log1p(np.abs(x)) if b["transform"] == "signed_log" else x
        else: u = (missing if b["kind"] == "missing" else x == b["level"]) * 1.0
        z = z + b["weight"] * np.clip((u - b["mean"]) / b["sd"], -5, 5)
z = m["calibration"]["intercept"] + m["calibration"]["slope"] * z
base = m["score"]["base_rate"]
health = np.clip(60 - 12 * (z / np.log(2) - np.log2(base / (1 - base))), 0, 100)
for pair in zip(1 / (1 + np.exp(-z)), health): print("%.17g,%.17g" % pair)
