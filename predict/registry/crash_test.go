// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/predict"
)

var kills = flag.Int("kills", 30, "times to kill a writer at a random moment")

// writerEnv names the folder that this binary, started again, changes for ever.
const writerEnv = "HOLDFAST_TEST_WRITER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerEnv); dir != "" {
		writeForEver(dir)
	}
	os.Exit(m.Run())
}

// writeForEver publishes, promotes, rolls back and collects without end.
func writeForEver(dir string) {
	r := &Registry{FS: data.Disk{}, Dir: dir, Writer: func() data.Holder { return data.Holder{PID: os.Getpid(), Host: "h"} }}
	for i := 0; ; i++ {
		id, err := r.Publish(model(float64(i%7) - 3.5))
		if err == nil {
			err = r.Promote(id, predict.Verdict{Pass: true})
		}
		if err == nil && i%3 == 2 {
			_, _, err = r.Rollback("", predict.Verdict{By: "Ada"})
		}
		if err == nil && i%5 == 4 {
			_, err = r.GC(GCOptions{})
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		if i == 0 {
			fmt.Println("begun")
		}
	}
}

// A writer that is killed with SIGKILL at a random moment leaves every version
// and every alias whole, and the next writer goes on.
func TestKillAtRandom(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "models")
	rng := rand.New(rand.NewPCG(1, 2))
	for range *kills {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), writerEnv+"="+dir)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		text := make([]byte, 200)
		n, _ := io.ReadAtLeast(out, text, 6) // it has begun
		if !strings.HasPrefix(string(text[:n]), "begun") {
			t.Fatalf("the writer stopped: %s", text[:n])
		}
		time.Sleep(time.Duration(rng.IntN(20_000)) * time.Microsecond)
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait() // its error is the signal
		checkWhole(t, &Registry{FS: data.Disk{}, Dir: dir})
	}
}

// checkWhole fails unless every version is whole and both aliases can be used.
func checkWhole(t *testing.T, r *Registry) {
	t.Helper()
	_, problems, err := r.Verify()
	if err != nil || len(problems) > 0 {
		t.Fatalf("not whole: %v, %v", problems, err)
	}
	for _, ref := range []string{Champion, Latest} {
		if _, _, err := r.Load(ref); err != nil {
			t.Fatal(err)
		}
	}
}

// A faultFS fails from its nth change of the disk on: with an error of that
// call alone, or, as a process that is killed there, at all calls from then.
type faultFS struct {
	data.Disk
	at, calls int
	crash     bool
	errno     error
}

var errCrash = errors.New("killed")

func (f *faultFS) fails() error {
	f.calls++
	switch {
	case f.crash && f.calls >= f.at:
		return errCrash
	case f.calls == f.at:
		return f.errno
	}
	return nil
}

func (f *faultFS) CreateTemp(name string) (data.TempFile, error) {
	if err := f.fails(); err != nil {
		return nil, err
	}
	t, err := f.Disk.CreateTemp(name)
	return faultTemp{t, f}, err
}

func (f *faultFS) Rename(oldName, newName string) error {
	if err := f.fails(); err != nil {
		return err
	}
	return f.Disk.Rename(oldName, newName)
}

func (f *faultFS) Remove(name string) error {
	if err := f.fails(); err != nil {
		return err
	}
	return f.Disk.Remove(name)
}

func (f *faultFS) MkdirAll(name string) error {
	if err := f.fails(); err != nil {
		return err
	}
	return f.Disk.MkdirAll(name)
}

func (f *faultFS) SyncDir(name string) error {
	if err := f.fails(); err != nil {
		return err
	}
	return f.Disk.SyncDir(name)
}

type faultTemp struct {
	data.TempFile
	fs *faultFS
}

func (t faultTemp) Write(b []byte) (int, error) {
	if err := t.fs.fails(); err != nil {
		n, _ := t.TempFile.Write(b[:len(b)/2]) // half of it reached the disk
		return n, err
	}
	return t.TempFile.Write(b)
}

func (t faultTemp) Sync() error {
	if err := t.fs.fails(); err != nil {
		return err
	}
	return t.TempFile.Sync()
}

// At every point at which a publication, a promotion, a rollback or a
// collection touches the disk, a kill leaves the old or the new registry whole,
// and so does an error of the disk, which is also reported; the next run gives
// what an undisturbed one gives, and a collection leaves nothing behind.
func TestFaultAtEveryWrite(t *testing.T) {
	steps := func(r *Registry) error {
		id, err := r.Publish(model(-2))
		if err != nil {
			return err
		}
		if err := r.Promote(id, predict.Verdict{Pass: true}); err != nil {
			return err
		}
		if _, _, err = r.Rollback("", predict.Verdict{By: "Ada", Because: "complaints"}); err != nil {
			return err
		}
		_, err = r.GC(GCOptions{})
		return err
	}
	for _, errno := range []error{nil, syscall.EIO} {
		points := 0
		for at := 1; ; at++ {
			r := &Registry{FS: data.Disk{}, Dir: filepath.Join(t.TempDir(), "models")}
			old := publish(t, r, model(-1))
			unused := publish(t, r, model(-9))
			publish(t, r, model(-1)) // latest is the old one again
			if err := r.Promote(old, predict.Verdict{Pass: true}); err != nil {
				t.Fatal(err)
			}
			faulty := &faultFS{at: at, crash: errno == nil, errno: errno}
			err := steps(&Registry{FS: faulty, Dir: r.Dir})
			checkWhole(t, r)
			if faulty.calls < at {
				if err != nil {
					t.Fatal(err)
				}
				points = at - 1
				break
			}
			if err == nil || errno != nil && !errors.Is(err, errno) {
				t.Errorf("fault %d: error %v, want %v", at, err, errno)
			}
			if err := steps(r); err != nil {
				t.Fatalf("the next run after fault %d: %v", at, err)
			}
			checkWhole(t, r)
			if id, err := r.Resolve(Champion); id != old || err != nil {
				t.Errorf("after fault %d champion is %s, %v", at, id, err)
			}
			checkNothingLeft(t, r.Dir, unused)
		}
		if points < 20 { // two folders, three files of four calls each, and what gc removes
			t.Errorf("only %d points were tried", points)
		}
	}
}

// checkNothingLeft fails where a temporary file or the version that nothing
// reaches is still there.
func checkNothingLeft(t *testing.T, dir, unused string) {
	t.Helper()
	_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || strings.Contains(path, ".tmp-") || strings.Contains(path, unused) {
			t.Errorf("left behind: %s, %v", path, err)
		}
		return nil
	})
}

// Two writers at once: each publication succeeds or says that it is locked, and
// all that succeeded are there.
func TestTwoWriters(t *testing.T) {
	dir := t.TempDir()
	type result struct {
		id  string
		err error
	}
	results := make(chan result)
	for w := range 2 {
		go func() {
			r := &Registry{FS: data.Disk{}, Dir: dir}
			for i := range 20 {
				id, err := r.Publish(model(float64(-100*w - i)))
				results <- result{id, err}
			}
		}()
	}
	published := map[string]bool{}
	for range 40 {
		switch r := <-results; {
		case r.err == nil:
			published[r.id] = true
		case !errors.Is(r.err, data.ErrLocked):
			t.Error(r.err)
		}
	}
	list, err := (&Registry{FS: data.Disk{}, Dir: dir}).List()
	if err != nil || len(list) != len(published) || len(list) == 0 {
		t.Errorf("%d versions, %d were published, %v", len(list), len(published), err)
	}
	aliases, err := (&Registry{FS: data.Disk{}, Dir: dir}).Aliases()
	if n := len(aliases[Latest].History); n != len(published) || err != nil {
		t.Errorf("latest has moved %d times, %d were published, %v", n, len(published), err)
	}
	for _, v := range list {
		if v.Err != nil || !published[v.ID] {
			t.Errorf("%s: %v", v.ID, v.Err)
		}
	}
}
