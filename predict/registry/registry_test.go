// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/faultfs"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

func model(intercept float64) *predict.Model {
	return &predict.Model{Format: predict.Format, Spec: features.Spec{Version: 1},
		Logit: predict.Logit{Intercept: intercept, Calibration: predict.Calibration{Method: "none", Slope: 1}},
		Score: predict.Score{BaseRate: 0.1, AtRisk: 40, Watch: 65, Healthy: 80}}
}

func publish(t *testing.T, r *Registry, m *predict.Model) string {
	t.Helper()
	id, err := r.Publish(m)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestPublishPromoteResolve(t *testing.T) {
	r := &Registry{FS: data.Disk{}, Dir: filepath.Join(t.TempDir(), "models")}
	if _, err := r.Resolve(Latest); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "holdfast train") {
		t.Errorf("an empty registry: %v", err)
	}
	first := publish(t, r, model(-1))
	second := publish(t, r, model(-2))
	if again := publish(t, r, model(-2)); again != second {
		t.Errorf("publishing the same model twice: %s and %s", second, again)
	}
	if id, err := r.Resolve(Latest); id != second || err != nil {
		t.Errorf("latest is %s, %v", id, err)
	}
	if err := r.Promote(first, predict.Verdict{Reason: "no skill shown"}); !errors.Is(err, ErrRefused) {
		t.Errorf("a failing verdict: %v", err)
	}
	if _, err := r.Resolve(Champion); !errors.Is(err, ErrNotFound) {
		t.Errorf("a refused promotion moved the champion: %v", err)
	}
	if err := r.Promote(first, predict.Verdict{Reason: "no skill shown", By: "Ada", Because: "pilot"}); err != nil {
		t.Errorf("an approved one: %v", err)
	}
	if err := r.Promote(second, predict.Verdict{Pass: true}); err != nil {
		t.Errorf("a passing one: %v", err)
	}
	a, err := r.Aliases()
	if err != nil || a[Champion].ID != second || len(a[Champion].History) != 2 || a[Champion].History[0].Verdict.By != "Ada" || len(a[Latest].History) != 2 {
		t.Errorf("aliases %+v, %v", a, err)
	}
	m, id, err := r.Load(first[:8])
	if err != nil || id != first || m.Intercept != -1 {
		t.Errorf("by prefix: %s, %v", id, err)
	}
	if _, err := r.Resolve(""); !errors.Is(err, ErrReference) {
		t.Errorf("an empty reference: %v", err)
	}
}

// A damaged version and foreign folders do not hide the others.
func TestListSurvivesDamage(t *testing.T) {
	r := &Registry{FS: data.Disk{}, Dir: t.TempDir()}
	good, bad := publish(t, r, model(-1)), publish(t, r, model(-2))
	text, err := os.ReadFile(r.ModelPath(bad))
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), `"intercept": -2`, `"intercept": -3`, 1)
	if err := os.WriteFile(r.ModelPath(bad), []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(r.Dir, "not a version"), 0o755); err != nil {
		t.Fatal(err)
	}
	versions, err := r.List()
	if err != nil || len(versions) != 2 {
		t.Fatalf("%d versions, %v", len(versions), err)
	}
	for _, v := range versions {
		if damaged := errors.Is(v.Err, predict.ErrIntegrity); damaged != (v.ID == bad) {
			t.Errorf("%s: %v", v.ID, v.Err)
		}
	}
	if _, _, err := r.Load(bad); !errors.Is(err, predict.ErrIntegrity) {
		t.Errorf("loading the damaged version: %v", err)
	}
	if _, _, err := r.Load(good); err != nil {
		t.Error(err)
	}
	// Publishing the model again mends its version.
	publish(t, r, model(-2))
	if _, _, err := r.Load(bad); err != nil {
		t.Error(err)
	}
}

// Where signatures are required, what nobody has signed can be listed, read and
// signed, and is neither loaded nor champion.
func TestSigners(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	r := &Registry{FS: faultfs.NewCrash(), Dir: "models", Signers: predict.Signers{key.Public().(ed25519.PublicKey)}}
	first, second := publish(t, r, model(-1)), publish(t, r, model(-2))
	pass := predict.Verdict{Pass: true}
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, predict.ErrIntegrity) || !strings.Contains(err.Error(), "nobody has signed it") {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, _, err := r.Load(second)
	refused("loading", err)
	refused("promoting", r.Promote(second, pass))
	refused("approving", r.Promote(second, predict.Verdict{By: "Ada", Because: "it is late"}))
	if _, id, err := r.Read(Latest); err != nil || id != second {
		t.Errorf("reading: %s, %v", id, err)
	}
	if versions, problems, err := r.Verify(); versions != 2 || problems != nil || err != nil {
		t.Errorf("%d versions, %v, %v", versions, problems, err)
	}
	for _, id := range []string{first, second} {
		if got, err := r.Sign(id[:8], key); err != nil || got != id {
			t.Fatalf("signing: %s, %v", got, err)
		}
		if err := r.Promote(id, pass); err != nil {
			t.Fatal(err)
		}
	}
	if _, id, err := r.Load(Champion); err != nil || id != second {
		t.Errorf("a signed champion: %s, %v", id, err)
	}
	if err := r.FS.Remove(predict.SignaturePath(r.ModelPath(first))); err != nil {
		t.Fatal(err)
	}
	_, _, err = r.Rollback("", predict.Verdict{})
	refused("rolling back", err)
	if err := r.FS.Remove(predict.SignaturePath(r.ModelPath(second))); err != nil {
		t.Fatal(err)
	}
	if _, problems, err := r.Verify(); len(problems) != 1 || err != nil {
		t.Errorf("an unsigned champion: %v, %v", problems, err)
	} else {
		refused("verifying", problems[0].Err)
	}
	if _, err := r.Sign("0000", key); !errors.Is(err, ErrNotFound) {
		t.Errorf("signing what is not there: %v", err)
	}
}
