// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// A sparkJob is a project whose events are worked on by Spark. Accounts and
// contracts are held here too, so that all that spans accounts is settled by the
// code that settles it on one machine.
type sparkJob struct {
	*loaded // without events, but with what a census of them found
	app     *app
	session *sparkSession
	own     bool // the session ends with the job
	union   *data.Union
	text    string // of the project file
	staging string // folder of what lies between the steps
	records int    // of all tables
	parts   int
}

// openSpark loads a project for its own features and those of models, starts
// Spark and takes a census of the events. Whoever calls it closes the job.
func (a *app) openSpark(ctx context.Context, e *engineFlags, output string, models ...*predict.Model) (j *sparkJob, err error) {
	j = &sparkJob{app: a, parts: e.partitions}
	defer func() {
		if err != nil {
			err = errors.Join(err, j.close())
		}
	}()
	if j.staging, err = e.folder(output); err != nil {
		return j, err
	}
	sets, facts, err := j.load(models)
	if err != nil {
		return j, err
	}
	if err := removeTree(a.fsys, j.staging); err != nil { // what a kill left
		return j, err
	}
	if err := data.MakeFolder(a.fsys, j.staging); err != nil {
		return j, err
	}
	t := facts.Table(j.union, j.sources)
	j.records = t.Rows
	for i := range j.union.Events {
		j.records += j.union.Events[i].Rows
	}
	name := filepath.Join(j.staging, "facts.parquet")
	if err := data.Write(a.fsys, name, t); err != nil {
		return j, err
	}
	a.progress.begin("starting Spark")
	if j.session, j.own = e.live, e.live == nil; j.own {
		if j.session, err = startSpark(ctx, e); err != nil {
			return j, err
		}
	}
	if err := j.session.ask(ctx, j.openRequest(name), nil); err != nil {
		return j, err
	}
	if err := j.takeCensus(ctx); err != nil {
		return j, j.placed(err, sets...)
	}
	j.spec = j.project.spec(j.history)
	a.warnOfTypes(j.loaded)
	if err := j.spec.Validate(j.history); err != nil {
		return j, j.placed(err)
	}
	return j, nil
}

// load reads the project, its accounts and contracts, and the footers of its
// events.
func (j *sparkJob) load(models []*predict.Model) (sets [][]features.Feature, facts *data.Facts, err error) {
	a := j.app
	p, err := a.findProject()
	if err != nil {
		return nil, nil, err
	}
	a.progress.begin("reading accounts")
	if j.text, err = projectText(a.fsys, p.file); err != nil {
		return nil, nil, err
	}
	sources := p.sources
	sets = [][]features.Feature{p.set}
	for _, m := range models {
		sets = append(sets, m.Spec.Features)
	}
	if sources.Events, err = features.Sources(p.sources.Events, sets...); err != nil {
		return nil, nil, p.placed(err, sets...)
	}
	if facts, err = data.ReadFacts(a.fsys, sources); err != nil {
		return nil, nil, p.placed(err, sets...)
	}
	if j.union, err = data.NewUnion(a.fsys, sources, facts); err != nil {
		return nil, nil, p.placed(err, sets...)
	}
	j.loaded = &loaded{project: p, sources: sources}
	j.history, err = j.without(facts)
	return sets, facts, err
}

// without returns the history of the accounts and contracts given, nil for none,
// without any event.
func (j *sparkJob) without(facts *data.Facts) (h *data.History, err error) {
	ctx := context.Background()
	none := func() (*data.Table, error) { return nil, nil }
	_, err = j.union.Tables(ctx, j.sources, 1, none, func(t *data.Tables) error {
		if facts != nil {
			t.Accounts, t.Contracts = facts.Accounts, facts.Contracts
		}
		h, err = data.NewHistory(ctx, t, j.sources)
		return err
	})
	return h, err
}

// projectText returns the text of a project file.
func projectText(fsys data.FS, name string) (string, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20))
	return string(b), err
}

// sparkTypes are the types that stand for kinds in Spark.
var sparkTypes = map[data.Kind]string{data.Float: "double", data.Int: "bigint", data.Bool: "boolean", data.Date: "date",
	data.Time: "timestamp", data.Text: "string"}

// A sparkColumn is a column as the shim reads it.
type sparkColumn struct {
	Name string `json:"name,omitempty"`
	Slot string `json:"slot"`
	Type string `json:"type"`
}

// A sparkTable is an event source as the shim reads it.
type sparkTable struct {
	Name    string        `json:"name"`
	Files   []string      `json:"files"`
	Base    string        `json:"base"`
	Folders bool          `json:"folders"` // some column is the name of a folder
	Account string        `json:"account"`
	Columns []sparkColumn `json:"columns"`
	Time    string        `json:"time"` // these are slots, "" for none
	Known   string        `json:"known"`
	Type    string        `json:"type"`
	Value   string        `json:"value"`
}

// A sparkOpen names the tables of a history.
type sparkOpen struct {
	Do         string            `json:"do"`
	Settings   map[string]string `json:"settings"`
	Facts      string            `json:"facts"`
	Tables     []sparkTable      `json:"tables"`
	Slots      []sparkColumn     `json:"slots"`
	Partitions int               `json:"partitions"`
}

// sparkSettings make dates and texts mean in Spark what they say in the files:
// nothing is guessed, moved or rounded. Arrow batches have a number of rows and
// any number of bytes: to keep to a number of bytes, Spark adds up all columns
// again for every row, which took longer than the rest of the way to a worker.
var sparkSettings = map[string]string{
	"spark.sql.session.timeZone":                             "UTC",
	"spark.sql.caseSensitive":                                "true",
	"spark.sql.parquet.outputTimestampType":                  "TIMESTAMP_MICROS",
	"spark.sql.legacy.parquet.nanosAsLong":                   "true", // Spark has no type for nanoseconds
	"spark.sql.parquet.datetimeRebaseModeInRead":             "CORRECTED",
	"spark.sql.parquet.int96RebaseModeInRead":                "CORRECTED",
	"spark.sql.sources.partitionColumnTypeInference.enabled": "false",
	"spark.sql.execution.arrow.maxRecordsPerBatch":           "65536",
	"spark.sql.execution.arrow.maxBytesPerBatch":             "2147483647",
}

func (j *sparkJob) openRequest(facts string) *sparkOpen {
	o := &sparkOpen{Do: "open", Settings: sparkSettings, Facts: filePattern(facts), Partitions: j.parts, Tables: []sparkTable{}, Slots: []sparkColumn{}}
	for _, s := range j.union.Slots {
		o.Slots = append(o.Slots, sparkColumn{Slot: s.Name, Type: sparkTypes[s.Kind]})
	}
	for i := range j.union.Events {
		u := &j.union.Events[i]
		e := &j.sources.Events[slices.IndexFunc(j.sources.Events, func(e data.EventSource) bool { return e.Name == u.Name })]
		t := sparkTable{Name: u.Name, Base: fileURL(u.Base), Folders: len(u.Folders) > 0, Account: u.Account, Columns: []sparkColumn{}}
		for _, f := range u.Files {
			t.Files = append(t.Files, filePattern(f))
		}
		for _, c := range u.Columns {
			t.Columns = append(t.Columns, sparkColumn{c.Name, c.Slot, sparkTypes[c.Kind]})
		}
		t.Time, t.Known, t.Type, t.Value = u.Slot(e.Time), u.Slot(e.KnownAt), u.Slot(e.Type), u.Slot(e.Value)
		o.Tables = append(o.Tables, t)
	}
	return o
}

// fileURL names a file or folder of this machine, which the others see under
// the same name.
func fileURL(name string) string {
	if abs, err := filepath.Abs(name); err == nil {
		name = abs
	}
	return "file://" + filepath.ToSlash(name)
}

// filePattern names a file for Spark to read, which would take some characters
// for those of a pattern.
func filePattern(name string) string {
	return strings.NewReplacer("{", `\{`, "}", `\}`, "[", `\[`, "]", `\]`, "*", `\*`, "?", `\?`).Replace(fileURL(name))
}

// takeCensus counts the events of every source by type and day: what decides the
// automatic features, and where the history ends.
func (j *sparkJob) takeCensus(ctx context.Context) error {
	for i := range j.union.Events {
		j.app.progress.begin("counting events of " + j.union.Events[i].Name)
		out := filepath.Join(j.staging, fmt.Sprintf("census-%d", i))
		err := j.session.ask(ctx, map[string]any{"do": "census", "source": i, "out": fileURL(out)}, nil)
		if err != nil {
			return err
		}
		t, err := data.Read(j.app.fsys, filepath.Join(out, "*.parquet"), nil)
		if err != nil {
			return err
		}
		c := data.NewCensus()
		if err := c.Add(t, j.sources.Location); err != nil {
			return err
		}
		j.history.SetCensus(j.sources.Events, i, c)
	}
	return nil
}

// A sparkWrite asks for what workers answer to the rows of all tables.
type sparkWrite struct {
	Do     string `json:"do"`
	Worker string `json:"worker"`
	Task   string `json:"task"`
	Schema string `json:"schema"`
	Out    string `json:"out"`
	Block  int    `json:"block"`           // bytes of a row group, about
	Frame  string `json:"frame,omitempty"` // folder of one; else the union
}

// mergeBytes is about how much of all parts is read at a time while they are
// merged.
const mergeBytes = 256 << 20

// write has workers of a kind do a task with all rows, and returns the folder
// that Spark wrote. shape has the columns of the answer.
func (j *sparkJob) write(ctx context.Context, worker string, task any, shape *data.Table) (folder string, err error) {
	return j.writeFrom(ctx, "", worker, task, shape)
}

// writeFrom is write for the rows of a frame that it has written to a folder.
func (j *sparkJob) writeFrom(ctx context.Context, frame, worker string, task any, shape *data.Table) (folder string, err error) {
	text, err := json.Marshal(task)
	if err != nil {
		return "", fmt.Errorf("writing the task of workers: %w", err)
	}
	j.app.progress.begin("Spark makes " + worker)
	folder = filepath.Join(j.staging, orDefault(worker, "rows"))
	if frame != "" {
		frame = fileURL(frame)
	}
	return folder, j.session.ask(ctx, sparkWrite{Do: "write", Worker: worker, Task: string(text), Out: fileURL(folder),
		Schema: sparkSchema(shape), Block: max(mergeBytes/j.parts, 1<<20), Frame: frame}, nil)
}

// sparkSchema describes what a worker writes in the form of shape.
func sparkSchema(shape *data.Table) string {
	var columns []string
	for _, c := range positional(shape).Columns {
		columns = append(columns, c.Name+" "+sparkTypes[c.Kind])
	}
	return strings.Join(append(columns, trailerColumn+" string"), ", ")
}

// task returns the task of workers at t, or over the whole history if t is zero.
func (j *sparkJob) task(t time.Time) workerTask {
	w := workerTask{Project: j.text, Union: *j.union, End: j.history.End(), Spec: j.spec}
	if !t.IsZero() {
		w.AsOf = &t
	}
	return w
}

// close ends Spark and removes what lay between the steps.
func (j *sparkJob) close() error {
	if j.own && j.session != nil {
		j.session.close()
	}
	if j.staging == "" {
		return nil
	}
	return removeTree(j.app.fsys, j.staging)
}
