// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// An app is what every command shares: where it reads and prints, and the
// flags of the root command.
type app struct {
	fsys           data.FS
	stdout, stderr io.Writer
	progress       *progress
	started        bool   // the command line was understood and a command runs
	command        string // that runs, for messages

	dir     string
	json    bool
	quiet   bool
	workers int

	keepGoing bool
	isolate   bool
	screened  bool
	rejects   []data.Reject // files that cannot be read; see screen
	files     int           // that were screened

	breakLock bool
	logIDs    string // see logged

	signature string          // file of public keys
	signers   predict.Signers // in it, who must have signed the models that are used; nil for anybody

	maxMemory  string
	eventBytes int64 // of events to hold in memory; 0 for no bound
	fitBytes   int64 // of a fit; past it rows are streamed from disk; 0 for no bound
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "holdfast",
		Short: "learn from past renewals which accounts will stay",
		Long: `Holdfast builds point-in-time features from historical account data, fits a
calibrated weight model against renewal outcomes, proves it by out-of-time
backtests, and scores accounts with it.

Start with "holdfast demo", which makes an example project and runs every step.

Exit codes: 0 ok; 1 failure; 2 usage or configuration; 3 done without files that
cannot be read (--keep-going); 4 bad data; 5 a quality gate refused; 10 not found; 11 locked; 12 integrity; 130, 143 interrupted.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			a.command = c.CommandPath()
			if err := a.start(); err != nil {
				return err
			}
			return a.screenTable(c)
		},
	}
	f := root.PersistentFlags()
	f.StringVarP(&a.dir, "dir", "C", "", "project folder (default: the working folder or its nearest parent with a holdfast.yaml)")
	f.BoolVar(&a.json, "json", false, "print one JSON object on standard output, and nothing else there")
	f.BoolVar(&a.quiet, "quiet", false, "no progress")
	f.IntVar(&a.workers, "workers", 0, "goroutines to use (default: one for each CPU); results do not depend on it")
	f.StringVar(&a.maxMemory, "max-memory", "", "such as 512MB or 4GB: past it events, and the rows of a fit, go to disk, in the folder for temporary files; "+
		"results do not depend on it, but for a model whose rows had to go there, which says so (default: the memory there is)")
	f.StringVar(&a.logIDs, "log-ids", "", "ids of customers in messages on standard error: hide, hash or show (default: show on a terminal, else hide)")
	f.BoolVar(&a.keepGoing, "keep-going", false, "leave out input files that cannot be read, list them in FILE.rejects.json beside the output, and end with 3")
	f.BoolVar(&a.isolate, "isolate", false, "first read every input file in a child process with bounds on memory and time")
	f.StringVar(&a.signature, "require-signature", "", "PEM file of Ed25519 public keys: use no model that none of them has signed (default: signature of the project file)")
	f.BoolVar(&a.breakLock, "break-lock", false, "go on where a process of another machine has left its lock")
	root.AddCommand(demoCommand(a), initCommand(a), checkCommand(a), featuresCommand(a), trainCommand(a), evaluateCommand(a),
		predictCommand(a), runCommand(a), readFilesCommand(a), monitorCommand(a), explainCommand(a), forgetCommand(a), modelsCommand(a), workerCommand(a), engineCommand(a), versionCommand(a))
	return root
}

// oneArgument accepts exactly one argument.
func oneArgument(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("found %d arguments; expected one, %s", len(args), what)
		}
		return nil
	}
}

// start checks the shared flags and sets up progress.
func (a *app) start() error {
	a.started = true
	if a.workers < 0 {
		return usageError("--workers %d: expected zero or more", a.workers)
	}
	if err := a.boundMemory(); err != nil {
		return err
	}
	if err := a.checkLogIDs(); err != nil {
		return err
	}
	a.warnOfMemory()
	if a.signature != "" {
		var err error
		if a.signers, err = predict.LoadSigners(a.fsys, a.signature); err != nil {
			return usageError("--require-signature: %v", err)
		}
	}
	if f, ok := a.stderr.(*os.File); ok && !a.quiet && !a.json && isTerminal(f) && os.Getenv("TERM") != "dumb" {
		a.progress.w = f
	}
	return nil
}

// printJSON prints a command's one result object on one line.
func (a *app) printJSON(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("printing the result: %w", err)
	}
	_, err = fmt.Fprintf(a.stdout, "%s\n", b)
	return err
}

// printf prints a result for people; nothing in JSON mode.
func (a *app) printf(format string, args ...any) {
	if !a.json {
		fmt.Fprintf(a.stdout, format, args...)
	}
}

// warn prints a caution on standard error.
func (a *app) warn(format string, args ...any) {
	a.progress.end()
	fmt.Fprintf(a.stderr, "warning: %s\n", a.logged(fmt.Sprintf(format, args...)))
}

// A loaded project has its tables read and joined.
type loaded struct {
	*project
	sources data.Sources // as read: the project's, and what features read besides
	history *data.History
	spec    features.Spec
}

// load finds the project, reads its tables for its own features and those of
// the models that are to score it, and settles its feature spec. It stops
// between tables when the context is cancelled.
func (a *app) load(ctx context.Context, models ...*predict.Model) (*loaded, error) {
	return a.read(ctx, false, models...)
}

// loadForFrame is load for what needs nothing but the frame: not the times of
// events where their days will do, and no fingerprint.
func (a *app) loadForFrame(ctx context.Context) (*loaded, error) { return a.read(ctx, true) }

func (a *app) read(ctx context.Context, onlyFrame bool, models ...*predict.Model) (*loaded, error) {
	p, err := a.findProject()
	if err != nil {
		return nil, err
	}
	a.progress.begin("reading tables")
	sources := p.sources
	sets := [][]features.Feature{p.set}
	for _, m := range models {
		sets = append(sets, m.Spec.Features)
	}
	if sources.Events, err = features.Sources(p.sources.Events, sets...); err != nil {
		return nil, p.placed(err, sets...)
	}
	if onlyFrame {
		features.AskDays(sources.Events, p.outcome, p.set)
	}
	if err := a.screen(ctx, sources); err != nil {
		return nil, p.placed(err, sets...)
	}
	h, err := data.ReadHistory(ctx, a.fsys, sources, data.ReadOptions{Workers: a.workers, MaxBytes: a.eventBytes,
		Progress: func(done, total int) { a.progress.step("rows of events", done, total) }})
	if err != nil {
		return nil, p.placed(err, sets...)
	}
	l := &loaded{project: p, sources: sources, history: h}
	l.spec = p.spec(h)
	if p.card, err = p.readScorecard(&l.spec); err != nil {
		return nil, err
	}
	a.warnOfTypes(l)
	return l, nil
}

// warnOfTypes names the features of the project file that name an event type
// which never occurs: most likely a slip of the pen, and a column of nothing.
func (a *app) warnOfTypes(l *loaded) {
	for i := range l.set {
		f := &l.set[i]
		k := slices.IndexFunc(l.history.Sources, func(s data.Source) bool { return s.Name == f.From })
		if k < 0 {
			continue
		}
		types := l.history.Sources[k].Types
		for _, name := range l.spec.TypesOf(f) {
			if slices.Contains(types, name) {
				continue
			}
			hint := ""
			if near := data.Nearest(name, types); near != "" {
				hint = fmt.Sprintf("; did you mean %q?", near)
			}
			a.warn("features.set: %s: no event of %s has the type %q%s", f.Name, f.From, name, hint)
		}
	}
}

// spec returns the feature spec of a project: the automatic features, with the
// project's own added or replacing one of the same name.
func (p *project) spec(h *data.History) features.Spec {
	s := features.Spec{Version: features.SpecVersion, Timezone: p.sources.Location.String(), Outcome: p.outcome}
	for _, e := range p.sources.Events {
		s.Sources = append(s.Sources, features.Source{
			Name: e.Name, KnownAt: e.KnownAt != "", LagDays: int(e.Lag / (24 * time.Hour)), ID: e.ID != ""})
	}
	if p.auto {
		s.Features = features.Auto(h, p.outcome, p.autoOpt)
	}
	if p.noSegments {
		s.Features = slices.DeleteFunc(s.Features, func(f features.Feature) bool { return f.Agg == features.SegmentFact })
	}
	at := make(map[string]int)
	for i, f := range s.Features {
		at[f.Name] = i
	}
	for _, f := range p.set {
		f.Settle(h)
		if i, ok := at[f.Name]; ok {
			s.Features[i] = f
			continue
		}
		s.Features = append(s.Features, f)
	}
	return s
}

// build makes a frame; asOf zero means the whole history.
func (a *app) build(ctx context.Context, l *loaded, spec *features.Spec, asOf time.Time) (*features.Built, error) {
	b, err := features.Build(ctx, l.history, spec, a.buildOptions(asOf))
	if err != nil && spec == &l.spec {
		err = l.placed(err)
	}
	return b, err
}

func (a *app) buildOptions(asOf time.Time) features.Options {
	return features.Options{AsOf: asOf, Workers: a.workers,
		Progress: func(done, total int) { a.progress.step("features of accounts", done, total) }}
}

// buildHistory makes the frame of the whole history, and refuses an empty one
// with the reasons.
func (a *app) buildHistory(ctx context.Context, l *loaded) (*features.Built, error) {
	b, err := a.build(ctx, l, &l.spec, time.Time{})
	if err == nil && len(b.Frame.Rows) == 0 {
		return nil, dataError("%s", b.Explain())
	}
	return b, err
}

// loadAt loads the project and reads --as-of.
func (a *app) loadAt(ctx context.Context, asOf, maxAge string, models ...*predict.Model) (*loaded, time.Time, error) {
	l, err := a.load(ctx, models...)
	if err != nil {
		return nil, time.Time{}, err
	}
	t, err := l.asOf(asOf, maxAge)
	return l, t, err
}

// asOf reads --as-of; empty means midnight after the newest event. An
// as-of long after the newest event would score on features that have dried
// up, so it is refused.
func (l *loaded) asOf(flag, maxAge string) (time.Time, error) {
	if l.history.Newest == data.NoTime {
		return time.Time{}, dataError("no event and no contract has a date, so nothing says when the data end")
	}
	newest := data.MidnightAfter(l.history.Newest, l.sources.Location)
	if flag == "" {
		return newest, nil
	}
	t, err := time.Parse(time.DateOnly, flag)
	if err != nil {
		return t, usageError("--as-of %q: expected a date such as 2026-01-31", flag)
	}
	if y := t.Year(); y < 1678 || y > 2261 {
		return t, usageError("--as-of %s: expected a year from 1678 to 2261", flag)
	}
	t = data.Midnight(t, l.sources.Location)
	var c converter
	age := c.days("--max-age", maxAge, 7)
	if c.err != nil {
		return t, c.err
	}
	if last := newest.AddDate(0, 0, -1); t.After(last.AddDate(0, 0, age)) {
		return t, dataError("--as-of %s is more than %d days after the newest event (%s): "+
			"load newer events, choose an earlier date, or raise --max-age", flag, age, last.Format(time.DateOnly))
	}
	return t, nil
}
