# SPDX-License-Identifier: Apache-2.0
"""Compares a Holdfast frame with a peer's, column by column.

    compare.py OURS.parquet THEIRS.parquet SNAPSHOTS.parquet [--without AGG,AGG]

Rows are matched by account and snapshot. OURS must hold each row of SNAPSHOTS
once and no other. THEIRS may lack those of accounts that had no event yet: a
join drops them. Ours must then have 0 in counts, sums and days, and nothing in
the rest.

Null and NaN both mean missing, and must be missing on both sides. Numbers a
(ours) and b must fulfil |a - b| <= 2^-23 max(1, |b|): theirs are float32, so
their rounding alone is up to 2^-24 |b|. Prints the largest difference of each
column, and exits 1 if a row or a value does not agree.
"""

import argparse
import sys

import duckdb

from prepare import features

TOLERANCE = 2.0**-23
EMPTY_IS_ZERO = ("count", "sum", "active_days")


def compared(without):
    """Lists (name, aggregate) of the peers' columns."""
    return [(n, k["agg"]) for n, k in features() if not n.startswith("all_") and k["agg"] not in without]


def unmatched(con):
    """Counts rows that are missing, repeated or too many, by what is wrong."""
    def count(sql):
        return con.execute(f"select count(*) from ({sql})").fetchone()[0]

    def only(a, b):
        return count(f"select account_id, snap from {a} except select account_id, snap from {b}")

    def repeated(a):
        return count(f"from {a}") - count(f"select distinct account_id, snap from {a}")

    return {
        "snapshots without a row of ours": only("wanted", "ours"),
        "rows of ours that no snapshot asked for": only("ours", "wanted"),
        "repeated rows of ours": repeated("ours"),
        "rows of theirs that no snapshot asked for": only("theirs", "wanted"),
        "repeated rows of theirs": repeated("theirs"),
    }


def differences(con, columns):
    """Returns (name, values that disagree, largest |a - b|, largest
    |a - b| / max(1, |b|)) of each column."""
    select = []
    for name, agg in columns:
        a = f"case when isnan(o.{name}::double) then null else o.{name}::double end"
        b = f"case when isnan(t.{name}::double) then null else t.{name}::double end"
        if agg in EMPTY_IS_ZERO:
            b = f"case when t.account_id is null then 0 else {b} end"
        apart, scale = f"abs(({a}) - ({b}))", f"greatest(1, abs({b}))"
        wrong = f"(({a}) is null) <> (({b}) is null) or coalesce({apart} > {TOLERANCE} * {scale}, false)"
        select += [
            f"count(*) filter (where {wrong})",
            f"coalesce(max({apart}), 0)",
            f"coalesce(max({apart} / {scale}), 0)",
        ]
    query = f"select {', '.join(select)} from ours o left join theirs t using (account_id, snap)"
    row = con.execute(query).fetchone()
    return [(name, *row[3 * i : 3 * i + 3]) for i, (name, _) in enumerate(columns)]


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("ours")
    p.add_argument("theirs")
    p.add_argument("snapshots")
    p.add_argument("--without", default="", help="aggregates that ours was built without")
    a = p.parse_args()
    con = duckdb.connect()
    con.execute(f"create view ours as select *, snapshot as snap from '{a.ours}'")
    for view, path in (("theirs", a.theirs), ("wanted", a.snapshots)):
        con.execute(f"create view {view} as select * replace (account_id::varchar as account_id) from '{path}'")
    bad = 0
    for what, n in unmatched(con).items():
        bad += n
        if n:
            print(f"{n} {what}")
    columns = differences(con, compared(a.without.split(",")))
    print(f"{'column':20} {'largest |a-b|':>13} {'/ max(1,|b|)':>13} {'disagree':>9}")
    for name, wrong, largest, relative in columns:
        bad += wrong
        print(f"{name:20} {largest:13.3g} {relative:13.3g} {wrong:9}")
    matched = con.execute("select count(*) from ours join theirs using (account_id, snap)").fetchone()[0]
    rows = con.execute("select count(*) from ours").fetchone()[0]
    print(f"{len(columns)} columns of {rows} rows, {rows - matched} of them before the account's first event: "
          + (f"{bad} disagreements" if bad else "all agree"))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
