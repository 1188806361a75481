// SPDX-License-Identifier: Apache-2.0

// Package ipc reads and writes tables as Arrow IPC: files (.arrow) that
// pandas, Polars, DuckDB and R open without copying, and streams for pipes.
//
// A table is written in record batches of at most 65,536 rows. Numbers become
// float64, integers int64, booleans bool, dates date32, timestamps
// timestamp[ns, UTC] and texts utf8; a missing value is null. The same table
// always gives the same bytes.
//
// Read takes files of other writers too: any width of integer and float,
// decimals of up to 15 digits (as numbers), timestamps of any unit, dates of
// both kinds, texts plain, large or dictionary-encoded, buffers compressed or
// not. Columns of nested types are left out, as by data.Read. No Arrow type
// appears in this package's interface; and arrow's own Parquet package is never
// used, because on damaged files it panics where nobody can recover.
//
// A StreamReader reads a stream batch by batch, and tells one that was cut off
// from one that ended; see cmd/holdfast/SPARK.md.
//
//	err := ipc.Write(data.Disk{}, "scores.arrow", scores)
//	table, err := ipc.Read(data.Disk{}, "scores.arrow")
package ipc
