# SPDX-License-Identifier: Apache-2.0
"""One fit by scikit-learn: `fit.py CASE`, a JSON object as TestBench takes it,
with "tol". Prints one line of JSON after "bench:".
"""

import json
import resource
import sys
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV


def cpu_s():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main():
    case = json.loads(sys.argv[1])
    rows, cols, lambdas = case["Rows"], case["Cols"], case["Lambdas"]
    x = np.fromfile(case["Data"] + ".x", np.float32).reshape(rows, cols).astype(np.float64)
    y = np.fromfile(case["Data"] + ".y", np.uint8)
    warnings.filterwarnings("ignore")  # of tolerances and of coming changes
    options = {"solver": "newton-cholesky", "tol": case.get("tol", 1e-4), "max_iter": 1000}
    out = {}
    began = cpu_s()
    if len(lambdas) > 1:
        at = [rows * k // 5 for k in range(6)]
        every = np.arange(rows)
        folds = [(np.r_[0 : at[k], at[k + 1] : rows], every[at[k] : at[k + 1]]) for k in range(5)]
        # C multiplies a sum of losses, as 1/lambda does; the folds' sums are of fewer rows, here and there.
        model = LogisticRegressionCV(
            Cs=[1 / v for v in lambdas], cv=folds, scoring="neg_log_loss", use_legacy_attributes=False, **options
        ).fit(x, y)
        out["CPU"] = cpu_s() - began
        scores = np.asarray(model.scores_).reshape(5, len(lambdas))
        weights = np.diff(at)[:, None] / rows
        out["Losses"] = (-(scores * weights).sum(axis=0)).tolist()
    else:
        model = LogisticRegression(C=1 / lambdas[0], **options).fit(x, y)
        out["CPU"] = cpu_s() - began
    out["Theta"] = [float(model.intercept_[0]), *model.coef_[0].tolist()]
    print("bench:", json.dumps(out))


main()
