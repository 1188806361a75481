// SPDX-License-Identifier: Apache-2.0

package data

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// MakeFolder creates a folder and its parents, and makes the names of those that
// are new durable: a file in a folder whose own name was never synced is lost
// with it.
func MakeFolder(fsys FS, name string) error {
	var parents []string // of new folders
	for dir := filepath.Clean(name); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := fsys.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		parents = append(parents, filepath.Dir(dir))
	}
	err := fsys.MkdirAll(name)
	for _, dir := range parents {
		if err == nil {
			err = fsys.SyncDir(dir)
		}
	}
	return err
}

// ReplaceFolder puts a folder that was written under another name in the place
// of the final one: a reader of the final path sees the old folder or the whole
// new one. Both lie in the same parent, hold files only, and one process at a
// time may replace them. The files of the new folder must have been synced.
//
// Where the system cannot exchange two folders in one step, the path names
// nothing for an instant; a kill then leaves the old folder beside it, and
// RestoreFolder puts it back.
func ReplaceFolder(fsys FS, written, final string) error {
	if err := replaceFolder(fsys, written, final); err != nil {
		return fmt.Errorf("replacing %s: %w", final, err)
	}
	return nil
}

func replaceFolder(fsys FS, written, final string) error {
	if err := fsys.SyncDir(written); err != nil {
		return err
	}
	parent := filepath.Dir(final)
	if _, err := fsys.Stat(final); errors.Is(err, fs.ErrNotExist) {
		if err := fsys.Rename(written, final); err != nil {
			return err
		}
		return fsys.SyncDir(parent)
	}
	old := written
	err := fsys.Exchange(written, final)
	if errors.Is(err, errors.ErrUnsupported) {
		old = asideName(final)
		if err = fsys.Rename(final, old); err == nil {
			err = fsys.Rename(written, final)
		}
	}
	if err != nil {
		return err
	}
	if err := fsys.SyncDir(parent); err != nil {
		return err
	}
	return RemoveFolder(fsys, old)
}

// RestoreFolder undoes what a kill left of ReplaceFolder: the unfinished
// folder, and the old one where it is the last that was whole.
func RestoreFolder(fsys FS, written, final string) error {
	if _, err := fsys.Stat(final); errors.Is(err, fs.ErrNotExist) {
		if err := fsys.Rename(asideName(final), final); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("restoring %s: %w", final, err)
		}
	}
	return errors.Join(RemoveFolder(fsys, written), RemoveFolder(fsys, asideName(final)))
}

// asideName is where an old folder lies for an instant.
func asideName(final string) string {
	return filepath.Join(filepath.Dir(final), "."+filepath.Base(final)+".old")
}

// RemoveFolder removes a folder and the files in it, if it is there.
func RemoveFolder(fsys FS, name string) error {
	entries, err := fsys.ReadDir(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if err == nil {
			err = fsys.Remove(filepath.Join(name, e.Name()))
		}
	}
	if err == nil {
		err = fsys.Remove(name)
	}
	if err != nil {
		return fmt.Errorf("removing the folder %s: %w", name, err)
	}
	return nil
}
