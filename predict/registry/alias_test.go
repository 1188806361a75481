// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/predict"
)

func TestRollback(t *testing.T) {
	r := &Registry{FS: data.Disk{}, Dir: filepath.Join(t.TempDir(), "models")}
	if _, _, err := r.Rollback("", predict.Verdict{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("of nothing: %v", err)
	}
	var ids []string
	for i := range 4 {
		ids = append(ids, publish(t, r, model(float64(-1-i))))
	}
	a, b, c, d := ids[0], ids[1], ids[2], ids[3]
	promote := func(id string) {
		if err := r.Promote(id, predict.Verdict{Pass: true}); err != nil {
			t.Fatal(err)
		}
	}
	rollback := func(ref, from, to string) {
		t.Helper()
		if f, to2, err := r.Rollback(ref, predict.Verdict{By: "Ada", Because: "complaints"}); f != from || to2 != to || err != nil {
			t.Errorf("rollback %s: from %s to %s, %v; want from %s to %s", ref, f, to2, err, from, to)
		}
		if id, _ := r.Resolve(Champion); id != to {
			t.Errorf("champion is %s, want %s", id, to)
		}
	}
	promote(a)
	if _, _, err := r.Rollback("", predict.Verdict{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("of the first champion: %v", err)
	}
	promote(b)
	promote(c)
	rollback("", c, b) // a second rollback goes further back, not forth again
	rollback("", b, a)
	promote(c)
	promote(b)
	rollback(a[:6], b, a)
	if _, _, err := r.Rollback(d, predict.Verdict{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("to one that never was champion: %v", err)
	}
	aliases, err := r.Aliases()
	if err != nil {
		t.Fatal(err)
	}
	last := aliases[Champion].History[8-1]
	if trail := aliases[Champion].Trail(); !slices.Equal(trail, []string{a}) || last.Sequence != 8 || last.Verdict == nil || last.Verdict.Because != "complaints" {
		t.Errorf("trail %v, last move %+v", trail, last)
	}

	// A damaged target is refused by name, and another can be chosen.
	promote(b)
	promote(c)
	if err := os.WriteFile(r.ModelPath(b), []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Rollback("", predict.Verdict{}); !errors.Is(err, predict.ErrIntegrity) || !strings.Contains(err.Error(), a) {
		t.Errorf("to a damaged one: %v", err)
	}
	rollback(a, c, a)
}

// An alias that points to a version that is gone says so, and the way back is
// open.
func TestAliasToMissingVersion(t *testing.T) {
	r := &Registry{FS: data.Disk{}, Dir: filepath.Join(t.TempDir(), "models")}
	first, second := publish(t, r, model(-1)), publish(t, r, model(-2))
	for _, id := range []string{first, second} {
		if err := r.Promote(id, predict.Verdict{Pass: true}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(r.path(second)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Load(Champion); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "holdfast models rollback") {
		t.Errorf("loading it: %v", err)
	}
	n, problems, err := r.Verify()
	if n != 1 || err != nil || len(problems) != 2 || problems[0].Subject != Champion || !errors.Is(problems[0].Err, ErrNotFound) {
		t.Errorf("%d versions, problems %v, %v", n, problems, err)
	}
	if _, to, err := r.Rollback("", predict.Verdict{}); to != first || err != nil {
		t.Errorf("rolled back to %s, %v", to, err)
	}
}

// Aliases that could not have been written so are refused, and the versions are
// still listed.
func TestDamagedAliases(t *testing.T) {
	r := &Registry{FS: data.Disk{}, Dir: filepath.Join(t.TempDir(), "models")}
	id := publish(t, r, model(-1))
	for _, text := range []string{``, `null`, `{"champion": `, `{"champion": {"id": "` + id + `"}}`,
		`{"champion": {"id": "../../etc/x", "history": [{"sequence": 1, "id": "../../etc/x"}]}}`,
		`{"champion": {"id": "` + id + `", "history": [{"sequence": 2, "id": "` + id + `"}]}}`} {
		if err := os.WriteFile(r.path("aliases.json"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Resolve(Champion); !errors.Is(err, predict.ErrIntegrity) {
			t.Errorf("%s: %v", text, err)
		}
		if list, err := r.List(); len(list) != 1 || list[0].Err != nil || !errors.Is(err, predict.ErrIntegrity) {
			t.Errorf("%s: %d versions listed, %v", text, len(list), err)
		}
		if n, problems, err := r.Verify(); n != 1 || len(problems) != 1 || err != nil {
			t.Errorf("%s: %d versions, problems %v, %v", text, n, problems, err)
		}
		if _, err := r.GC(GCOptions{}); !errors.Is(err, predict.ErrIntegrity) {
			t.Errorf("%s: collected all the same: %v", text, err)
		}
	}
}

// Versions are listed as they were published, whatever their ids are.
func TestListInOrder(t *testing.T) {
	r := &Registry{FS: data.Disk{}, Dir: filepath.Join(t.TempDir(), "models")}
	var want []string
	for i := range 6 {
		want = append(want, publish(t, r, model(float64(-i))))
	}
	publish(t, r, model(0)) // again
	list, err := r.List()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range list {
		got = append(got, v.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %v, published %v", got, want)
	}
}

// Collection leaves what aliases reach, their histories, parents and the newest.
func TestGC(t *testing.T) {
	r := &Registry{FS: data.Disk{}, Dir: filepath.Join(t.TempDir(), "models")}
	root := publish(t, r, model(-1))
	child := model(-2)
	child.Provenance.Parent = root
	was := publish(t, r, child) // once champion, with a parent
	gone := publish(t, r, model(-3))
	champion := publish(t, r, model(-4))
	second := publish(t, r, model(-5))
	latest := publish(t, r, model(-6))
	for _, id := range []string{was, champion} {
		if err := r.Promote(id, predict.Verdict{Pass: true}); err != nil {
			t.Fatal(err)
		}
	}
	if line := r.Lineage(was); !slices.Equal(line, []string{was, root}) {
		t.Errorf("lineage %v", line)
	}
	foreign := r.path("notes")
	for _, dir := range []string{foreign, r.path("0123456789ab")} {
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(r.path(champion, ".model.json.tmp-7-0"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.path(gone, "report.json"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	want := []string{gone}
	for _, dry := range []bool{true, false} {
		c, err := r.GC(GCOptions{Keep: 2, DryRun: dry})
		if err != nil || !slices.Equal(c.Versions, want) || len(c.Unfinished) != 2 || c.Kept != 5 {
			t.Errorf("dry %v: %+v, %v", dry, c, err)
		}
	}
	for _, id := range []string{root, was, champion, second, latest} {
		if _, _, err := r.Load(id); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Errorf("a foreign folder is gone: %v", err)
	}
	if c, err := r.GC(GCOptions{}); err != nil || !slices.Equal(c.Versions, []string{second}) {
		t.Errorf("keeping none of the newest but latest: %+v, %v", c, err)
	}
}
