# SPDX-License-Identifier: Apache-2.0
"""LightGBM's tuned search: `boost.py CASE`, a JSON object as TestBench takes it.

Three configurations, each stopped early on a fifth of the rows. Prints one line of JSON after "bench:".
"""

import json
import os
import resource
import sys

import lightgbm as lgb
import numpy as np


def cpu_s():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main():
    case = json.loads(sys.argv[1])
    rows, cols = case["Rows"], case["Cols"]
    x = np.fromfile(case["Data"] + ".x", np.float32).reshape(rows, cols)
    y = np.fromfile(case["Data"] + ".y", np.uint8)
    cut = rows * 4 // 5
    began, losses = cpu_s(), []
    for leaves, rate in ((15, 0.1), (31, 0.1), (63, 0.1)):
        model = lgb.LGBMClassifier(
            n_estimators=1000, num_leaves=leaves, learning_rate=rate, n_jobs=int(os.environ["OMP_NUM_THREADS"]), verbose=-1, random_state=0
        )
        model.fit(x[:cut], y[:cut], eval_set=[(x[cut:], y[cut:])], callbacks=[lgb.early_stopping(50, verbose=False)])
        losses.append(model.best_score_["valid_0"]["binary_logloss"])
    print("bench:", json.dumps({"CPU": cpu_s() - began, "Losses": losses}))


main()
