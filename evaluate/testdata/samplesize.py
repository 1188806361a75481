# SPDX-License-Identifier: Apache-2.0
"""Minimum sample sizes for TestMinimumSizeAgreesWithSearch.

No closed form is used: for each n, the shrinkage that Riley et al. (2019) expect,

    S = 1 + P / (n ln(1 - R2_app)),  R2_app = R2 / S,

is solved by bisection, and the smallest n is searched at which S reaches .9
(criterion i), at which R2_app - R2 is at most .05 of the largest possible
Cox-Snell R2 (ii), and at which the 95 % Wald interval of the overall risk is
at most .05 to either side (iii). Python's standard library alone.

    python evaluate/testdata/samplesize.py > evaluate/testdata/samplesize.json
"""
import json
import math


def shrinkage(n, weights, r2):
    """The root of S - 1 - P / (n ln(1 - R2/S)), which grows from R2 - 1 at S = R2."""
    low, high = r2, 1.0
    for _ in range(200):
        s = (low + high) / 2
        below = r2 / s >= 1 or s - 1 - weights / (n * math.log(1 - r2 / s)) < 0
        low, high = (s, high) if below else (low, s)
    return low


def smallest(ok):
    high = 1
    while not ok(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if ok(middle) else (middle, high)
    return high


rows = []
for weights in (1, 5, 24, 157):
    for p in (0.014, 0.1, 0.174, 0.3, 0.5):
        top = 1 - math.exp(2 * (p * math.log(p) + (1 - p) * math.log(1 - p)))
        for nagelkerke in (0.05, 0.15, 0.5):
            r2 = nagelkerke * top
            rows.append({
                "weights": weights, "p": p, "r2": r2,
                "shrinkage": smallest(lambda n: shrinkage(n, weights, r2) >= 0.9),
                "optimism": smallest(lambda n: r2 / shrinkage(n, weights, r2) - r2 <= 0.05 * top),
                "risk": smallest(lambda n: 1.96 * math.sqrt(p * (1 - p) / n) <= 0.05),
            })
print("[\n" + ",\n".join(json.dumps(r) for r in rows) + "\n]")
