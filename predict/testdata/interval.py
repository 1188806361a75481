# The interval of each probability, by numpy alone: direction k of the model's
# uncertainty in place of its weights makes reader.py give (column k of F) times x.
#   python interval.py model-5.json rows-2.csv > model-5.csv      (numpy 2)
import base64, copy, json, subprocess, sys, tempfile
import numpy as np
def odds(m):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        json.dump(m, f); f.flush()
        out = subprocess.run([sys.executable, sys.path[0] + "/reader.py", f.name, sys.argv[2]], capture_output=True, text=True, check=True).stdout
    p = np.array([float(line.split(",")[0]) for line in out.split()])
    return np.log(p) - np.log1p(-p)
m = json.load(open(sys.argv[1])); u, c = m["uncertainty"], m["calibration"]
F = (np.frombuffer(base64.b64decode(u["factor"]), "<u2").astype("<u4") << 16).view("<f4").reshape(-1, u["rank"])
variance = u["rest"]
plain = {"method": "none", "intercept": 0, "slope": 1}
for k in range(u["rank"]):
    d = copy.deepcopy(m); d["calibration"] = plain; f = iter(F[:, k].astype(float))
    d["intercept"] = next(f)
    columns = [b for t in d["terms"] for b in t["columns"]] + [d["scorecard"]] * ("scorecard" in d)
    columns += [b for p in d.get("pairs", []) for b in p["cells"]] + [r for t in d.get("tables", []) for r in t["rules"]]
    for b in columns: b["weight"] = next(f)
    variance = variance + odds(d) ** 2
raw, z = odds({**m, "calibration": plain}), odds(m)
a, b, d = c["covariance"]
half = 1.6448536269514722 * np.sqrt(c["slope"] ** 2 * variance + a + 2 * raw * b + raw ** 2 * d)
for low, high in zip(z - half, z + half): print("%.12g,%.12g" % (1 / (1 + np.exp(-low)), 1 / (1 + np.exp(-high))))
