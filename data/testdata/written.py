# SPDX-License-Identifier: Apache-2.0
"""Compares files that ParquetWriter wrote with the same tables as JSON lines,
read by pyarrow and by DuckDB.

    go test ./data -run TestWriteForOthers -args -written DIR
    python data/testdata/written.py DIR

Prints the versions and, for each file, what was compared; fails at the first
difference. The file's checksums are verified and the bounds in its footer
compared with the values.
"""
import datetime as dt, json, math, pathlib, sys

import duckdb
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

EPOCH = dt.date(1970, 1, 1)


def whole(text):
    """An integer, but for the -0 that JSON lines have for a float."""
    return -0.0 if text == "-0" else int(text)


def nanos(text):
    """Nanoseconds of 2026-01-01T00:00:00.123456789Z since 1970."""
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    at = dt.datetime.fromisoformat(seconds + "+00:00")
    whole = (at - dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)) // dt.timedelta(seconds=1)
    return whole * 10**9 + int((fraction or "0").ljust(9, "0"))


def expected(rows, field):
    """The values of a column as plain numbers and texts."""
    values = [row[field.name] for row in rows]
    if pa.types.is_timestamp(field.type):
        return [v and nanos(v) for v in values]
    if pa.types.is_date(field.type):
        return [v and (dt.date.fromisoformat(v) - EPOCH).days for v in values]
    if pa.types.is_floating(field.type):
        return [None if v is None else float(v) for v in values]
    return values


def plain(column):
    """A pyarrow column in the same form."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        scale = {"us": 1000, "ns": 1}[kind.unit]
        return [None if v is None else v * scale for v in column.cast(pa.int64()).to_pylist()]
    if pa.types.is_date(kind):
        return column.cast(pa.int32()).to_pylist()
    return column.to_pylist()


def bits(v):
    """Tells -0.0 from 0.0."""
    return (v, math.copysign(1, v)) if isinstance(v, float) else v


def check(name, what, column, got, want):
    for i, (g, w) in enumerate(zip(got, want, strict=True)):
        if bits(g) != bits(w):
            sys.exit(f"{name}: {what}: column {column}, row {i}: {g!r}, want {w!r}")


def bounds(file, table):
    """Compares the footer's bounds and nulls with the values."""
    start, checked = 0, 0
    for g in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(g)
        for k in range(group.num_columns):
            part = table.column(k).slice(start, group.num_rows)
            s = group.column(k).statistics
            if s is None:  # what pyarrow makes of a null count without bounds
                continue
            assert s.null_count == part.null_count, (g, k)
            if s.has_min_max:
                low, high = pa.compute.min_max(part).as_py().values()
                if not pa.types.is_timestamp(part.type) or part.type.unit == "us":
                    assert (s.min, s.max) == (low, high), (g, k, s.min, s.max, low, high)
                    checked += 1
        start += group.num_rows
    return checked


def main(folder):
    print(f"pyarrow {pa.__version__}, duckdb {duckdb.__version__}, Python {sys.version.split()[0]}")
    for path in sorted(pathlib.Path(folder).glob("*.parquet")):
        with open(path.with_suffix(".jsonl"), encoding="utf-8") as f:
            rows = [json.loads(line, parse_int=whole) for line in f]
        file = pq.ParquetFile(path, page_checksum_verification=True)
        table = file.read()
        con = duckdb.connect()
        con.execute("set timezone = 'UTC'")
        for field in table.schema:
            want = expected(rows, field)
            check(path, "pyarrow", field.name, plain(table.column(field.name)), want)
            as_plain = f'"{field.name}"'
            if pa.types.is_timestamp(field.type):
                as_plain = f"epoch_ns({as_plain})"
            elif pa.types.is_date(field.type):
                as_plain = f"date_diff('day', date '1970-01-01', {as_plain})"
            got = con.execute(f"select {as_plain} from read_parquet('{path}')").fetchall()
            check(path, "duckdb", field.name, [row[0] for row in got], want)
        print(f"{path.name}: {len(rows)} rows of {table.num_columns} columns equal, "
              f"{bounds(file, table)} bounds right; created by {file.metadata.created_by!r}")


main(sys.argv[1])
