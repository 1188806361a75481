// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// The origins of the three histories, and the rows they train and test on, are
// those of an independent program (reference/baselines in the shared folder:
// DuckDB and pandas). Its snapshots lie 30 days before the renewal date.
func TestOriginsOfRealHistories(t *testing.T) {
	shared := filepath.Join("..", "..", "shared")
	if _, err := os.Stat(shared); err != nil {
		t.Skip("the shared data are not there:", err)
	}
	for _, test := range []struct {
		name, file, first string
		origins, tested   int // from reference/README.md
	}{
		// The golden rows, because not every term of this history may be looked at.
		{"online_retail", "golden_features.parquet", "2011-06-01", 3, 1416},
		{"oulad", "contracts.parquet", "2014-01-01", 7, 69_369},
		{"ravenstack", "contracts.parquet", "2024-05-01", 8, 17_974},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := renewals(t, filepath.Join(shared, "data", test.name, test.file))
			origins, err := Origins(f, OriginOptions{First: day(t, test.first)})
			if err != nil {
				t.Fatal(err)
			}
			var want struct {
				Folds []struct {
					From      string  `json:"test_from"`
					Train     int     `json:"n_train"`
					TrainRate float64 `json:"train_rate"` // rounded to 4 decimals
					Test      int     `json:"n_test"`
					TestRate  float64 `json:"test_rate"`
				}
			}
			b, err := os.ReadFile(filepath.Join(shared, "reference", "baselines", "results",
				test.name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(b, &want); err != nil {
				t.Fatal(err)
			}
			var tested []Origin
			rows := 0
			for _, o := range origins {
				if o.Skipped == "" {
					tested = append(tested, o)
					rows += len(o.Test)
				}
			}
			if len(tested) != test.origins || len(want.Folds) != test.origins || rows != test.tested {
				t.Fatalf("%d origins with %d test rows; want %d with %d", len(tested), rows, test.origins,
					test.tested)
			}
			for i, o := range tested {
				w := want.Folds[i]
				if o.Name != w.From || len(o.Train) != w.Train || len(o.Test) != w.Test {
					t.Errorf("origin %s: %d train and %d test rows; want %s: %d and %d", o.Name,
						len(o.Train), len(o.Test), w.From, w.Train, w.Test)
				}
				a, b := churnRate(f.Rows, o.Train), churnRate(f.Rows, o.Test)
				if math.Abs(a-w.TrainRate) > 5.1e-5 || math.Abs(b-w.TestRate) > 5.1e-5 {
					t.Errorf("origin %s: rates %v and %v, want %v and %v", o.Name, a, b, w.TrainRate,
						w.TestRate)
				}
			}
		})
	}
}

// renewals reads terms as rows without features.
func renewals(t *testing.T, path string) *features.Frame {
	t.Helper()
	columns := []string{"account_id", "renewal_date", "outcome", "label_mature_at"}
	table, err := data.Read(data.Disk{}, path, columns)
	if err != nil {
		t.Fatal(err)
	}
	outcome, due, mature := table.Column("outcome"), table.Column("renewal_date"), table.Column("label_mature_at")
	// Whole days are exact in a float.
	instant := func(c *data.Column, i int) int64 { return int64(c.Number(i) * float64(dayNS)) }
	f := &features.Frame{}
	for i := range table.Rows {
		r := features.Row{Account: table.Column("account_id").Text(i), Weight: 1, Y: features.Unknown,
			Mature: features.Never}
		r.Due = instant(due, i)
		r.Snapshot = r.Due - 30*dayNS
		if !outcome.Missing(i) {
			r.Y, r.Mature = 0, instant(mature, i)
			if outcome.Text(i) == "churned" {
				r.Y = 1
			}
		}
		f.Rows = append(f.Rows, r)
	}
	return f
}
