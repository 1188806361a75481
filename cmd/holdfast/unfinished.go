// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/holdfast-churn/holdfast/data"
)

// unfinished is the folder in which a backtest keeps the origins it is through
// with, until its report is written. It implements evaluate.Finished.
type unfinished struct {
	fsys data.FS
	dir  string
}

// Load returns what was saved under a name; nil where there is nothing.
func (u *unfinished) Load(name string) ([]byte, error) {
	f, err := u.fsys.Open(filepath.Join(u.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading an origin of an earlier run: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<40))
	if err != nil {
		return nil, fmt.Errorf("reading an origin of an earlier run: %w", err)
	}
	return b, nil
}

// Save keeps b under a name.
func (u *unfinished) Save(name string, b []byte) error {
	if err := u.fsys.MkdirAll(u.dir); err != nil {
		return fmt.Errorf("keeping a finished origin: %w", err)
	}
	return data.WriteBytes(u.fsys, filepath.Join(u.dir, name), b)
}

// remove deletes the folder and what is in it.
func (u *unfinished) remove() error {
	entries, err := u.fsys.ReadDir(u.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		err = errors.Join(err, u.fsys.Remove(filepath.Join(u.dir, e.Name())))
	}
	if err = errors.Join(err, u.fsys.Remove(u.dir)); err != nil {
		return fmt.Errorf("removing finished origins: %w", err)
	}
	return nil
}

// programDigest tells this program from another build of the same version, whose
// origins must not be taken over; empty where the program cannot be read.
func programDigest() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}
