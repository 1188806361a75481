# SPDX-License-Identifier: Apache-2.0
"""How far a streamed model of linear terms is from scikit-learn's optimum of all
rows: `agree.py MODEL TABLE LABEL`.

The columns are built from the model file with numpy. Prints one line of JSON after
"bench:".
"""

import json
import sys
import warnings

import numpy as np
import pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression


def columns(term, x):
    """The standardised columns of a term."""
    gap = np.isnan(x)
    for c in term["columns"]:
        if c["kind"] == "linear":
            u = np.clip(np.where(gap, term["median"], x), term["low"], term["high"])
            if c["transform"] == "signed_log":
                u = np.sign(u) * np.log1p(np.abs(u))
        elif c["kind"] == "missing":
            u = gap.astype(float)
        else:
            raise SystemExit(f"{term['feature']}: kind {c['kind']}")
        yield np.clip((u - c["mean"]) / c["sd"], -5, 5)


def main():
    model, rows, label = json.load(open(sys.argv[1])), pq.read_table(sys.argv[2]), sys.argv[3]
    x = np.column_stack([c for t in model["terms"] for c in columns(t, rows[t["feature"]].to_numpy().astype(float))])
    ours = [model["intercept"], *(c["weight"] for t in model["terms"] for c in t["columns"])]
    warnings.filterwarnings("ignore")
    fit = LogisticRegression(C=1 / model["provenance"]["lambda"], solver="newton-cholesky", tol=1e-12, max_iter=1000)
    fit.fit(x, rows[label].to_numpy())
    best = [fit.intercept_[0], *fit.coef_[0]]
    print("bench:", json.dumps({"Rows": len(x), "Columns": x.shape[1], "Worst": float(np.abs(np.subtract(ours, best)).max())}))


main()
