# SPDX-License-Identifier: Apache-2.0
"""Scores a table with scikit-learn or ONNX Runtime: pyarrow reads a row group at
a time and writes id, probability, health and the names of the three features
that raise the log-odds most.

    peer.py sklearn|onnx TABLE FOLDER OUTPUT THREADS
"""

import json
import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def model(kind, folder, threads):
    """Returns a function from rows to probabilities."""
    if kind == "sklearn":
        import joblib

        fit = joblib.load(folder / "sklearn.joblib")
        return lambda x: fit.predict_proba(x)[:, 1]
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(folder / "model.onnx", options)
    return lambda x: session.run(["probabilities"], {"X": x})[0][:, 1]


def reasons(x, w, m):
    """Returns the columns of the three largest w (x - m) of each row."""
    effects = (x - m) * w
    some = np.argpartition(-effects, 3, axis=1)[:, :3]
    order = np.argsort(-np.take_along_axis(effects, some, 1), 1)
    return np.take_along_axis(some, order, 1).astype(np.int32)


def main():
    kind, table, folder, output, threads = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), sys.argv[4], int(sys.argv[5])
    pa.set_cpu_count(threads)
    facts = json.loads((folder / "weights.json").read_text())
    w, m = np.array(facts["w"], np.float32), np.array(facts["m"], np.float32)
    names, base = pa.array(facts["names"]), np.float32(facts["base_odds"])
    prob = model(kind, folder, threads)
    source, out = pq.ParquetFile(table), None
    for group in range(source.num_row_groups):
        t = source.read_row_group(group, columns=["account_id", *facts["names"]])
        x = np.empty((len(t), len(w)), np.float32)
        for k in range(len(w)):
            x[:, k] = t.column(k + 1).to_numpy()
        p = prob(x).astype(np.float32)
        health = np.clip(60 - 12 * np.log2(p / (1 - p) / base), 0, 100)
        top = reasons(x, w, m)
        columns = {"account_id": t.column(0), "p_churn": p, "health": health}
        for k in range(3):
            columns[f"reason_{k + 1}"] = pa.DictionaryArray.from_arrays(pa.array(top[:, k]), names)
        scores = pa.table(columns)
        out = out or pq.ParquetWriter(output, scores.schema)
        out.write_table(scores)
    out.close()


if __name__ == "__main__":
    main()
