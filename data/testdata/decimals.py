# SPDX-License-Identifier: Apache-2.0
"""Writes decimals_plain.parquet and decimals_dict.parquet: columns of decimals
in 4, 8 and 16 bytes, some with a value of more digits than a float64 keeps.
decimal_test.go has what they must give.

Written with pyarrow 26.0.1 and Python 3.11.7 (the script prints them). No
randomness.

    python decimals.py            (in this folder)
"""
import sys
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

columns = {  # name: precision, scale, values
    "four": (9, 2, ["1.25", "-0.01", None, "9999999.99"]),
    "eight": (18, 2, ["9999999999999.99", "-9999999999999.99", None, "1000000000000000.00"]),
    "sixteen": (38, 10, ["1234567.8900000000", "-9007199254740992.0000000000", None, "99999.0000000001"]),
    "whole": (38, 0, ["9007199254740992", "-5", None, "120000000000000000000000000000"]),
    "money": (18, 2, ["1.00", None, "9007199254740.93", "2345678901234567.89", "1.00"]),
    "large": (38, 2, ["1.00", None, "2.00", "-12345678901234567.89", "1.00"]),
    "id": (38, 0, ["1", None, "9007199254740993", "9007199254740993", "2"]),
}
arrays = {}
for name, (precision, scale, values) in columns.items():
    values = [v if v is None else Decimal(v) for v in values] + [Decimal(0)] * (5 - len(values))
    arrays[name] = pa.array(values, pa.decimal128(precision, scale))
table = pa.table(arrays)
for name, dictionary in [("plain", False), ("dict", True)]:
    pq.write_table(table, f"decimals_{name}.parquet", use_dictionary=dictionary, store_decimal_as_integer=True,
                   store_schema=False, compression="zstd", row_group_size=2)
print("pyarrow", pa.__version__, sys.version.split()[0])
