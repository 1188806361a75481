// SPDX-License-Identifier: Apache-2.0

// Package data brings tables in and out, and refuses bad ones.
//
// A Table holds typed columns of six kinds. Read fills one from Parquet files,
// in these steps:
//
//   - glob.go finds the files of a pattern, and the columns in folder names;
//   - guard.go checks each file before it is trusted: magic, footer, counts;
//   - scan.go settles which columns there are, and their kinds in all files;
//   - pages.go takes a column apart into pages, checks and decompresses them;
//   - encodings.go and bytearrays.go decode the values of a page;
//   - chunk.go converts them to the column's kind, and builder.go appends them.
//
// ParquetWriter writes one piece by piece: column_write.go gathers the values
// of a column to pages and row groups, encode.go and page_write.go encode them.
//
// parquet-go brings the metadata, the compression and the decoders of values.
// Its file reader is not used: it allocates whatever lengths a damaged file
// declares, and a process that runs out of memory cannot recover. Here every
// length is compared with the bytes behind it first, so that any file gives an
// error or as many rows as its footer says, in bounded memory. Nor is its file
// writer, which takes values one by one.
//
// Errors about the data satisfy errors.Is(err, ErrBadData) and say file, row
// and column, what was found and what is needed; failures of the disk do not.
// Nothing is guessed or wrapped round: a timestamp outside the years 1678 to
// 2261, an integer beyond 64 bits or a decimal of more than 15 digits, which a
// number would round, is refused.
//
// Beyond one machine another program sorts the rows. A Union (union.go) is all
// tables in one, for it to sort; gather.go turns what it sorted back into the
// tables of some accounts at a time, and NewHistory joins those. What spans
// accounts is told to such a history: where it ends (end.go), which a Census
// (census.go) has found.
//
// Write and WriteFile replace a file in one step, through the small interface
// FS that everything goes through. The same table gives the same bytes.
//
// ParseFilter reads the small language in which a project says which rows it
// means (type == 'login' and seats > 2), Bind checks it against the kinds of the
// columns, and Eval finds the rows of a table.
//
// ReadHistory makes the history that features are computed from. Accounts and
// contracts are held whole (history.go, contracts.go). Of events there may be
// more than memory holds: row groups are read side by side (eventscan.go), each
// row is joined to its account and packed into a record (events.go, record.go),
// and records are kept by ranges of accounts, in memory or past a bound on disk
// (store.go, scratch.go), from where a Part brings them back. NewHistory does
// the same with tables in memory. Check finds what is wrong with a history.
//
//	t, err := data.Read(data.Disk{}, "usage/**/*.parquet", []string{"account_id", "ts"})
//	err = data.Write(data.Disk{}, "usage.csv", t)
package data
