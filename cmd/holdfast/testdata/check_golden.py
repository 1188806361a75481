# SPDX-License-Identifier: Apache-2.0
"""Counts of the real histories for TestCheckCountsOfHistories.

Everything is counted from the Parquet files by pandas, without Holdfast. Run
from the repository's root, with the shared folder beside it:

    python cmd/holdfast/testdata/check_golden.py > cmd/holdfast/testdata/check_golden.json

Made with Python 3.11, pandas 3.1.1 and pyarrow 26.0.1; nothing is drawn, so there
is no seed.
"""
import json

import pandas as pd

SHARED = "../shared/data/"
LEAD = pd.Timedelta(days=30)  # all three projects: one lead of 30 days, grace 0 d, UTC


def month(times):
    return times.dt.strftime("%Y-%m")


def counts(series):
    return {k: int(v) for k, v in series.value_counts().sort_index().items()}


def history(name):
    accounts, contracts, events = (pd.read_parquet(f"{SHARED}{name}/{t}.parquet") for t in ("accounts", "contracts", "events"))
    for column in ("start_date", "renewal_date", "outcome_date", "label_mature_at"):
        contracts[column] = pd.to_datetime(contracts[column])
    return accounts, contracts, events


def event_findings(accounts, contracts, events):
    e = events.merge(accounts[["account_id", "created_at"]], on="account_id")
    early = e[e.ts < e.created_at]
    terms = contracts.sort_values(["account_id", "renewal_date"], kind="stable")
    spell = terms.groupby("account_id").agg(first=("start_date", "min"), last=("renewal_date", "max"))
    # The outcome of the last term: the earliest start first among those due on the same day.
    final = contracts.sort_values(["account_id", "start_date", "renewal_date", "contract_id"])
    final = final.loc[final.groupby("account_id").renewal_date.idxmax()].set_index("account_id").outcome
    e = e.join(spell, on="account_id").join(final.rename("final"), on="account_id")
    day = pd.Timedelta(days=1)
    after = e.ts >= e["last"] + day
    return {
        "before_created": counts(early.event_type),
        "before_contract": int((e.ts < e["first"]).sum()),
        "after_end": int(after.sum()),
        "after_churn": int(((e.ts >= e["last"] + 91 * day) & (e.final == "churned")).sum()),
        "repeats": int(events.duplicated(["account_id", "ts", "event_type", "value"]).sum()),
        "without_events": int((~accounts.account_id.isin(events.account_id)).sum()),
    }


def contract_findings(accounts, contracts):
    c = contracts.merge(accounts[["account_id", "created_at"]], on="account_id")
    c = c.sort_values(["account_id", "start_date", "renewal_date", "contract_id"])
    repeated = c.duplicated(["account_id", "start_date", "renewal_date"])
    due = c.groupby("account_id").renewal_date.cummax()
    before = due.groupby(c.account_id).shift()  # the latest due date of the account's earlier rows
    return {
        "repeated_term": int(repeated.sum()),
        "overlap": int(((c.start_date < before) & ~repeated).sum()),
        "contract_before_created": int((c.start_date < c.created_at.dt.normalize()).sum()),
        "before_start": int((c.label_mature_at < c.start_date).sum()),
        "without_contract": int((~accounts.account_id.isin(contracts.account_id)).sum()),
    }


def snapshots(name, contracts, now):
    c = contracts.copy()
    c["t"] = (c.renewal_date - LEAD).where(c.renewal_date - LEAD >= c.start_date, c.start_date)
    keep = (c.t < c.renewal_date) & (c.t <= now) & ~(c.outcome.notna() & (c.label_mature_at <= c.t))
    if name == "online_retail":  # rolling terms: the renewal that began the term was seen before the snapshot
        ends = c[["account_id", "renewal_date", "outcome_date"]].rename(columns={"renewal_date": "start_date", "outcome_date": "seen"})
        c = c.merge(ends.drop_duplicates(["account_id", "start_date"]).assign(follows=True), on=["account_id", "start_date"], how="left")
        keep = keep & ~(c.follows.notna() & ~(c.seen < c.t))
    return c[keep]


def labels(s, now):
    known = s.outcome.notna() & (s.label_mature_at.where(s.label_mature_at > s.renewal_date, s.renewal_date) <= now)
    open_ = ~known & (s.outcome.notna() | (s.renewal_date >= now))
    kind = pd.Series("censored", index=s.index).mask(open_, "not_mature").mask(known, s.outcome)
    table = pd.crosstab(month(s.renewal_date), kind)
    return {m: {k: int(v) for k, v in row.items() if v} for m, row in table.iterrows()}


def coverage(name, s, events):
    """Snapshots by month, and those with an earlier event of each type: the features <source>_<type>_recency."""
    source = {"oulad": "course", "online_retail": "orders", "ravenstack": "product"}[name]
    out = {"snapshots": counts(month(s.t))}
    for kind, e in events.groupby("event_type"):
        first = e.groupby("account_id").ts.min()
        seen = s.account_id.map(first) < s.t
        out[f"{source}_{kind}_recency"] = counts(month(s.t[seen]))
    return out


out = {"versions": {"pandas": pd.__version__}}
for name in ("oulad", "online_retail", "ravenstack"):
    accounts, contracts, events = history(name)
    now = events.ts.max().normalize() + pd.Timedelta(days=1)
    s = snapshots(name, contracts, now)
    out[name] = {
        "events": {kind: counts(month(e.ts)) for kind, e in events.groupby("event_type")},
        "findings": event_findings(accounts, contracts, events) | contract_findings(accounts, contracts),
        "labels": labels(s, now),
        "coverage": coverage(name, s, events),
    }
print(json.dumps(out, indent=1))
