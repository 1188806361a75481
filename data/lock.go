// SPDX-License-Identifier: Apache-2.0

package data

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"
)

// ErrLocked is wrapped by the error of a lock that somebody else has.
var ErrLocked = errors.New("locked")

// A LockFile is a file that one process at a time can have: the system takes
// the lock away when the process ends, however it ends. Closing it gives it
// back.
type LockFile interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
}

// A Holder is who has a lock. It stands in the lock's file, for whoever is kept
// waiting.
type Holder struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
}

// A LockedError is a lock that somebody else has, or seems to have.
type LockedError struct {
	Path   string
	Holder Holder // zero where the file does not say
	Age    time.Duration
	// Left is set where nobody has the lock on this machine, but the file names
	// a holder on another one: it may have died, or be running where this
	// machine does not see its lock.
	Left bool
}

func (e *LockedError) Error() string {
	who := "another process"
	if h := e.Holder; h.PID != 0 {
		who = fmt.Sprintf("process %d on host %s (%s), %v ago", h.PID, h.Host, h.Command, e.Age.Round(time.Second))
	}
	if e.Left {
		return fmt.Sprintf("%s: locked by %s, on another machine; if it no longer runs there, go on with --break-lock", e.Path, who)
	}
	return fmt.Sprintf("%s: locked by %s, which is still running: wait for it, or end it; the lock ends with it", e.Path, who)
}

// Is makes every LockedError an ErrLocked.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// A Lock is held until Release.
type Lock struct {
	file LockFile
	// After is the holder that died without giving the lock back, nil if
	// none did.
	After *Holder
}

// Hold takes the lock file of that name for a holder, whose Since is now, or
// returns a *LockedError. It never waits.
//
// The lock is the system's, so a process that was killed leaves none: its name
// still stands in the file, and the next holder on the same host takes over and
// finds it in After. A name of another host may be that of a process whose lock
// this system does not see, as on some network file systems: it is refused,
// unless breakLeft is set.
func Hold(fsys FS, name string, me Holder, breakLeft bool) (*Lock, error) {
	f, err := fsys.Lock(name)
	if err != nil && !errors.Is(err, ErrLocked) {
		return nil, explainLock(err, name)
	}
	if f == nil { // held; its file can still be read
		other, _ := readHolder(fsys, name)
		return nil, &LockedError{Path: name, Holder: other, Age: me.Since.Sub(other.Since)}
	}
	l := &Lock{file: f}
	if other, ok := readHolder(fsys, name); ok {
		if other.Host != me.Host && !breakLeft {
			return nil, errors.Join(&LockedError{Path: name, Holder: other, Age: me.Since.Sub(other.Since), Left: true}, f.Close())
		}
		l.After = &other
	}
	note, err := json.Marshal(me)
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt(append(note, '\n'), 0)
	}
	if err != nil {
		return nil, errors.Join(explainLock(err, name), l.Release())
	}
	return l, nil
}

// Release gives the lock back. The file stays, empty: removing it could take
// away the lock of whoever has just opened it.
func (l *Lock) Release() error { return errors.Join(l.file.Truncate(0), l.file.Close()) }

// readHolder reads who stands in a lock file, and reports whether anybody does.
func readHolder(fsys FS, name string) (h Holder, ok bool) {
	f, err := fsys.Open(name)
	if err != nil {
		return h, false
	}
	defer f.Close()
	err = json.NewDecoder(io.NewSectionReader(f, 0, 4096)).Decode(&h)
	return h, err == nil && h.PID != 0
}

// noLocks reports whether an error says that a file system has no locks.
func noLocks(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.ENOLCK)
}

// CanLock reports whether the file system of a file, which is there, has locks;
// true where that cannot be told. The file is not changed.
func CanLock(fsys FS, name string) bool {
	f, err := fsys.Lock(name)
	if f != nil {
		f.Close() // its error says nothing about locks
	}
	return !noLocks(err)
}

// explainLock adds to an error of a lock what was being done and how to mend it.
func explainLock(err error, name string) error {
	switch {
	case noLocks(err):
		return fmt.Errorf("locking %s: this file system has no locks, so two writers could not be kept apart; "+
			"put the folder on another one: %w", name, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("locking %s: no permission to write in the folder %s: %w", name, filepath.Dir(name), err)
	}
	return fmt.Errorf("locking %s: %w", name, err)
}
