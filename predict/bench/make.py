# SPDX-License-Identifier: Apache-2.0
"""Makes the tables that `make bench-predict` scores and learns from.

    make.py FILE ROWS [--columns N] [--label] [--group ROWS] [--gaps SHARE]

Seeded. Columns f00, f01, ... are float32 normals within 4 standard deviations,
account_id counts from 0. With --label there is a column churned. With --gaps so
many of the values are null. Row groups hold 131,072 rows unless asked otherwise.
"""

import argparse
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

LIMIT = 4  # in every column, so that no model clips what another does not


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("file", type=pathlib.Path)
    p.add_argument("rows", type=int)
    p.add_argument("--columns", type=int, default=60)
    p.add_argument("--label", action="store_true")
    p.add_argument("--group", type=int, default=1 << 17)
    p.add_argument("--gaps", type=float, default=0)
    a = p.parse_args()
    rng = np.random.default_rng(20260101)
    truth = np.random.default_rng(7).normal(0, 0.25, a.columns)
    partial, out = a.file.with_suffix(".partial"), None
    for at in range(0, a.rows, a.group):
        n = min(a.group, a.rows - at)
        x = np.clip(rng.standard_normal((n, a.columns), dtype=np.float32), -LIMIT, LIMIT)
        if at == 0:
            x[0], x[1] = -LIMIT, LIMIT  # training sees the whole range
        columns = {"account_id": np.arange(at, at + n)}
        gaps = rng.random(x.shape) < a.gaps if a.gaps else np.zeros((1, a.columns), bool)
        for k in range(a.columns):
            columns[f"f{k:02d}"] = pa.array(x[:, k], mask=gaps[:, k] if a.gaps else None)
        if a.label:
            columns["churned"] = (rng.random(n) < 1 / (1 + np.exp(2 - x @ truth))).astype(np.int8)
        table = pa.table(columns)
        out = out or pq.ParquetWriter(partial, table.schema)
        out.write_table(table, row_group_size=a.group)
    out.close()
    partial.rename(a.file)


if __name__ == "__main__":
    main()
