# SPDX-License-Identifier: Apache-2.0
"""Turns a linear model of Holdfast into what its peers score with.

    weights.py MODEL FOLDER

Leaves in FOLDER: weights.json (z = b + sum w x, and m, from which w (x - m) is a
reason), sklearn.joblib and model.onnx with the same weights as float32.
"""

import json
import pathlib
import sys

import joblib
import numpy as np
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression


def linear(model):
    """Returns the weights of a model without clipping, gaps and curves."""
    slope, b = model["calibration"]["slope"], model["intercept"]
    names, w, m = [], [], []
    for term in model["terms"]:
        column = next(c for c in term["columns"] if c["kind"] == "linear")
        for other in term["columns"]:
            if other is not column:  # a flag of missing values, of which there are none
                b += other["weight"] * min(max(-other["mean"] / other["sd"], -5), 5)
                term["ref_mean"] -= other["weight"] * min(max(-other["mean"] / other["sd"], -5), 5)
        each = column["weight"] / column["sd"]
        names.append(term["feature"])
        w.append(slope * each)
        m.append(column["mean"] + term["ref_mean"] / each)
        b -= each * column["mean"]
    return names, w, m, slope * b + model["calibration"]["intercept"]


def main():
    model, folder = json.loads(pathlib.Path(sys.argv[1]).read_text()), pathlib.Path(sys.argv[2])
    names, w, m, b = linear(model)
    base = model["score"]["base_rate"]
    out = {"names": names, "w": w, "m": m, "b": b, "base_odds": base / (1 - base)}
    (folder / "weights.json").write_text(json.dumps(out))
    fit = LogisticRegression()
    fit.classes_ = np.array([0, 1])
    fit.coef_, fit.intercept_ = np.array([w], np.float32), np.array([b], np.float32)
    fit.n_features_in_ = len(w)
    joblib.dump(fit, folder / "sklearn.joblib")
    row = np.zeros((1, len(w)), np.float32)
    onnx = to_onnx(fit, row, options={"zipmap": False}, target_opset=17)
    (folder / "model.onnx").write_bytes(onnx.SerializeToString())


if __name__ == "__main__":
    main()
