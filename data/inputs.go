// SPDX-License-Identifier: Apache-2.0

package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"runtime"
)

// An Input is one file that a project reads.
type Input struct {
	Table  string `json:"table"` // accounts, contracts or the name of an event source
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

// Inputs lists every file of the declared tables, in declared order and by
// path, with its digest. It reads the files once, several at a time, and decodes
// nothing of them but footers.
func Inputs(ctx context.Context, fsys FS, s Sources) ([]Input, error) {
	tables := []Input{{Table: "accounts", Path: s.Accounts.Path}}
	if s.Contracts != nil {
		tables = append(tables, Input{Table: "contracts", Path: s.Contracts.Path})
	}
	for i := range s.Events {
		if e := &s.Events[i]; !e.Derived {
			tables = append(tables, Input{Table: e.Name, Path: e.Path})
		}
	}
	var out []Input
	for _, t := range tables {
		files, err := glob(fsys, t.Path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Table, err)
		}
		for _, f := range files {
			out = append(out, Input{Table: t.Table, Path: f.name})
		}
	}
	err := inOrder(runtime.GOMAXPROCS(0), len(out), func(_, i int) error {
		if err := out[i].read(ctx, fsys); err != nil {
			return fmt.Errorf("%s: %w", out[i].Table, err)
		}
		return nil
	})
	return out, err
}

// read fills what the file itself says.
func (in *Input) read(ctx context.Context, fsys FS) (err error) {
	p, err := openParquet(fsys, in.Path)
	if err != nil {
		return err
	}
	defer p.closeInto(&err)
	for g := range p.meta.RowGroups {
		in.Rows += p.meta.RowGroups[g].NumRows
	}
	in.SHA256, in.Bytes, err = digestOf(ctx, p.file)
	return err
}

// Digest returns the sha256 of a file in hex, and its size.
func Digest(ctx context.Context, fsys FS, name string) (sum string, size int64, err error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	return digestOf(ctx, f)
}

// digestOf reads an open file piece by piece, until the context is cancelled.
func digestOf(ctx context.Context, f File) (sum string, size int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	const piece = 1 << 20
	h := sha256.New()
	b := make([]byte, min(piece, info.Size()))
	for size < info.Size() {
		if err := ctx.Err(); err != nil {
			return "", 0, err
		}
		n, err := f.ReadAt(b[:min(piece, info.Size()-size)], size)
		if n == 0 {
			return "", 0, fmt.Errorf("reading byte %d of %d: %w", size, info.Size(), cutShort(err))
		}
		h.Write(b[:n])
		size += int64(n)
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

func cutShort(err error) error {
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
