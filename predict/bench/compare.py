# SPDX-License-Identifier: Apache-2.0
"""Compares scores of one table: the first file with each of the others.

    compare.py OURS PEER...

Probabilities, which peers have as float32, must agree to 1e-5, health to .01,
and the three reasons must be the same but where two effects are as close as
float32 can tell: in at most 1 row of 1,000.
"""

import sys

import pyarrow.compute as pc
import pyarrow.parquet as pq

P, HEALTH, ROWS = 1e-5, 0.01, 1e-3


def columns(path):
    t = pq.read_table(path)
    if path != sys.argv[1]:
        t = t.sort_by("account_id")
    return t


def farthest(a, b):
    return pc.max(pc.abs(pc.subtract(a, b.cast("float64")))).as_py()


def main():
    ours = columns(sys.argv[1])
    names = [pc.list_element(pc.split_pattern(ours[f"reason_{k}"].cast("string"), ": "), 1) for k in (1, 2, 3)]
    for path in sys.argv[2:]:
        peer = columns(path)
        assert peer["account_id"].equals(ours["account_id"].cast(peer["account_id"].type)), "other rows"
        p, health = farthest(ours["p_churn"], peer["p_churn"]), farthest(ours["health"], peer["health"])
        other = max(
            1 - pc.mean(pc.equal(a, peer[f"reason_{k}"].cast("string"))).as_py() for k, a in zip((1, 2, 3), names, strict=True)
        )
        print(f"{path}: p differs by {p:.2g} at most, health by {health:.2g}, reasons in {other:.2g} of rows")
        if p > P or health > HEALTH or other > ROWS:
            sys.exit(f"{path} does not agree")


if __name__ == "__main__":
    main()
