# SPDX-License-Identifier: Apache-2.0
"""Makes a project of 100,000 accounts for the `run` case.

    history.py REFERENCE FOLDER EVENTS

Events come from the generator gen.py in REFERENCE. Every account has a term of a
year that is due in 2023; 88 of 100 renew it. What is asked for is 20 M events.
"""

import pathlib
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ACCOUNTS = 100_000
PROJECT = """\
version: 1
project: bench
timezone: UTC
data:
  accounts:  {path: accounts.parquet, key: account_id, created: created, segment: segment}
  contracts: {path: terms.parquet, key: contract_id, account: account_id, start: start_date, due: due_date, value: value, value_known: start}
  events:
    - {name: usage, path: events/*/*.parquet, account: account_id, time: ts, type: type, value: value}
outcome: {mode: renewal, leads: [60d], grace: 30d}
models: models/
"""


def main():
    reference, folder, events = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    subprocess.run([sys.executable, reference / "gen.py", folder, events, str(ACCOUNTS)], check=True)
    made = pq.read_table(folder / "contracts.parquet").slice(0, ACCOUNTS)
    ids, due = made["account_id"].to_numpy(), made["renewal"].to_numpy().astype("datetime64[D]")
    rng = np.random.default_rng(5)
    stays = rng.random(ACCOUNTS) < 0.88
    account, ends = np.concatenate([ids, ids[stays]]), np.concatenate([due - 365, due[stays]])
    terms = {
        "contract_id": np.arange(len(account)),
        "account_id": account,
        "start_date": ends - 365,
        "due_date": ends,
        "value": np.round(rng.lognormal(6, 1, len(account)), 2),
    }
    pq.write_table(pa.table(terms), folder / "terms.parquet")
    accounts = {"account_id": ids, "segment": rng.choice(["small", "mid", "large"], ACCOUNTS), "created": np.full(ACCOUNTS, np.datetime64("2022-01-01"))}
    pq.write_table(pa.table(accounts), folder / "accounts.parquet")
    (folder / "holdfast.yaml").write_text(PROJECT)


if __name__ == "__main__":
    main()
