# SPDX-License-Identifier: Apache-2.0
"""Writes a ready table for the case `stream`: `wide.py FILE ROWS COLUMNS`.

Correlated normals as float64, a fifth of them skewed amounts with cents, a fifth
small counts, and in a tenth 5 % missing; half of the columns matter, two of them
along a curve. One row an account. Row groups are pyarrow's own, of a million
rows.
"""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

GROUP = 1 << 20


def main():
    path, rows, cols = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    r = np.random.default_rng(11)
    beta = r.normal(0, 1, cols) * (r.random(cols) < 0.5) * 0.35
    mix = np.eye(cols) + 0.75 * r.normal(0, 1, (cols, cols)) / np.sqrt(cols)
    names = [f"x{j:03d}" for j in range(cols)]
    schema = pa.schema([("id", pa.int64()), *((n, pa.float64()) for n in names), ("churned", pa.int8())])
    with pq.ParquetWriter(path, schema) as out:
        for at in range(0, rows, GROUP):
            n = min(GROUP, rows - at)
            columns = [np.empty(n) for _ in names]
            y = np.empty(n, np.int8)
            for of in range(0, n, 65536):
                k = min(65536, n - of)
                x = r.standard_normal((k, cols)) @ mix
                z = x @ beta - 2 + 0.4 * (x[:, 0] ** 2 - 1) + 0.4 * np.abs(x[:, 1])
                y[of : of + k] = r.random(k) < 1 / (1 + np.exp(-z))
                fifth = cols // 5
                x[:, fifth : 2 * fifth] = np.round(np.exp(2 + x[:, fifth : 2 * fifth] / 2), 2)
                x[:, 2 * fifth : 3 * fifth] = np.floor(np.exp(x[:, 2 * fifth : 3 * fifth] / 2) * 3)
                gaps = x[:, -(cols // 10) :]
                gaps[r.random(gaps.shape) < 0.05] = np.nan
                for j, c in enumerate(columns):
                    c[of : of + k] = x[:, j]
            arrays = [pa.array(np.arange(at, at + n)), *(pa.array(c, from_pandas=True) for c in columns), pa.array(y)]
            out.write_table(pa.table(arrays, schema=schema), row_group_size=GROUP)


main()
