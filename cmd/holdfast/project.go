// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/predict/registry"
	"github.com/holdfast-churn/holdfast/train"
)

// projectFile is the name of the one file that configures a project.
const projectFile = "holdfast.yaml"

// A projectYAML is holdfast.yaml as written; PROJECT.md is its reference. Every stage's options are made from it here and nowhere else.
type projectYAML struct {
	Version  int    `yaml:"version"`
	Project  string `yaml:"project"`
	Timezone string `yaml:"timezone"`
	Data     struct {
		Accounts struct {
			Path       string   `yaml:"path"`
			Key        string   `yaml:"key"`
			Created    string   `yaml:"created"`
			ValidFrom  string   `yaml:"valid_from"`
			Segment    string   `yaml:"segment"`
			Phase      string   `yaml:"phase"`
			Group      string   `yaml:"group"`
			Attributes []string `yaml:"attributes"`
			Show       []string `yaml:"show"`
		} `yaml:"accounts"`
		Contracts *struct {
			Path       string   `yaml:"path"`
			Key        string   `yaml:"key"`
			Account    string   `yaml:"account"`
			Start      string   `yaml:"start"`
			Due        string   `yaml:"due"`
			Value      string   `yaml:"value"`
			ValueKnown string   `yaml:"value_known"`
			Currency   string   `yaml:"currency"`
			Outcome    string   `yaml:"outcome"`
			Churned    []string `yaml:"churned"`
			KnownAt    string   `yaml:"known_at"`
			Notice     string   `yaml:"notice"`
			Signed     string   `yaml:"signed"`
			RenewedAt  string   `yaml:"renewed_at"`
			Attributes []string `yaml:"attributes"`

			AutoRenew    string   `yaml:"auto_renew"`    // yes or no, known at the start
			Reason       string   `yaml:"reason"`        // why a term ended
			Involuntary  []string `yaml:"involuntary"`   // values of reason, such as a failed payment
			Kept         string   `yaml:"kept"`          // share of the value kept: 1 is all of it
			RenewedValue string   `yaml:"renewed_value"` // or what it was renewed for
		} `yaml:"contracts"`
		Events []struct {
			Name    string   `yaml:"name"`
			Path    string   `yaml:"path"`
			Account string   `yaml:"account"`
			Time    string   `yaml:"time"`
			KnownAt string   `yaml:"known_at"`
			Lag     string   `yaml:"lag"`
			Type    string   `yaml:"type"`
			Value   string   `yaml:"value"`
			ID      string   `yaml:"id"`
			Columns []string `yaml:"columns"`
		} `yaml:"events"`
	} `yaml:"data"`
	Outcome struct {
		Mode         string   `yaml:"mode"`
		Leads        []string `yaml:"leads"`
		Grace        string   `yaml:"grace"`
		Of           string   `yaml:"of"`
		Horizon      string   `yaml:"horizon"`
		Every        string   `yaml:"every"`
		ActiveWithin string   `yaml:"active_within"`
	} `yaml:"outcome"`
	Features struct {
		Windows []string      `yaml:"windows"`
		Auto    *bool         `yaml:"auto"`
		Set     []featureYAML `yaml:"set"`
	} `yaml:"features"`
	Model struct {
		Stages         string   `yaml:"stages"`
		Pairs          string   `yaml:"pairs"`
		Segments       string   `yaml:"segments"`
		Penalty        string   `yaml:"penalty"`
		Folds          string   `yaml:"folds"`
		Weights        string   `yaml:"weights"`
		Calibration    string   `yaml:"calibration"`
		Directions     string   `yaml:"directions"`
		Scorecard      string   `yaml:"scorecard"`
		ScorecardWorth *float64 `yaml:"scorecard_worth"`
	} `yaml:"model"`
	Backtest struct {
		Every    string   `yaml:"every"`
		First    string   `yaml:"first"`
		Embargo  string   `yaml:"embargo"`
		Capacity string   `yaml:"capacity"`
		Window   string   `yaml:"window"`  // months of training before an origin; all without it
		Origins  []string `yaml:"origins"` // days, in place of every and first
	} `yaml:"backtest"`
	Health   healthYAML    `yaml:"health"`
	Profiles []profileYAML `yaml:"profiles"`
	Models   string        `yaml:"models"`

	Signature string `yaml:"signature"` // file of public keys, whose models alone are used
}

type healthYAML struct {
	AtRiskP float64 `yaml:"at_risk_p"`
	Tiers   struct {
		AtRisk  float64 `yaml:"at_risk"`
		Watch   float64 `yaml:"watch"`
		Healthy float64 `yaml:"healthy"`
	} `yaml:"tiers"`
}

type featureYAML struct {
	Name        string             `yaml:"name"`
	From        string             `yaml:"from"`
	Where       string             `yaml:"where"`
	Agg         string             `yaml:"agg"`
	Column      string             `yaml:"column"`
	Value       string             `yaml:"value"`
	Window      string             `yaml:"window"`
	Long        string             `yaml:"long"`
	Of          string             `yaml:"of"`
	To          string             `yaml:"to"`
	HalfLife    string             `yaml:"half_life"`
	Weights     map[string]float64 `yaml:"weights"`
	Seats       string             `yaml:"seats"`
	Positive    *float64           `yaml:"positive"`
	Prior       *float64           `yaml:"prior"`
	PriorWeight *float64           `yaml:"prior_weight"`
	Due         string             `yaml:"due"`
	Paid        string             `yaml:"paid"`
	Lifespan    string             `yaml:"lifespan"`
	Pillar      string             `yaml:"pillar"`
	Direction   string             `yaml:"direction"`
	Actionable  bool               `yaml:"actionable"`
	Unit        string             `yaml:"unit"`
	Label       string             `yaml:"label"`
}

// A project is a project file, read and checked.
type project struct {
	file       string
	dir        string // of the file; paths in it are relative to this
	name       string
	sources    data.Sources
	outcome    features.Outcome
	auto       bool
	autoOpt    features.AutoOptions
	set        []features.Feature
	origins    evaluate.OriginOptions
	capacity   float64       // share of renewals that the team can work on; 0 for the default
	score      predict.Score // tier bounds; the rest is the trainer's
	profiles   []profile
	fit        train.Options // what the file says of fits; trainOptions adds the rest
	cardFile   string        // hand-made scorecard; empty for none
	cardWorth  float64       // in renewals
	card       *handCard     // once the features are known
	timed      bool          // rows have snapshots, so that calibration can go forward in time
	registry   registry.Registry
	signature  string // file of the registry's signers; empty for none
	noSegments bool   // the segment is no feature
}

// findProject reads the project file. Keys of --require-signature stand in for
// the file's own.
func (a *app) findProject() (*project, error) {
	p, err := findProject(a.fsys, a.dir)
	if err == nil && a.signers != nil {
		p.registry.Signers = a.signers
	}
	return p, err
}

// findProject reads the project file of dir, or of the nearest parent folder
// that has one where no folder was named.
func findProject(fsys data.FS, dir string) (*project, error) {
	if dir != "" {
		return readProject(fsys, filepath.Join(dir, projectFile))
	}
	wd, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("finding the project: %w", err)
	}
	for d := wd; ; d = filepath.Dir(d) {
		name := filepath.Join(d, projectFile)
		if _, err := fsys.Stat(name); err == nil {
			if rel, err := filepath.Rel(wd, name); err == nil {
				name = rel
			}
			return readProject(fsys, name)
		}
		if d == filepath.Dir(d) {
			return nil, usageError("no %s here or in a parent folder; "+
				"run holdfast init to propose one, holdfast demo to make an example, or name its folder with -C", projectFile)
		}
	}
}

// readProject reads and checks one project file.
func readProject(fsys data.FS, name string) (*project, error) {
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usageError("%s: no such project file", name)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the project file: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	p, err := parseProject(text, filepath.Dir(name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p.file, p.registry.FS = name, fsys
	if p.signature != "" {
		if p.registry.Signers, err = predict.LoadSigners(fsys, p.signature); err != nil {
			return nil, usageError("%s: signature: %v", name, err)
		}
	}
	if p.sources.Forgotten, err = data.ReadForgotten(fsys, p.forgottenFile()); err != nil {
		return nil, err
	}
	return p, nil
}

// parseProject decodes a project file whose paths are relative to dir.
func parseProject(text []byte, dir string) (*project, error) {
	var y projectYAML
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&y); err != nil {
		return nil, yamlErrorOf[projectYAML](err, "cmd/holdfast/PROJECT.md")
	}
	c := converter{dir: dir}
	p := &project{dir: dir, name: y.Project, timed: true}
	c.check(y.Version != 0, "version", "is required and missing; write version: 1")
	c.check(y.Version == 1, "version", "found %d; this program reads version 1", y.Version)
	c.sources(&y, p)
	c.outcome(&y, p)
	c.features(&y, p)
	c.settings(&y, p)
	return p, c.err
}

// yamlErrorOf turns the decoder's error about a file of the form T into one
// sentence with the line, and the nearest known key where one was not known.
func yamlErrorOf[T any](err error, reference string) error {
	var unknown *yaml.UnknownFieldError
	if errors.As(err, &unknown) {
		key := unknown.Token.Value
		known := knownKeys(reflect.TypeFor[T]())
		near := data.Nearest(key, known)
		switch {
		case slices.Contains(known, key):
			return usageError("line %d: the key %q does not belong here; %s says where",
				unknown.Token.Position.Line, key, reference)
		case near != "":
			return usageError("line %d: unknown key %q; did you mean %q?", unknown.Token.Position.Line, key, near)
		}
		return usageError("line %d: unknown key %q", unknown.Token.Position.Line, key)
	}
	var kind *yaml.TypeError
	if errors.As(err, &kind) {
		return usageError("line %d: found %s, expected %s", kind.Token.Position.Line, quoted(kind.Token.Value), written(kind.DstType))
	}
	var shape *yaml.UnexpectedNodeTypeError
	if errors.As(err, &shape) {
		return usageError("line %d: found %s, expected %s", shape.Token.Position.Line, quoted(shape.Token.Value), shapes[shape.Expected.YAMLName()])
	}
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil {
		message := at.GetMessage()
		if strings.Contains(message, "found character '\t'") {
			message = "begins with a tab; YAML is indented with spaces"
		}
		return usageError("line %d: %s", at.GetToken().Position.Line, message)
	}
	return usageError("%v", err)
}

// shapes says what YAML's kinds of nodes look like in a project file.
var shapes = map[string]string{
	"sequence": "a list in brackets, such as [30d, 90d]",
	"mapping":  "keys with values, such as {login: 1, export: 3}",
}

// written says how a value of a type is written in YAML.
func written(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Float64:
		return "a number"
	}
	return "a text"
}

// placed names the project file in an error about its features, and a feature
// in an error about what it alone reads: a filter or a column. The sets are
// those of the project file first, then of models.
func (p *project) placed(err error, sets ...[]features.Feature) error {
	if text, found := strings.CutPrefix(err.Error(), features.ErrSpec.Error()+": "); found && errors.Is(err, features.ErrSpec) {
		return usageError("%s: %s", p.file, text)
	}
	var filter *data.FilterError
	errors.As(err, &filter)
	for i, set := range sets {
		for k := range set {
			f := &set[k]
			text, ofSource := strings.CutPrefix(err.Error(), "events "+f.Source()+": ")
			switch {
			case !ofSource, filter == nil && f.Source() == f.From, filter != nil && f.Where != filter.Text:
			case i > 0:
				return &codedError{data.ErrBadData, fmt.Sprintf("the model's feature %s: %s", f.Name, text)}
			case filter != nil:
				return usageError("%s: features.set: %s: %v", p.file, f.Name, filter)
			default:
				return &codedError{err, fmt.Sprintf("%s: features.set: %s: %s", p.file, f.Name, text)}
			}
		}
	}
	return err
}

// knownKeys lists the keys of a project file at every level.
func knownKeys(t reflect.Type) []string {
	var keys []string
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return knownKeys(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			keys = append(keys, t.Field(i).Tag.Get("yaml"))
			keys = append(keys, knownKeys(t.Field(i).Type)...)
		}
	}
	return keys
}
