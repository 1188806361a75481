# SPDX-License-Identifier: Apache-2.0
"""Writes zoo_*.parquet, ../ipc/testdata/zoo_*.arrow and zoo.json: small files
with every type and encoding that data.Read and ipc.Read support, and the
values that they hold.

Written with pyarrow 26.0.1, duckdb 2.0.0, numpy 2.4.6 and Python 3.11.7 (the
script prints them), seed 20260131. DuckDB's V2 file packs 32-bit integers
into deltas of 33 bits, which pyarrow cannot read; the expected values come
from the table that was written, not from reading it back.

    python zoo.py            (in this folder)
"""
import decimal, json, sys, uuid

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

N = 40
rng = np.random.default_rng(20260131)


def integers(low, high, dtype="int64"):
    v = rng.integers(low, high, N, dtype=dtype, endpoint=True)
    v[:2] = low, high
    return v


def some_null(values, **kind):
    return pa.array(values, mask=rng.random(N) < 0.2, **kind)


# Nanoseconds of 1678-01-01 and 2261-12-31T23:59:59.999999999.
LOW, HIGH = -9214560000 * 10**9, 9214646400 * 10**9 - 1

columns, want = {}, {}


def add(name, kind, array, values):
    """values: what Read must return, as integers, floats or texts."""
    columns[name] = array
    valid = array.is_valid().to_pylist()
    want[name] = {"kind": kind, "values": [v if ok else None for v, ok in zip(values, valid)]}


for t in ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"]:
    v = integers(np.iinfo(t).min, np.iinfo(t).max, t)
    add(t, "integer", some_null(v), [str(x) for x in v])
v = integers(0, 2**63 - 1, "uint64")
add("uint64", "integer", some_null(v), [str(x) for x in v])
v = np.full(N, 7)
add("constant", "integer", pa.array(v), [str(x) for x in v])
v = rng.random(N) < 0.3
add("bool", "boolean", some_null(v), [str(int(x)) for x in v])
for t in ["float16", "float32", "float64"]:
    v = rng.normal(size=N).astype(t)
    v[:3] = 0, np.finfo(t).max, np.finfo(t).smallest_subnormal
    add(t, "number", some_null(v), [float(x) for x in v])
v = integers(-9214560000 // 86400, 9214646399 // 86400, "int32")
add("date", "date", some_null(v).cast(pa.date32()), [str(x) for x in v])
for unit, nanos in [("s", 10**9), ("ms", 10**6), ("us", 10**3), ("ns", 1)]:
    v = integers(-(-LOW // nanos), HIGH // nanos)
    add("time_" + unit, "timestamp", some_null(v).cast(pa.timestamp(unit)), [str(int(x) * nanos) for x in v])
    add("utc_" + unit, "timestamp", some_null(v).cast(pa.timestamp(unit, "Europe/Paris")), [str(int(x) * nanos) for x in v])
for digits, scale in [(5, 2), (15, 3), (38, 10)]:  # stored in 4, 8 and 16 bytes
    v = [decimal.Decimal(int(x)) for x in integers(-10**5 + 1, 10**5 - 1)]
    if digits > 5:  # 15 digits that count; Read refuses more
        v = [(x * 10**10 + 1) * 10**(20 if digits == 38 else 0) for x in v]
    v = [x.scaleb(-scale, decimal.Context(prec=60)) for x in v]
    add(f"decimal{digits}", "number", some_null(v, type=pa.decimal128(digits, scale)), [float(x) for x in v])
words = ["", "a", "comma,", "line\nbreak", "nul\0", "e\u0301", "\U0001f600", "=1+1", "x" * 300]
v = [words[i] for i in rng.integers(0, len(words), N)]
add("text", "text", some_null(v, type=pa.string()), v)
v = [f"https://example.com/{x:012d}" for x in sorted(integers(0, 10**12))]
add("sorted", "text", some_null(v, type=pa.string()), v)
v = [chr(65 + x) * 5 for x in rng.integers(0, 26, N)]
add("fixed", "text", some_null([x.encode() for x in v], type=pa.binary(5)), v)
v = [str(uuid.UUID(bytes=rng.bytes(16))) for _ in range(N)]
add("uuid", "text", pa.array([uuid.UUID(x).bytes for x in v], type=pa.uuid()), v)
add("nulls", "integer", pa.nulls(N, pa.int64()), [None] * N)
add("void", "number", pa.nulls(N), [None] * N)

table = pa.table(columns)
delta = {c: "DELTA_BINARY_PACKED" for c in table.schema.names if c.startswith(("int", "uint", "constant", "date", "time", "utc"))}
split = {c: "BYTE_STREAM_SPLIT" for c in ["float16", "float32", "float64", "decimal5", "decimal15", "decimal38", "fixed"]}
texts = {"text": "DELTA_LENGTH_BYTE_ARRAY", "sorted": "DELTA_BYTE_ARRAY", "bool": "RLE", "uuid": "DELTA_BYTE_ARRAY"}
files = {
    "v1_snappy": dict(compression="snappy", data_page_version="1.0", row_group_size=16),
    "v2_zstd": dict(compression="zstd", data_page_version="2.0", data_page_size=64, write_page_checksum=True),
    "plain_gzip": dict(compression="gzip", data_page_version="1.0", use_dictionary=False),
    "v1_brotli": dict(compression="brotli", data_page_version="1.0", row_group_size=16),
    "split_none": dict(compression="none", data_page_version="2.0", use_dictionary=False, column_encoding=delta | split | texts),
}
names = {}
for name, options in files.items():
    pq.write_table(table, f"zoo_{name}.parquet", store_schema=False, **options)
    names[name] = table.schema.names
times = table.select(["time_us", "utc_ns"])
pq.write_table(times, "zoo_int96.parquet", use_deprecated_int96_timestamps=True, store_schema=False)
names["int96"] = times.schema.names
duck = table.drop_columns(["float16", "fixed", "uuid", "void"])
names["duckdb"] = duck.schema.names
duckdb.sql("copy duck to 'zoo_duckdb.parquet' (format parquet, parquet_version V2, compression zstd)")
# Arrow files, for data/ipc: texts in every form, decimals of 256 bits, dates in
# milliseconds, plain and compressed.
arrow = table.set_column(table.schema.get_field_index("text"), "text", table["text"].combine_chunks().dictionary_encode())
arrow = arrow.set_column(arrow.schema.get_field_index("sorted"), "sorted", arrow["sorted"].cast(pa.large_string()))
arrow = arrow.set_column(arrow.schema.get_field_index("decimal38"), "decimal38", arrow["decimal38"].cast(pa.decimal256(50, 10)))
arrow = arrow.set_column(arrow.schema.get_field_index("date"), "date", arrow["date"].cast(pa.date64()))
arrow = arrow.drop_columns(["uuid"])
arrow = arrow.append_column(pa.field("nested", pa.list_(pa.int64()), metadata={"k": "v"}), pa.array([[1, 2]] * N))
arrow = arrow.append_column("union", pa.UnionArray.from_sparse(pa.array([0] * N, pa.int8()), [pa.array([1] * N)]))
arrow = arrow.replace_schema_metadata({"k": "v"})
for name, codec in [("plain", None), ("zstd", "zstd"), ("lz4", "lz4")]:
    with pa.ipc.new_file(f"../ipc/testdata/zoo_{name}.arrow", arrow.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as out:
        out.write_table(arrow, max_chunksize=16)
    names[name + ".arrow"] = [c for c in arrow.schema.names if c not in ("nested", "union")]
view = pa.table({"x": pa.array(["a", "b"], pa.string_view())})  # refused, with a reason
with pa.ipc.new_file("../ipc/testdata/view.arrow", view.schema) as out:
    out.write_table(view)
with open("zoo.json", "w") as f:
    json.dump({"files": names, "columns": want}, f, indent=None, separators=(",", ":"), allow_nan=False)
print("pyarrow", pa.__version__, "duckdb", duckdb.__version__, "numpy", np.__version__, sys.version.split()[0])
