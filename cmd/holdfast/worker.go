// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/ipc"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// taskKey is where the schema of a worker's input says what to do.
const taskKey = "holdfast.task"

// trailerColumn is the last column of a worker's output. Its last row holds the
// trailer there, all others nothing.
const trailerColumn = "trailer"

// A workerKind is what one kind of worker does with its input.
type workerKind func(a *app, ctx context.Context, in *ipc.StreamReader, out *workerOutput) error

// workerKinds are the workers by name.
var workerKinds = map[string]workerKind{
	"features": (*app).workFeatures,
	"score":    (*app).workScore,
	"stats":    (*app).workStats,
}

func workerCommand(a *app) *cobra.Command {
	var parent int
	c := &cobra.Command{
		Use:   "worker features|score|stats",
		Short: "the kernel for engines: an Arrow stream in, an Arrow stream out",
		Long: `Turns the rows of some accounts into feature rows or scores, for an engine
that brings the rows of each account together, or feature rows into the sums of
a fit. SPARK.md documents the streams:
what to do stands in the schema of the input, and the last row of the output is
a trailer, which counts what came in and went out.

Reads    an Arrow stream from standard input, sorted by account and table
Writes   an Arrow stream to standard output
Exits    0 ok; 1 the parent died; 2 a task that is not understood; 4 bad data, a
         stream that is cut off or not sorted; 12 a damaged model`,
		Example: `  holdfast worker features < rows.arrows > features.arrows`,
		Hidden:  true,
		Args:    oneArgument("features, score or stats"),
		RunE: func(cmd *cobra.Command, args []string) error {
			work, ok := workerKinds[args[0]]
			if !ok {
				return usageError("worker %q: expected features, score or stats", args[0])
			}
			if parent != 0 {
				go dieWith(parent)
			}
			a.quiet, a.workers = true, 1
			return a.work(cmd.Context(), work, os.Stdin)
		},
	}
	c.Flags().IntVar(&parent, "parent", 0, "id of the process that started this one, without which it ends")
	return c
}

// dieWith ends this process once its parent is another one: whoever wanted the
// answer is gone, and a worker that waits for it would hold its memory for ever.
func dieWith(parent int) {
	for os.Getppid() == parent {
		time.Sleep(time.Second)
	}
	fmt.Fprintf(os.Stderr, "holdfast: the process %d, which started this one, is gone\n", parent)
	os.Exit(exitFailure)
}

// work does one task of an engine.
func (a *app) work(ctx context.Context, work workerKind, from io.Reader) error {
	in, err := ipc.NewStreamReader(from, "the input stream")
	if err != nil {
		return err
	}
	defer in.Close()
	b := bufio.NewWriterSize(a.stdout, 1<<20)
	out := &workerOutput{w: ipc.NewWriter(b)}
	if err := work(a, ctx, in, out); err != nil {
		return err
	}
	if err := out.close(); err != nil {
		return err
	}
	return b.Flush()
}

// A workerOutput is the output of a worker: rows, then the trailer.
type workerOutput struct {
	w       data.TableWriter
	columns []data.Column // without rows
	trailer trailer
}

// A trailer ends the output of a worker.
type trailer struct {
	Records   int          `json:"records"`           // rows in
	Snapshots int          `json:"snapshots"`         // looked at, those without a row among them
	Rows      int          `json:"rows"`              // rows out
	Left      []data.Count `json:"left,omitempty"`    // snapshots without a row, by reason
	Unseen    int          `json:"unseen,omitempty"`  // levels that a model does not know
	Of        []int        `json:"profile,omitempty"` // rows that each profile scored
	Training  *training    `json:"training,omitempty"`
}

// positional returns a table for an engine: columns are named c0, c1 and so on,
// since not every name is one there, and timestamps are integers, nanoseconds,
// since engines round them.
func positional(t *data.Table) *data.Table {
	p := &data.Table{Name: t.Name, Rows: t.Rows, Columns: slices.Clone(t.Columns)}
	for i := range p.Columns {
		c := &p.Columns[i]
		if c.Name = fmt.Sprintf("c%d", i); c.Kind == data.Time {
			c.Kind = data.Int
		}
	}
	return p
}

// add writes rows.
func (o *workerOutput) add(t *data.Table) error {
	p := positional(t)
	if o.columns == nil {
		for i := range p.Columns {
			o.columns = append(o.columns, p.Columns[i].Take(nil))
		}
	}
	o.trailer.Rows += t.Rows
	p.Columns = append(p.Columns, void(trailerColumn, data.Text, t.Rows))
	return o.w.Append(p)
}

// close writes the trailer.
func (o *workerOutput) close() error {
	text, err := json.Marshal(o.trailer)
	if err != nil {
		return fmt.Errorf("writing the trailer: %w", err)
	}
	t := &data.Table{Rows: 1}
	for _, c := range o.columns {
		t.Columns = append(t.Columns, void(c.Name, c.Kind, 1))
	}
	t.Columns = append(t.Columns, data.TextOf(trailerColumn, 1, func(int) string { return string(text) }))
	if err := o.w.Append(t); err != nil {
		return err
	}
	return o.w.Close()
}

// void returns a column of nothing.
func void(name string, kind data.Kind, rows int) data.Column {
	switch kind {
	case data.Float:
		return data.FloatOf(name, rows, func(int) float64 { return math.NaN() })
	case data.Text:
		return data.TextOf(name, rows, func(int) string { return "" })
	}
	return data.IntOf(name, kind, rows, func(int) (int64, bool) { return 0, false })
}

// A workerTask says what to do with the rows of a union. The driver has
// resolved in it whatever spans accounts.
type workerTask struct {
	Project string         `json:"project"` // the text of holdfast.yaml
	Union   data.Union     `json:"union"`
	End     data.End       `json:"end"`
	Spec    features.Spec  `json:"spec"`
	AsOf    *time.Time     `json:"as_of,omitempty"` // nothing: the whole history
	Scorers []workerScorer `json:"scorers,omitempty"`

	// Mature asks for the carried frame of the rows that may train at an instant.
	Mature *time.Time `json:"mature,omitempty"`
}

// A workerScorer is a model as a profile uses it.
type workerScorer struct {
	ID    string `json:"id"`
	Model string `json:"model"` // the text of its file
}

// workerRows is about how many rows a worker gathers before it makes features of
// them: enough that what is done once for each set of accounts costs little.
const workerRows = 64 << 10

// eachAccounts reads the task and hands over a project for every set of whole
// accounts, loaded with their rows alone.
func (a *app) eachAccounts(ctx context.Context, in *ipc.StreamReader, out *workerOutput, each func(*workerTask, *loaded) error) error {
	task := new(workerTask)
	if err := json.Unmarshal([]byte(in.Metadata(taskKey)), task); err != nil {
		return usageError("the task in the schema of the input, under %q: %v", taskKey, err)
	}
	p, err := parseProject([]byte(task.Project), "")
	if err != nil {
		return err
	}
	sources, err := task.sources(p)
	if err != nil {
		return err
	}
	out.trailer.Records, err = task.Union.Tables(ctx, sources, workerRows, in.Next, func(t *data.Tables) error {
		h, err := data.NewHistory(ctx, t, sources)
		if err != nil {
			return err
		}
		if err := h.SetEnd(task.End); err != nil {
			return err
		}
		return each(task, &loaded{project: p, sources: sources, history: h, spec: task.Spec})
	})
	return err
}

// sources returns what is read of the event sources: what the project and the
// models ask for. Where only the frame is wanted, days are enough.
func (t *workerTask) sources(p *project) (data.Sources, error) {
	sources := p.sources
	sets := [][]features.Feature{p.set}
	for i := range t.Scorers {
		m, err := predict.Parse([]byte(t.Scorers[i].Model))
		if err != nil {
			return sources, err
		}
		sets = append(sets, m.Spec.Features)
	}
	var err error
	if sources.Events, err = features.Sources(p.sources.Events, sets...); err == nil && len(t.Scorers) == 0 && t.Mature == nil {
		features.AskDays(sources.Events, p.outcome, p.set)
	}
	return sources, err
}

// workFeatures writes the frame of the accounts that come.
func (a *app) workFeatures(ctx context.Context, in *ipc.StreamReader, out *workerOutput) error {
	return a.eachAccounts(ctx, in, out, func(task *workerTask, l *loaded) error {
		o := features.Options{Workers: 1}
		if task.AsOf != nil {
			o.AsOf = *task.AsOf
		}
		b, err := features.BuildParts(ctx, l.history, &l.spec, o, func(f *features.Frame) error {
			if len(f.Rows) == 0 && out.columns != nil {
				return nil
			}
			out.trailer.Snapshots += len(f.Rows)
			if task.Mature != nil {
				return out.addTraining(f, *task.Mature)
			}
			return out.add(f.Table(l.sources.Location))
		})
		if err != nil {
			return err
		}
		if task.Mature != nil {
			out.trailer.Training.add(&training{Digests: l.history.Digests()})
		}
		out.trailer.leave(b.Left)
		return nil
	})
}

// leave counts snapshots without a row.
func (t *trailer) leave(left []data.Count) {
	for _, c := range left {
		t.Snapshots += c.Rows
	}
	t.Left = addCounts(t.Left, left)
}

// addCounts adds counts by reason, in the order in which reasons appear. Of of
// each is left to whoever knows the total.
func addCounts(to, more []data.Count) []data.Count {
	for _, c := range more {
		i := slices.IndexFunc(to, func(d data.Count) bool { return d.Table == c.Table && d.Reason == c.Reason })
		if i < 0 {
			to = append(to, data.Count{Table: c.Table, Reason: c.Reason})
			i = len(to) - 1
		}
		to[i].Rows += c.Rows
	}
	return to
}

// workScore writes the scores of the accounts that come.
func (a *app) workScore(ctx context.Context, in *ipc.StreamReader, out *workerOutput) error {
	var scorers []scorer
	return a.eachAccounts(ctx, in, out, func(task *workerTask, l *loaded) error {
		if task.AsOf == nil || len(task.Scorers) != 1+len(l.profiles) {
			return usageError("a task to score: as_of and %d scorers are needed, found %d", 1+len(l.profiles), len(task.Scorers))
		}
		for i := len(scorers); i < len(task.Scorers); i++ {
			m, err := predict.Parse([]byte(task.Scorers[i].Model))
			if err != nil {
				return err
			}
			scorers = append(scorers, scorer{l.profileAt(i), m, task.Scorers[i].ID})
		}
		s, err := a.scoreAll(ctx, l, task.AsOf.In(l.sources.Location), scorers)
		if err != nil {
			return err
		}
		t := &out.trailer
		t.Snapshots += s.Rows
		t.leave(s.Left)
		t.Unseen += s.Unseen
		for i, p := range s.Profiles {
			if i == len(t.Of) {
				t.Of = append(t.Of, 0)
			}
			t.Of[i] += p.Rows
		}
		return out.add(s.withGrow())
	})
}

// withGrow returns the scores with the probabilities to grow by every profile in
// further columns: from those of all accounts follows upsell.
func (s *scored) withGrow() *data.Table {
	t := &data.Table{Name: s.table.Name, Rows: s.table.Rows, Columns: slices.Clone(s.table.Columns)}
	for k := range s.grow {
		t.Columns = append(t.Columns, data.Column{Name: fmt.Sprintf("grow %d", k), Kind: data.Float, Floats: s.grow[k]})
	}
	return t
}

// splitGrow is the reverse.
func (s *scored) splitGrow(t *data.Table) {
	n := len(t.Columns) - len(s.grow)
	for k := range s.grow {
		s.grow[k] = t.Columns[n+k].Floats
	}
	t.Columns = t.Columns[:n]
	of := make([]int, t.Rows)
	for i := range of {
		if len(s.Profiles) > 0 {
			name := t.Column("profile").Text(i)
			of[i] = slices.IndexFunc(s.Profiles, func(p scoredProfile) bool { return p.Name == name })
		}
	}
	predict.SetUpsell(t, s.grow, of)
	s.table = t
}

// profileAt returns the profile of scorer i, the default one for the first.
func (p *project) profileAt(i int) profile {
	if i == 0 {
		return profile{name: defaultProfile}
	}
	return p.profiles[i-1]
}
