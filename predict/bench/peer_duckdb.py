# SPDX-License-Identifier: Apache-2.0
"""Scores a table in SQL, as peer.py does in Python. Rows may come in any order.

    peer_duckdb.py TABLE FOLDER OUTPUT THREADS
"""

import json
import pathlib
import sys

import duckdb


def query(table, facts):
    def number(x):
        return f"{x!r}::float"

    w, m, names = facts["w"], facts["m"], facts["names"]
    z = " + ".join([number(facts["b"])] + [f"{number(a)} * {n}" for a, n in zip(w, names, strict=True)])
    effects = ", ".join(f"{number(a)} * ({n} - {number(c)})" for a, c, n in zip(w, m, names, strict=True))
    texts = ", ".join(f"'{n}'" for n in names)
    return f"""
        with scored as (
            select account_id, (1 / (1 + exp(-({z}))))::float as p,
                list_slice(list_grade_up([{effects}], 'DESC'), 1, 3) as k
            from '{table}'
        )
        select account_id, p as p_churn,
            greatest(0, least(100, 60 - 12 * log2(p / (1 - p) / {number(facts["base_odds"])})))::float as health,
            [{texts}][k[1]] as reason_1, [{texts}][k[2]] as reason_2, [{texts}][k[3]] as reason_3
        from scored"""


def main():
    table, folder, output, threads = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    facts = json.loads((folder / "weights.json").read_text())
    db = duckdb.connect()
    db.execute(f"set threads = {threads}")
    db.execute("set preserve_insertion_order = false")
    db.execute(f"copy ({query(table, facts)}) to '{output}' (format parquet)")


if __name__ == "__main__":
    main()
