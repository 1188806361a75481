// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sort"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/predict"
)

// manifestFormat is the format of run.json.
const manifestFormat = "holdfast-run/1"

// A manifest says what a run was made from and what it made. The same inputs
// give the same manifest, but for Timings.
type manifest struct {
	Format   string         `json:"format"`
	Key      string         `json:"key"` // of all that the outputs are made from
	AsOf     string         `json:"as_of"`
	ModelID  string         `json:"model_id"`
	Profiles []string       `json:"profile_models,omitempty"` // of the project's profiles, in their order
	Version  string         `json:"version"`                  // of Holdfast
	Project  runFile        `json:"project_file"`
	Inputs   []data.Input   `json:"inputs"`
	Rejects  []data.Reject  `json:"rejects,omitempty"` // files that were left out, with --keep-going
	Data     string         `json:"data"`              // fingerprint of the tables' rows
	Report   string         `json:"report,omitempty"`  // sha256 of the model's backtest, which sizes the forecast's shock
	Before   *runFolder     `json:"before,omitempty"`  // the run that changes are counted from
	Counts   runCounts      `json:"counts"`
	Findings []data.Finding `json:"findings"`
	Monitor  *runMonitor    `json:"monitor,omitempty"`
	Retrain  *retraining    `json:"retrain,omitempty"`
	Outputs  []runFile      `json:"outputs"`
	Timings  runTimings     `json:"timings"`
}

// A runFile is a file that a run made or was configured by.
type runFile struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// runCounts are the figures of a run.
type runCounts struct {
	Rows    int            `json:"rows"`
	Status  map[string]int `json:"status"`
	Tiers   map[string]int `json:"tiers"`
	LeftOut []data.Count   `json:"left_out"`
	Unseen  int            `json:"unseen_levels"` // values scored as the level other
	Changes int            `json:"changes"`

	Profiles []scoredProfile `json:"profiles,omitempty"`

	Money []predict.MoneyLine `json:"money"` // one a currency
}

// runTimings are in seconds of wall time.
type runTimings struct {
	Inputs  float64 `json:"inputs"` // digests
	Load    float64 `json:"load"`
	Check   float64 `json:"check"`
	Predict float64 `json:"predict"`
	Summary float64 `json:"summary"`
	Monitor float64 `json:"monitor"`
	Total   float64 `json:"total"`
}

// A runFolder is an earlier run.
type runFolder struct {
	AsOf    string `json:"as_of"`
	ModelID string `json:"model_id"`
	Scores  string `json:"scores_sha256"`

	path string
}

// newManifest starts the manifest of a run: what it is made from, and its key.
// The first scorer, if any, is the default one.
func (a *app) newManifest(ctx context.Context, p *project, asOf string, scorers []scorer, before *runFolder) (*manifest, error) {
	m := &manifest{Format: manifestFormat, AsOf: asOf, Version: version, Before: before}
	for k := range scorers {
		if k == 0 {
			m.ModelID = scorers[k].id
			continue
		}
		m.Profiles = append(m.Profiles, scorers[k].id)
	}
	sum, size, err := data.Digest(ctx, a.fsys, p.file)
	if err != nil {
		return nil, fmt.Errorf("reading the project file: %w", err)
	}
	m.Project = runFile{Path: filepath.Base(p.file), Bytes: size, SHA256: sum}
	if m.Inputs, err = data.Inputs(ctx, a.fsys, p.sources); err != nil {
		return nil, err
	}
	for i := range m.Inputs { // the same wherever the project lies
		if rel, err := filepath.Rel(p.dir, m.Inputs[i].Path); err == nil {
			m.Inputs[i].Path = filepath.ToSlash(rel)
		}
	}
	if m.Report, err = a.reportDigest(ctx, p, m.ModelID); err != nil {
		return nil, err
	}
	m.Rejects = a.rejects
	for i := range m.Rejects {
		if rel, err := filepath.Rel(p.dir, m.Rejects[i].Path); err == nil {
			m.Rejects[i].Path = filepath.ToSlash(rel)
		}
	}
	key, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("writing the manifest: %w", err)
	}
	digest := sha256.Sum256(key)
	m.Key = hex.EncodeToString(digest[:8])
	return m, nil
}

// reportDigest returns the sha256 of the backtest beside a model, "" where there
// is none.
func (a *app) reportDigest(ctx context.Context, p *project, id string) (string, error) {
	sum, _, err := data.Digest(ctx, a.fsys, reportPath(p, id))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return sum, err
}

func (m *manifest) count(s *scored) {
	m.Counts = runCounts{Rows: s.Rows, Status: s.Status, Tiers: s.Tiers, LeftOut: s.Left, Unseen: s.Unseen, Profiles: s.Profiles}
}

// writeManifest lists the outputs in a run's folder and writes its manifest.
func (a *app) writeManifest(ctx context.Context, dir string, m *manifest) error {
	entries, err := a.fsys.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	for _, e := range entries {
		sum, size, err := data.Digest(ctx, a.fsys, filepath.Join(dir, e.Name()))
		if err != nil {
			return fmt.Errorf("writing the manifest: %w", err)
		}
		m.Outputs = append(m.Outputs, runFile{Path: e.Name(), Bytes: size, SHA256: sum})
	}
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	return data.WriteBytes(a.fsys, filepath.Join(dir, manifestFile), append(text, '\n'))
}

// readManifest reads the manifest of a run's folder; nil where there is none
// that this program can read.
func (a *app) readManifest(dir string) *manifest {
	f, err := a.fsys.Open(filepath.Join(dir, manifestFile))
	if err != nil {
		return nil
	}
	defer f.Close()
	m := new(manifest)
	if err := json.NewDecoder(io.NewSectionReader(f, 0, 64<<20)).Decode(m); err != nil || m.Format != manifestFormat {
		return nil
	}
	return m
}

// intact reports whether every output of a run is as its manifest says.
func (a *app) intact(ctx context.Context, dir string, m *manifest) bool {
	for _, o := range m.Outputs {
		sum, _, err := data.Digest(ctx, a.fsys, filepath.Join(dir, o.Path))
		if err != nil || sum != o.SHA256 {
			return false
		}
	}
	return true
}

// runBefore returns the newest run before a date, or nil.
func (a *app) runBefore(runs, asOf string) (*runFolder, error) {
	entries, err := a.fsys.ReadDir(runs)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the folder of runs: %w", err)
	}
	var dates []string
	for _, e := range entries {
		if _, err := time.Parse(time.DateOnly, e.Name()); err == nil && e.Name() < asOf {
			dates = append(dates, e.Name())
		}
	}
	sort.Strings(dates)
	for i := len(dates) - 1; i >= 0; i-- {
		dir := filepath.Join(runs, dates[i])
		m := a.readManifest(dir)
		if m == nil || m.AsOf != dates[i] {
			continue
		}
		for _, o := range m.Outputs {
			if o.Path == scoresFile {
				return &runFolder{AsOf: m.AsOf, ModelID: m.ModelID, Scores: o.SHA256, path: filepath.Join(dir, scoresFile)}, nil
			}
		}
	}
	return nil, nil
}
