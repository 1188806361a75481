# SPDX-License-Identifier: Apache-2.0
"""Makes Holdfast projects of a made event log, one for each table of snapshots.

    prepare.py SET SNAPSHOTS [--without AGG,AGG]

SET is a folder as the reference generator gen.py leaves it: events/month=*/,
contracts.parquet, and tables of snapshots (account_id, snap), snap2.parquet
and snap24.parquet. Written beside them, so that `holdfast features --history`
has one row for each row of SNAPSHOTS.parquet, and no other:

    accounts.parquet             one row for each account
    snap20.parquet               the last 20 months of snap24, where asked for
    holdfast-SNAPSHOTS/          contracts.parquet and holdfast.yaml

A snapshot becomes a contract of one year that is due LEAD days later. Nothing
says how contracts ended, so every one of them is at risk at its snapshot.
"""

import argparse
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

LEAD, TERM = 60, 365  # days
TYPES = ["login", "feature_use", "ticket", "invoice_paid", "api_call", "nps"]
WINDOWS = [7, 30, 90, 365]  # days
TOTALS = [("count", 7), ("count", 30), ("count", 90), ("sum", 30), ("sum", 90)]

HEAD = """\
version: 1
project: bench
timezone: UTC
data:
  accounts:  {path: ../accounts.parquet, key: account_id}
  contracts: {path: contracts.parquet, key: contract_id, account: account_id, start: start_date, due: due_date}
  events:
    - {name: usage, path: ../events/*/*.parquet, account: account_id, time: ts, type: type, value: value}
outcome: {mode: renewal, leads: [%dd], grace: 30d}
features:
  auto: false
  set:
""" % LEAD


def features():
    """Yields (name, keys) of the peers' 71 columns, and of the five totals that
    the ratios divide and that no peer writes out."""
    for w in WINDOWS:
        for t in TYPES:
            where = {"where": f"type == '{t}'", "window": f"{w}d"}
            yield f"cnt_{t}_{w}", {"agg": "count"} | where
            yield f"sum_{t}_{w}", {"agg": "sum"} | where
    for w in WINDOWS:
        for name, agg in (("days", "active_days"), ("max", "max"), ("mean", "mean")):
            yield f"{name}_{w}", {"agg": agg, "window": f"{w}d"}
    for t in TYPES:
        yield f"rec_{t}", {"agg": "recency", "where": f"type == '{t}'"}
    yield "rec_all", {"agg": "recency"}
    yield "tenure", {"agg": "tenure"}
    for agg, w in TOTALS:
        yield f"all_{agg}_{w}", {"agg": agg, "window": f"{w}d"}
    for name, of, to in (
        ("tr_7_30", "all_count_7", "all_count_30"),
        ("tr_30_90", "all_count_30", "all_count_90"),
        ("trs_30_90", "all_sum_30", "all_sum_90"),
    ):
        yield name, {"agg": "ratio", "of": of, "to": to}


def project(without):
    """Returns the project file. The totals go where the ratios go."""
    lines = [HEAD]
    for name, keys in features():
        if keys["agg"] in without or ("ratio" in without and name.startswith("all_")):
            continue
        body = "".join(f', {k}: "{v}"' for k, v in keys.items())
        lines.append(f"    - {{name: {name}, from: usage{body}}}\n")
    return "".join(lines)


def days_after(dates, days):
    return pc.add(dates.cast(pa.int32()), pa.scalar(days, pa.int32())).cast(pa.date32())


def write(table, path):
    """Writes under another name first: a file that is there is whole."""
    partial = path.with_suffix(".partial")
    pq.write_table(table, partial)
    partial.rename(path)


def snapshots(folder, name):
    path = folder / f"{name}.parquet"
    if name == "snap20" and not path.exists():
        months = pq.read_table(folder / "snap24.parquet")
        last = pc.unique(months["snap"]).sort()[-20:]
        write(months.filter(pc.is_in(months["snap"], value_set=last)), path)
    return pq.read_table(path)


def prepare(folder, name, without):
    accounts = folder / "accounts.parquet"
    if not accounts.exists():
        ids = pq.read_table(folder / "contracts.parquet", columns=["account_id"])["account_id"]
        write(pa.table({"account_id": pc.unique(ids)}), accounts)
    out = folder / f"holdfast-{name}"
    out.mkdir(exist_ok=True)
    contracts = out / "contracts.parquet"
    if not contracts.exists():
        snaps = snapshots(folder, name)
        due = days_after(snaps["snap"], LEAD)
        columns = {
            "contract_id": pa.array(np.arange(len(snaps))),
            "account_id": snaps["account_id"],
            "start_date": days_after(due, -TERM),
            "due_date": due,
        }
        write(pa.table(columns), contracts)
    (out / "holdfast.yaml").write_text(project(without))


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("folder", type=pathlib.Path, metavar="SET")
    p.add_argument("snapshots", metavar="SNAPSHOTS")
    p.add_argument("--without", default="", help="aggregates to leave out, such as tenure,ratio")
    a = p.parse_args()
    prepare(a.folder, a.snapshots, a.without.split(","))


if __name__ == "__main__":
    main()
