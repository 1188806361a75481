# SPDX-License-Identifier: Apache-2.0
"""Ready tables, their splits, and the figures a prediction is judged by."""

import dataclasses
import hashlib
import pathlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.metrics import log_loss, roc_auc_score

LABEL = "target"
IDS = {"telco": "customerID", "hotel_inn": "Booking_ID"}  # by file; elsewhere the column `id`, where there is one

# Files that make more than one table, by what is left out. The day of arrival
# of hotel_inn is also in three columns of numbers, and the figures of METHODS
# are without it as text; with it, as 549 levels, linear models do better.
VARIANTS = {"hotel_inn": {"hotel_inn": ["date_of_arrival"], "hotel_inn_all": []}}


@dataclasses.dataclass
class Part:
    """What one fit sees and what it is judged on, as row numbers of the table."""

    name: str  # such as split0
    train: np.ndarray
    test: np.ndarray


@dataclasses.dataclass
class Table:
    name: str
    file: pathlib.Path
    splits: list  # of Part
    rows: pa.Table
    dropped: list  # columns that no model sees
    id: str = ""

    def __post_init__(self):
        self.rows = self.rows.drop_columns(self.dropped)
        if (name := IDS.get(self.file.stem, "id")) in self.rows.column_names:
            self.id = name
        self.y = self.rows[LABEL].to_numpy().astype(int)
        features = self.rows.drop_columns([LABEL] + [self.id] * bool(self.id)).to_pandas()
        self.content = pd.util.hash_pandas_object(features, index=False).to_numpy()
        self.features = features

    def digest(self, part):
        """Names the bytes of the file, the columns left out and the rows of the part."""
        h = hashlib.sha256(self.file.read_bytes() + ",".join(self.dropped).encode())
        for rows in (part.train, part.test):
            h.update(rows.astype("<i8").tobytes())
        return h.hexdigest()[:16]

    def fresh(self, part):
        """Which test rows repeat no training row. Neither the id nor the label
        counts: to choose test rows by their label would flatter or harm."""
        seen = set(self.content[part.train])
        return np.array([c not in seen for c in self.content[part.test]])

    def judge(self, part, p):
        """Returns the figures of p on all test rows and on the fresh ones."""
        y, fresh = self.y[part.test], self.fresh(part)
        found = {"all": figures(y, p), "fresh_share": float(fresh.mean())}
        if y[fresh].min(initial=1) < y[fresh].max(initial=0):
            found["fresh"] = figures(y[fresh], p[fresh])
        return found

    def small(self, n, rows, seed=0):
        """Returns n random draws of training rows: draw i is from the training
        part of split i mod k and is judged on that split's test part."""
        for i in range(n):
            split = self.splits[i % len(self.splits)]
            drawn = np.random.default_rng([seed, i]).choice(split.train, min(rows, len(split.train)), replace=False)
            yield Part(f"small{i}", np.sort(drawn), split.test)

    def write(self, file, rows, label=True):
        pq.write_table(self.rows.take(rows) if label else self.rows.drop_columns([LABEL]).take(rows), file)


def figures(y, p):
    return {"log_loss": float(log_loss(y, p, labels=[0, 1])), "auc": float(roc_auc_score(y, p)), "ece": ece(y, p)}


def ece(y, p, bins=10):
    """Sum over equal-mass bins of share x |mean y - mean p|. Rows of the same p
    stay together, in the bin in which their middle falls, as in
    evaluate/METRICS.md."""
    _, inverse, count = np.unique(p, return_inverse=True, return_counts=True)
    middle = (np.cumsum(count) - count / 2) / len(p)
    where = (bins * middle).astype(int)[inverse]
    return float(np.abs(np.bincount(where, y - p, bins)).sum() / len(p))


@dataclasses.dataclass
class Source:
    """Where a table and its splits lie."""

    name: str
    file: pathlib.Path
    splits: list  # files with the columns row,part: a row number of the table, and train or test
    dropped: list

    def read(self, most=None):
        """Reads the table and its splits, or the first so many of them."""
        splits = [read_split(s) for s in self.splits[:most]]
        return Table(self.name, self.file, splits, pq.read_table(self.file), self.dropped)


def sources(folders):
    """Yields the tables that folders hold: T.parquet or T/T.parquet, with
    T_split<i>.csv beside the former or in `splits`."""
    for folder in folders:
        for file in sorted([*folder.glob("*.parquet"), *folder.glob("*/*.parquet")]):
            name = f"{file.stem}_split*.csv"
            if splits := sorted([*folder.glob(name), *folder.glob(f"splits/{name}")]):
                for variant, dropped in VARIANTS.get(file.stem, {file.stem: []}).items():
                    yield Source(variant, file, splits, dropped)


def read_split(file):
    row, part = np.loadtxt(file, delimiter=",", skiprows=1, dtype=str, unpack=True)
    row = row.astype(int)
    return Part(file.stem.rsplit("_", 1)[1], row[part == "train"], row[part == "test"])
