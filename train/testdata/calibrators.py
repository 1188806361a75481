# SPDX-License-Identifier: Apache-2.0
"""Calibration maps by scikit-learn for a seeded slice, written to calibrators.json.

400 log-odds on a grid of .05, so that many are equal, with outcomes and
weights; isotonic regression at its own points and between them, outside too;
Platt's map with the outcomes as they are, by LogisticRegression without a
penalty, and with Platt's smoothed targets, by _sigmoid_calibration.

Run from this folder:  python calibrators.py
"""
import json

import numpy as np
import sklearn
from sklearn.calibration import _sigmoid_calibration
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(20240711)
n = 400
z = np.round(rng.normal(-1, 1.5, n) / 0.05) * 0.05
y = (rng.random(n) < 1 / (1 + np.exp(0.4 - 0.7 * z))).astype(int)
w = rng.choice([1.0, 0.5, 1 / 3], n)
iso = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(z, y, sample_weight=w)
at = np.r_[np.linspace(z.min() - 1, z.max() + 1, 120), np.unique(z)]
plain = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12, max_iter=1000).fit(z[:, None], y, sample_weight=w)
A, B = _sigmoid_calibration(z, y)  # p = 1/(1 + exp(A z + B)), equal weights
before, after = y.sum(), n - y.sum()
out = {
    "versions": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
    "z": z.tolist(), "y": y.tolist(), "w": w.tolist(), "at": at.tolist(),
    "isotonic": iso.predict(at).tolist(),
    "platt": [float(plain.intercept_[0]), float(plain.coef_[0, 0])],
    "smoothed": [-float(B), -float(A)],
    "targets": [1 / (after + 2), (before + 1) / (before + 2)],
}
with open("calibrators.json", "w") as f:
    json.dump(out, f)
    f.write("\n")
