// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/faultfs"
	"github.com/holdfast-churn/holdfast/features"
)

// fileModel is a small linear model.
func fileModel() *Model {
	return &Model{
		Format: Format,
		Spec: features.Spec{Version: 1, Timezone: "UTC", Outcome: features.Outcome{Mode: features.Renewal, LeadDays: []int{30}},
			Features: []features.Feature{
				{Name: "logins", From: "usage", Agg: features.Count, WindowDays: 30, Kind: features.NumberKind, Pillar: "product_utilization", Label: "logins in 30 days"},
				{Name: "plan", From: features.FromAccount, Column: "plan", Agg: features.Attribute, Kind: features.LevelKind, Pillar: "account", Label: "plan"},
			}},
		Logit: Logit{
			Terms: []Term{
				{Feature: "logins", Kind: "number", Pillar: "product_utilization", Label: "logins in 30 days", High: 100, Median: 10, RefMean: 0.1, Columns: []Basis{
					{Kind: Linear, Transform: SignedLog, Mean: 2, SD: 1, Weight: -0.8, SE: 0.1},
					{Kind: Missing, Mean: 0.1, SD: 0.3, Weight: 0.2, SE: 0.1}}},
				{Feature: "plan", Kind: "level", Pillar: "account", Label: "plan", Columns: []Basis{
					{Kind: Level, Level: "basic", Mean: 0.5, SD: 0.5, Weight: 0.3, SE: 0.1},
					{Kind: Level, Level: "other", Mean: 0.5, SD: 0.5, Weight: -0.3, SE: 0.1}}},
			},
			Intercept:   -2,
			Calibration: Calibration{Method: "platt", Intercept: 0.1, Slope: 0.9},
		},
		Score: Score{BaseRate: 0.12, ZRef: -1.6, AtRiskP: 0.5, AtRisk: 40, Watch: 65, Healthy: 80},
	}
}

func TestSaveLoadSaveIsEqual(t *testing.T) {
	name := filepath.Join(t.TempDir(), "model.json")
	id, err := Save(data.Disk{}, name, fileModel())
	if err != nil {
		t.Fatal(err)
	}
	m, again, err := Load(data.Disk{}, name)
	if err != nil {
		t.Fatal(err)
	}
	if id != again || len(id) != 12 {
		t.Errorf("ids %q and %q", id, again)
	}
	first, _ := os.ReadFile(name)
	second, err := Marshal(m)
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("saved again: %v\n%s", err, cmp.Diff(string(first), string(second)))
	}
}

// Every damage to a model file is refused as an integrity error.
func TestParseRefuses(t *testing.T) {
	good, err := Marshal(fileModel())
	if err != nil {
		t.Fatal(err)
	}
	edit := func(old, new string) []byte {
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("the file has no %s", old)
		}
		return bytes.Replace(good, []byte(old), []byte(new), 1)
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":               {nil, "not a model file"},
		"truncated":           {good[:len(good)/2], "not a model file"},
		"another format":      {edit("holdfast-model/1", "holdfast-model/2"), `format "holdfast-model/2"; this program reads "holdfast-model/1" only`},
		"unknown field":       {edit(`"intercept"`, `"interzept"`), "unknown field"},
		"unknown basis":       {edit(`"kind": "missing"`, `"kind": "steps"`), `basis column "steps"`},
		"unknown map":         {edit(`"signed_log"`, `"sqrt"`), `transform "sqrt"`},
		"huge weight":         {edit(`"weight": -0.8`, `"weight": 1e308`), "not a usable number"},
		"no spread":           {edit(`"sd": 1,`, `"sd": 0,`), "standard deviation of 0"},
		"repeated level":      {edit(`"level": "other"`, `"level": "basic"`), `level "basic" occurs twice`},
		"repeated term":       {edit(`"feature": "plan"`, `"feature": "logins"`), `term "logins" occurs twice`},
		"foreign term":        {edit(`"feature": "plan"`, `"feature": "plans"`), `term "plans" is not a feature of the spec`},
		"a level of a number": {edit(`"kind": "missing"`, `"kind": "level"`), `a level column in a number term`},
		"another kind": {edit(`"kind": "level",
    "pillar"`, `"kind": "text",
    "pillar"`), `is a "text"; expected number or level`},
		"falling map":      {edit(`"slope": 0.9`, `"slope": -0.9`), "the map must increase"},
		"tiers out of row": {edit(`"watch": 65`, `"watch": 95`), "do not increase"},
		"two models":       {append(append([]byte{}, good...), good...), "not a model file"},
	} {
		if _, err := Parse(c.file); !errors.Is(err, ErrIntegrity) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	m := fileModel()
	m.Intercept = math.NaN()
	if _, err := Marshal(m); !errors.Is(err, ErrIntegrity) {
		t.Errorf("a model with NaN was written: %v", err)
	}
}

// A file that is too large or too deep is refused without the memory that it
// asks for.
func TestLoadBounds(t *testing.T) {
	deep := []byte(`{"format":"holdfast-model/1","spec":` + strings.Repeat("[", 100_000))
	for name, file := range map[string][]byte{"100 MB": make([]byte, 100<<20), "100,000 deep": deep, "deep and closed": append(deep, bytes.Repeat([]byte("]"), 100_000)...)} {
		disk := faultfs.NewCrash()
		if err := data.WriteBytes(disk, "m.json", file); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := Load(disk, "m.json")
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; !errors.Is(err, ErrIntegrity) || n > 50<<20 {
			t.Errorf("%s: %v, %d MB allocated", name, err, n>>20)
		}
	}
}

func FuzzParse(f *testing.F) {
	good, err := Marshal(fileModel())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"format":"holdfast-model/1"}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := Parse(file)
		if err == nil {
			if _, err := Marshal(m); err != nil {
				t.Errorf("a model that was read cannot be written: %v", err)
			}
		}
	})
}
