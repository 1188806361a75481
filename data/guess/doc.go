// SPDX-License-Identifier: Apache-2.0

// Package guess looks at Parquet files that nobody has described and guesses
// which table holds the accounts, which the contract terms and which events,
// and what each column is.
//
// Look proceeds in these steps:
//
//   - data.FindTables lists the files as tables; of each a bounded sample of
//     rows is read and its columns are profiled;
//   - keys.go finds the accounts: the table with a complete, unique key whose
//     values most other tables hold in a column;
//   - contracts.go looks among those for terms: a start, a due date, a key; and
//     asks the rows what names cannot say (is the value an agreed price, was a
//     renewal seen only after the term it began);
//   - events.go takes every other table that refers to the accounts and is dated;
//   - hindsight.go leaves out what was filled in after the fact.
//
// Every choice carries the reason for it, in words for the user. Names are
// English; rows overrule them where they can. Nothing here decides a model: the
// result is a proposal that a person reads and "holdfast check" tries.
//
//	l, err := guess.Look(ctx, data.Disk{}, "shop/data", guess.Options{})
//	l.Sources.Contracts.Due // "renewal_date"
//	l.Why["contracts.due"]  // "by its name; after the start in nearly all rows ..."
package guess
