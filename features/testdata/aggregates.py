# SPDX-License-Identifier: Apache-2.0
"""Aggregates of a small history by DuckDB, for TestAggregatesAgreeWithDuckDB.

Writes aggregates.json: the tables, the features, and what DuckDB makes of each
feature at each snapshot. Made with Python 3.11, DuckDB 2.0.0, seed 20240331:

    pip install duckdb==2.0.0 pytz && python aggregates.py

Each aggregate is written here as SQL from its definition in SPEC.md. The
history has ties in time, repeats of an id that are known later, rows that were
loaded late, missing types, values and dates, days on which the clocks of Berlin
change, and an account without events.
"""
import json
import random
from datetime import datetime, timedelta, timezone

import duckdb

ZONE, LEAD = "Europe/Berlin", 30
rng = random.Random(20240331)
start = datetime(2024, 2, 1, tzinfo=timezone.utc)


def seconds(t):
    return int(t.timestamp())


def day(offset):
    return (start + timedelta(days=offset)).strftime("%Y-%m-%d")


accounts = [{"id": f"a{i}", "created": day(-[3, 200, -40, 20, 0, 90][i]), "seats": s}
            for i, s in enumerate([3, 10, None, 0, 25, 7])]
contracts, app, visits = [], [], []
for a in accounts:
    for k in range(6):
        # Snapshots lie 30 days before the due date: from late February to early July.
        due = 50 + 25 * k + rng.randrange(10)
        contracts.append({"id": f"{a['id']}-{k}", "account": a["id"], "start": day(due - 200), "due": day(due)})
    if a["id"] == "a5":
        continue
    for _ in range(60):
        at = start + timedelta(days=rng.randrange(-10, 180), hours=rng.choice([0, 0, 6, 12, 22, 23, 23.5]))
        due = rng.choice([None] + list(range(190)))
        paid = None if due is None or rng.random() < .3 else due + rng.randrange(-10, 40)
        row = {"account": a["id"], "at": seconds(at), "loaded": seconds(at + timedelta(hours=rng.choice([0, 0, 0, 1, 30, 240]))),
               "kind": rng.choice(["login", "export", "survey", None]), "id": rng.randrange(10_000),
               "value": rng.choice([None, 0, 1, 3.25, 6, 7, 9, 10, round(rng.uniform(-5, 50), 2)]),
               "margin": rng.choice([None, round(rng.uniform(0, 9), 3)]),
               "due": None if due is None else day(due), "paid": None if paid is None else day(paid)}
        app.append(row)
        if rng.random() < .2:  # the same event again, known later, with another value
            app.append({**row, "loaded": row["loaded"] + 86400 * rng.randrange(1, 20), "value": 99})
    for _ in range(90):
        at = start + timedelta(days=rng.randrange(0, 180), hours=rng.choice([0, 9, 23]))
        visits.append({"account": a["id"], "at": seconds(at), "value": round(rng.uniform(0, 100), 2)})

sources = {"app": {"lag": 0}, "visits": {"lag": 1}}  # days


def feature(agg, source="app", **keys):
    return {"from": source, "agg": agg, "kind": "number", **keys}


features = []
for source in sources:
    for window in [30, 90, 0]:
        w = {"source": source, "window_days": window}
        plain = ["count", "sum", "mean", "min", "max", "last", "last_change", "distinct", "active_days", "longest_gap", "streak",
                 "recency", "tenure", "tenure_scaled", "nps"]
        features += [feature(agg, **w) for agg in plain]
        features += [feature("decayed", half_life_days=12, **w), feature("decayed", half_life_days=12, of="sum", **w),
                     feature("csat", positive=6, prior=70, prior_weight=5, **w), feature("clv", lifespan_days=1095, **w),
                     feature("per_seat", seats="seats", **w), feature("per_seat", seats="seats", of="sum", **w),
                     feature("tenure_scaled", of="sum", **w)]
        if window:
            features.append(feature("trend", long_days=2 * window, **w))
for window in [30, 0]:
    w = {"window_days": window}
    weights = {"login": 1, "export": 2.5, "nothing": 100}
    features += [feature("weighted", weights=weights, **w), feature("weighted", weights=weights, of="sum", **w),
                 feature("ratio", of="export", to="login", **w), feature("lateness", due="due", paid="paid", **w),
                 feature("sum", value="margin", **w), feature("last", value="margin", **w)]
    for agg in ["count", "sum", "last", "longest_gap", "streak", "nps"]:
        features += [feature(agg, type="login", **w), feature(agg, where="value > 3 and not kind == 'login'", **w),
                     feature(agg, type="export", where="margin is missing or value in (0, 1)", **w)]
    features.append(feature("lateness", due="due", paid="paid", type="survey", where="value >= 6", **w))
for i, f in enumerate(features):
    f["name"] = f"f{i}_{f['agg']}"

db = duckdb.connect()
db.execute(f"SET TimeZone = '{ZONE}'")
db.execute("CREATE TABLE accounts (id TEXT, created DATE, seats INT)")
db.execute("CREATE TABLE contracts (id TEXT, account TEXT, start DATE, due DATE)")
db.execute("CREATE TABLE rows_app (account TEXT, ts BIGINT, loaded BIGINT, kind TEXT, id INT, value DOUBLE, margin DOUBLE, due DATE, paid DATE)")
db.execute("CREATE TABLE rows_visits (account TEXT, ts BIGINT, value DOUBLE)")
for table, rows in [("accounts", accounts), ("contracts", contracts), ("rows_app", app), ("rows_visits", visits)]:
    for row in rows:
        db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", list(row.values()))
# A snapshot: the local day, and the instant at which it begins in Berlin.
db.execute(f"""CREATE TABLE snaps AS
    SELECT c.id, c.account, c.due - {LEAD} AS day, epoch(timezone('{ZONE}', (c.due - {LEAD})::TIMESTAMP)) AS t, a.created, a.seats
    FROM contracts c JOIN accounts a ON a.id = c.account""")
# Of repeats the row known first; then what each snapshot sees, in the total order.
db.execute("""CREATE TABLE app AS SELECT * FROM rows_app
    QUALIFY row_number() OVER (PARTITION BY account, kind, id ORDER BY loaded, ts, value) = 1""")
db.execute("CREATE TABLE visits AS SELECT *, ts AS loaded, 'visits' AS kind, 0 AS id, NULL::DOUBLE AS margin, NULL::DATE AS due, NULL::DATE AS paid FROM rows_visits")
for source, s in sources.items():
    db.execute(f"""CREATE TABLE seen_{source} AS
        SELECT s.id AS snap, s.day AS today, timezone('{ZONE}', to_timestamp(e.ts))::DATE AS day, e.*,
               row_number() OVER (PARTITION BY s.id ORDER BY e.ts, e.kind NULLS FIRST, e.id, e.value NULLS FIRST) AS place
        FROM snaps s JOIN {source} e USING (account)
        WHERE e.ts < s.t AND greatest(e.loaded, e.ts) + {s['lag']} * 86400 < s.t""")


def expression(f, value):
    """The aggregate over the rows e of one snapshot s, as SQL."""
    lag = sources[f["from"]]["lag"]
    added = f"coalesce(sum({value}), 0)" if f.get("of") == "sum" else "count(*)"
    life = "nullif(greatest(s.day - s.created, 0), 0)"
    if f["window_days"]:
        life = f"least({f['window_days']}, {life})"
    life = f"(CASE WHEN s.day - s.created >= 1 THEN {life} END)"
    k = f.get("prior_weight", 0)
    decay = f"pow(0.5, (s.day - e.day) / {f.get('half_life_days', 1)}.0)"
    return {
        "count": "count(*)", "sum": f"coalesce(sum({value}), 0)", "mean": f"avg({value})", "min": f"min({value})", "max": f"max({value})",
        "last": f"arg_max({value}, place) FILTER ({value} IS NOT NULL)",
        "last_change": f"(list({value} ORDER BY place) FILTER ({value} IS NOT NULL))[-1] - (list({value} ORDER BY place) FILTER ({value} IS NOT NULL))[-2]",
        "distinct": "count(DISTINCT kind)", "active_days": "count(DISTINCT e.day)",
        "recency": "s.day - max(e.day)", "tenure": "s.day - min(e.day)",
        "decayed": f"coalesce(sum({value} * {decay}), 0)" if f.get("of") == "sum" else f"coalesce(sum({decay}), 0)",
        "weighted": "coalesce(sum(CASE kind %s ELSE 0 END * %s), 0)" % (
            " ".join(f"WHEN '{t}' THEN {w}" for t, w in f.get("weights", {"": 0}).items()), value if f.get("of") == "sum" else "1"),
        "per_seat": f"{added} / nullif(s.seats, 0)::DOUBLE", "tenure_scaled": f"{added} / {life}::DOUBLE",
        "ratio": f"count(*) FILTER (kind = '{f.get('of')}') / nullif(count(*) FILTER (kind = '{f.get('to')}'), 0)::DOUBLE",
        "nps": f"100.0 * (count(*) FILTER ({value} >= 9) - count(*) FILTER ({value} <= 6)) / nullif(count({value}), 0)",
        "csat": f"(100.0 * count(*) FILTER ({value} >= {f.get('positive')}) + {k} * {f.get('prior')}) / (nullif(count({value}), 0) + {k})",
        "clv": f"avg({value}) * (count({value}) / ({life} / 365.0)) * {f.get('lifespan_days', 0)} / 365.0",
        "lateness": f"""avg(CASE WHEN due IS NULL THEN NULL WHEN paid < s.day - {lag} THEN paid - due
                                 WHEN due < s.day THEN s.day - due END)""",
    }.get(f["agg"])


WHERE = {"": "TRUE", "value > 3 and not kind == 'login'": "value > 3 AND coalesce(kind, '') <> 'login'",
         "margin is missing or value in (0, 1)": "(margin IS NULL OR coalesce(value IN (0, 1), FALSE))", "value >= 6": "value >= 6"}


def query(f):
    value = f.get("value", "value")
    keep = WHERE[f.get("where", "")]
    if "type" in f:
        keep += f" AND kind = '{f['type']}'"

    def rows(days):
        inside = f"AND day >= today - {days}" if days else ""
        return f"(SELECT * FROM seen_{f['from']} WHERE ({keep}) {inside})"

    e = rows(f["window_days"])
    agg = f["agg"]
    if agg == "trend":
        n = [f"(SELECT count(*) FROM {rows(d)} e WHERE e.snap = s.id)" for d in (f["window_days"], f["long_days"])]
        return f"SELECT s.id, ln(({n[0]} + 1) / ({n[1]} * {f['window_days']} / {f['long_days']}.0 + 1)) FROM snaps s"
    if agg == "longest_gap":
        return f"""SELECT s.id, max(coalesce(g.next, s.day) - g.day) FROM snaps s LEFT JOIN
            (SELECT snap, day, lead(day) OVER (PARTITION BY snap ORDER BY day) AS next FROM (SELECT DISTINCT snap, day FROM {e})) g
            ON g.snap = s.id GROUP BY s.id"""
    if agg == "streak":  # days in a row have as many days after them as their place from the newest says
        lag = sources[f["from"]]["lag"]
        return f"""SELECT s.id, count(g.day) FROM snaps s LEFT JOIN
            (SELECT snap, day, today, row_number() OVER (PARTITION BY snap ORDER BY day DESC) AS place
             FROM (SELECT DISTINCT snap, day, today FROM {e} WHERE day < today - {lag})) g
            ON g.snap = s.id AND s.day - {lag} - g.day = g.place GROUP BY s.id"""
    # One row of missing values stands for a snapshot without events, which count(*) must not count.
    text = expression(f, value).replace("count(*) FILTER (", "count(e.ts) FILTER (").replace("count(*)", "count(e.ts)")
    return f"SELECT s.id, {text} FROM snaps s LEFT JOIN {e} e ON e.snap = s.id GROUP BY s.id, s.day, s.created, s.seats"


for f in features:
    f.pop("source", None)
want = {f["name"]: dict(db.execute(query(f)).fetchall()) for f in features}
order = sorted(c["id"] for c in contracts)
with open("aggregates.json", "w") as out:
    part = lambda rows: "[\n" + ",\n".join(json.dumps(list(r.values())) for r in rows) + "]"
    out.write('{"duckdb": "%s", "zone": "%s", "lead": %d,\n"accounts": %s,\n"contracts": %s,\n"app": %s,\n"visits": %s,\n"features": [\n%s],\n"want": {\n%s}}\n' % (
        duckdb.__version__, ZONE, LEAD, part(accounts), part(contracts), part(app), part(visits),
        ",\n".join(json.dumps(f) for f in features),
        ",\n".join(f'"{name}": {json.dumps([None if v[c] is None else float(v[c]) for c in order])}' for name, v in want.items())))
