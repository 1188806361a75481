// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"errors"
	"io/fs"
	"reflect"
	"syscall"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/faultfs"
	"github.com/holdfast-churn/holdfast/predict"
)

// An unreadable disk gives an error at the nth call that reads, looks or removes.
type unreadable struct {
	data.FS
	at, calls int
}

func (u *unreadable) fault() error {
	if u.calls++; u.calls == u.at {
		return &fs.PathError{Op: "read", Path: "disk", Err: syscall.EIO}
	}
	return nil
}

func (u *unreadable) Open(name string) (data.File, error) {
	if err := u.fault(); err != nil {
		return nil, err
	}
	f, err := u.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return unreadableFile{f, u}, nil
}

func (u *unreadable) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := u.fault(); err != nil {
		return nil, err
	}
	return u.FS.ReadDir(name)
}

func (u *unreadable) Remove(name string) error {
	if err := u.fault(); err != nil {
		return err
	}
	return u.FS.Remove(name)
}

func (u *unreadable) MkdirAll(name string) error {
	if err := u.fault(); err != nil {
		return err
	}
	return u.FS.MkdirAll(name)
}

type unreadableFile struct {
	data.File
	u *unreadable
}

func (f unreadableFile) Stat() (fs.FileInfo, error) {
	if err := f.u.fault(); err != nil {
		return nil, err
	}
	return f.File.Stat()
}

func (f unreadableFile) ReadAt(b []byte, at int64) (int, error) {
	if err := f.u.fault(); err != nil {
		return 0, err
	}
	return f.File.ReadAt(b, at)
}

// shelf is a registry in memory with a champion, one before it, a version that
// nothing needs, and what a publication that was cut short has left.
func shelf(t *testing.T) (r *Registry, champion string) {
	t.Helper()
	r = &Registry{FS: faultfs.NewCrash(), Dir: "models"}
	first := publish(t, r, model(-1))
	publish(t, r, model(-3))
	champion = publish(t, r, model(-2))
	for _, id := range []string{first, champion} {
		if err := r.Promote(id, predict.Verdict{Pass: true}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{".aliases.json.tmp-1-1", champion + "/.model.json.tmp-1-1", champion + "/.model.json.sig.tmp-1-1"} {
		if err := data.WriteBytes(r.FS, "models/"+name, []byte("{")); err != nil {
			t.Fatal(err)
		}
	}
	return r, champion
}

// Every call that cannot read the disk ends an operation with that error, or
// marks the version that it was about; the registry stays as it was, or becomes
// what the operation makes of it.
func TestUnreadableDisk(t *testing.T) {
	reads := map[string]bool{"champion": true, "beginning": true, "verify": true}
	for name, operation := range map[string]func(*Registry) error{
		"publish": func(r *Registry) error { _, err := r.Publish(model(-7)); return err },
		"again":   func(r *Registry) error { _, err := r.Publish(model(-2)); return err },
		"promote": func(r *Registry) error { return r.Promote(predict.ID(marshalled(-3)), predict.Verdict{Pass: true}) },
		"approve": func(r *Registry) error {
			return r.Promote(predict.ID(marshalled(-3)), predict.Verdict{By: "Ada", Because: "x"})
		},
		"rollback": func(r *Registry) error { _, _, err := r.Rollback("", predict.Verdict{}); return err },
		"roll to": func(r *Registry) error {
			_, _, err := r.Rollback(predict.ID(marshalled(-1))[:6], predict.Verdict{})
			return err
		},
		"gc":        func(r *Registry) error { _, err := r.GC(GCOptions{}); return err },
		"champion":  func(r *Registry) error { _, _, err := r.Load(Champion); return err },
		"beginning": func(r *Registry) error { _, _, err := r.Load(predict.ID(marshalled(-2))[:6]); return err },
		"verify": func(r *Registry) error {
			_, problems, err := r.Verify()
			for _, p := range problems {
				err = errors.Join(err, p.Err)
			}
			return err
		},
	} {
		tried := 0
		for at := 1; ; at++ {
			r, champion := shelf(t)
			before, err := r.Aliases()
			if err != nil {
				t.Fatal(err)
			}
			disk := &unreadable{FS: r.FS, at: at}
			failed := operation(&Registry{FS: disk, Dir: r.Dir})
			if disk.calls < at {
				break
			}
			tried++
			// Who stood in a lock file, and a parent that cannot be read, are no reason not to go on.
			if failed != nil && !errors.Is(failed, syscall.EIO) || failed == nil && reads[name] {
				t.Errorf("%s, call %d: %v", name, at, failed)
			}
			after, err := r.Aliases()
			_, problems, verifyErr := r.Verify()
			if err != nil || verifyErr != nil || len(problems) > 0 {
				t.Fatalf("%s, call %d: %v, %v, %v", name, at, err, verifyErr, problems)
			}
			if failed != nil && !reflect.DeepEqual(before, after) && after[Champion].ID == champion && after[Latest].ID == champion {
				t.Errorf("%s, call %d failed and changed %+v to %+v", name, at, before, after)
			}
		}
		if tried < 3 {
			t.Errorf("%s: only %d calls were tried", name, tried)
		}
	}
}

// marshalled returns the file of a model.
func marshalled(intercept float64) []byte {
	b, err := predict.Marshal(model(intercept))
	if err != nil {
		panic(err)
	}
	return b
}
