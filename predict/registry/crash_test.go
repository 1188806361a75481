// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/faultfs"
	"github.com/holdfast-churn/holdfast/predict"
)

var kills = flag.Int("kills", 30, "times to kill a writer at a random moment")

// writerEnv names the folder that this binary, started again, changes for ever.
const writerEnv = "HOLDFAST_TEST_WRITER"

// killEnv is the change of the disk at which it is killed instead.
const killEnv = "HOLDFAST_TEST_KILL_AT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerEnv); dir != "" {
		if at, err := strconv.Atoi(os.Getenv(killEnv)); err == nil {
			writeUntilKilled(dir, at)
		}
		writeForEver(dir)
	}
	os.Exit(m.Run())
}

// writeUntilKilled makes the changes of a registry; at one of them it is killed.
func writeUntilKilled(dir string, at int) {
	if err := allChanges(&Registry{FS: &faultfs.FS{FS: data.Disk{}, At: at, Kill: true}, Dir: dir}); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
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

// allChanges publishes, promotes, rolls back and collects.
func allChanges(r *Registry) error {
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

// beforeChanges fills a registry: champion and latest are old, and there is a
// version that nothing reaches.
func beforeChanges(t *testing.T, r *Registry) (old, unused string) {
	t.Helper()
	old, unused = publish(t, r, model(-1)), publish(t, r, model(-9))
	publish(t, r, model(-1)) // latest is the old one again
	if err := r.Promote(old, predict.Verdict{Pass: true}); err != nil {
		t.Fatal(err)
	}
	return old, unused
}

// afterChanges runs the changes once more after a fault, and fails unless they
// give what undisturbed ones give and leave nothing behind.
func afterChanges(t *testing.T, what string, r *Registry, old, unused string) {
	t.Helper()
	if err := allChanges(r); err != nil {
		t.Fatalf("the next run after %s: %v", what, err)
	}
	checkWhole(t, r)
	if id, err := r.Resolve(Champion); id != old || err != nil {
		t.Errorf("after %s champion is %s, %v", what, id, err)
	}
	checkNothingLeft(t, r, unused)
}

// leastPoints is how many changes of the disk the changes are: two folders,
// three files of four calls each, and what a collection removes.
const leastPoints = 20

// At every point at which a publication, a promotion, a rollback or a
// collection touches the disk, a kill leaves the old or the new registry whole,
// and so does an error of the disk, which is also reported; the next run gives
// what an undisturbed one gives, and a collection leaves nothing behind. The
// same once the power is lost there, whatever of the unsynced reached the disk.
func TestFaultAtEveryWrite(t *testing.T) {
	for _, errno := range []error{nil, syscall.EIO} {
		points := 0
		for at := 1; ; at++ {
			disk := faultfs.NewCrash()
			r := &Registry{FS: disk, Dir: "models"}
			old, unused := beforeChanges(t, r)
			faulty := &faultfs.FS{FS: disk, At: at, Err: errno}
			err := allChanges(&Registry{FS: faulty, Dir: r.Dir})
			what := fmt.Sprintf("fault %d (%v)", at, errno)
			for s := range faultfs.Some + 8 {
				lost := &Registry{FS: disk.Lost(s), Dir: r.Dir}
				checkWhole(t, lost)
				afterChanges(t, fmt.Sprintf("%s and a loss of power (%d)", what, s), lost, old, unused)
			}
			checkWhole(t, r)
			if faulty.Calls() < at {
				if err != nil {
					t.Fatal(err)
				}
				points = at - 1
				break
			}
			if err == nil || errno != nil && !errors.Is(err, errno) {
				t.Errorf("%s: error %v, want %v", what, err, errno)
			}
			afterChanges(t, what, r, old, unused)
		}
		t.Logf("%d changes of the disk, each ended (by an error: %v), with and without a loss of power of %d kinds", points, errno, int(faultfs.Some)+8)
		if points < leastPoints {
			t.Errorf("only %d points were tried", points)
		}
	}
}

// What was published and promoted before the power was lost is still there.
func TestPublishedIsDurable(t *testing.T) {
	disk := faultfs.NewCrash()
	r := &Registry{FS: disk, Dir: "project/models"}
	id := publish(t, r, model(-1))
	if err := r.Promote(id, predict.Verdict{Pass: true}); err != nil {
		t.Fatal(err)
	}
	for s := range faultfs.Some + 8 {
		if _, got, err := (&Registry{FS: disk.Lost(s), Dir: r.Dir}).Load(Champion); got != id || err != nil {
			t.Errorf("survival %d: champion is %q, %v", s, got, err)
		}
	}
}

// The same points by SIGKILL, each in a process of its own on the real disk.
func TestKillAtEveryWrite(t *testing.T) {
	points := 0
	for at := 1; ; at++ {
		r := &Registry{FS: data.Disk{}, Dir: filepath.Join(t.TempDir(), "models")}
		old, unused := beforeChanges(t, r)
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), writerEnv+"="+r.Dir, killEnv+"="+strconv.Itoa(at))
		out, err := c.CombinedOutput()
		checkWhole(t, r)
		if err == nil {
			points = at - 1
			break
		}
		if c.ProcessState.String() != "signal: killed" {
			t.Fatalf("kill %d: %v, %s", at, c.ProcessState, out)
		}
		afterChanges(t, fmt.Sprintf("kill %d", at), r, old, unused)
	}
	t.Logf("SIGKILL at %d changes of the disk", points)
	if points < leastPoints {
		t.Errorf("only %d points were tried", points)
	}
}

// checkNothingLeft fails where a temporary file or the version that nothing
// reaches is still there.
func checkNothingLeft(t *testing.T, r *Registry, unused string) {
	t.Helper()
	entries, err := r.FS.ReadDir(r.Dir)
	for _, e := range slices.Clone(entries) {
		if e.IsDir() {
			inside, err := r.FS.ReadDir(filepath.Join(r.Dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			entries = append(entries, inside...)
		}
	}
	for _, e := range entries {
		if strings.Contains(e.Name(), ".tmp-") || strings.Contains(e.Name(), unused) {
			t.Errorf("left behind: %s", e.Name())
		}
	}
	if err != nil {
		t.Fatal(err)
	}
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
