// SPDX-License-Identifier: Apache-2.0

package data

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// forgottenFormat is the format of the file of tombstones.
const forgottenFormat = "holdfast-forgotten/1"

// maxForgotten bounds the file of tombstones, in bytes: more than half a
// million accounts.
const maxForgotten = 64 << 20

// A Tombstone stands for an account that must not be read again. It holds the
// account's digest, not its id.
type Tombstone struct {
	SHA256 string `json:"sha256"` // HashID of the account
	Since  string `json:"since"`  // the day it was forgotten, as 2006-01-02
}

// Forgotten are the accounts that a project must not read, whatever its tables
// still hold. The nil pointer is an empty set.
type Forgotten struct {
	Format   string      `json:"format"`
	Accounts []Tombstone `json:"accounts"` // sorted by digest
}

// ReadForgotten reads a file of tombstones; nil where there is none.
func ReadForgotten(fsys FS, name string) (*Forgotten, error) {
	file, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the forgotten accounts: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.NewSectionReader(file, 0, maxForgotten+1))
	if err != nil {
		return nil, fmt.Errorf("reading the forgotten accounts: %w", err)
	}
	f := new(Forgotten)
	if err := f.parse(text); err != nil {
		return nil, badFile(name, "%w; restore it from a copy: without it forgotten accounts would be read again", err)
	}
	return f, nil
}

func (f *Forgotten) parse(text []byte) error {
	if len(text) > maxForgotten {
		return fmt.Errorf("more than %s bytes", grouped(maxForgotten))
	}
	if err := json.Unmarshal(text, f); err != nil {
		return fmt.Errorf("is no list of forgotten accounts: %w", err)
	}
	if f.Format != forgottenFormat {
		return fmt.Errorf("has the format %q, expected %q", f.Format, forgottenFormat)
	}
	for i, t := range f.Accounts {
		if b, err := hex.DecodeString(t.SHA256); err != nil || len(b) != 32 {
			return fmt.Errorf("entry %d: %q is no sha256", i+1, t.SHA256)
		}
	}
	slices.SortFunc(f.Accounts, func(a, b Tombstone) int { return strings.Compare(a.SHA256, b.SHA256) })
	return nil
}

// Of returns the tombstone of an account.
func (f *Forgotten) Of(id string) (Tombstone, bool) {
	if f == nil || len(f.Accounts) == 0 {
		return Tombstone{}, false
	}
	at, found := f.search(HashID(id))
	if !found {
		return Tombstone{}, false
	}
	return f.Accounts[at], true
}

func (f *Forgotten) has(id string) bool {
	_, found := f.Of(id)
	return found
}

func (f *Forgotten) search(digest string) (int, bool) {
	return slices.BinarySearchFunc(f.Accounts, digest, func(t Tombstone, s string) int { return strings.Compare(t.SHA256, s) })
}

// With returns the set with one more account, forgotten on the given day; the
// same set where it is in it.
func (f *Forgotten) With(id string, day time.Time) *Forgotten {
	if f.has(id) {
		return f
	}
	out := &Forgotten{Format: forgottenFormat}
	if f != nil {
		out.Accounts = slices.Clone(f.Accounts)
	}
	t := Tombstone{SHA256: HashID(id), Since: day.Format(time.DateOnly)}
	at, _ := out.search(t.SHA256)
	out.Accounts = slices.Insert(out.Accounts, at, t)
	return out
}

// Write replaces the file of tombstones.
func (f *Forgotten) Write(fsys FS, name string) error {
	text, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return fmt.Errorf("writing the forgotten accounts: %w", err)
	}
	return WriteBytes(fsys, name, append(text, '\n'))
}

// without returns the rows of a table whose account is not forgotten, the very
// table where that is all of them, and counts the others.
func (f *Forgotten) without(t *Table, account string) (*Table, tally) {
	var gone tally
	if f == nil || len(f.Accounts) == 0 {
		return t, gone
	}
	ids := t.Column(account)
	var rows []int
	for i := range t.Rows {
		if !ids.Missing(i) && f.has(ids.format(i)) {
			gone.n++ // and no example: that would be an id
		} else {
			rows = append(rows, i)
		}
	}
	if gone.n == 0 {
		return t, gone
	}
	return t.Take(rows), gone
}
