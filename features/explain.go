// SPDX-License-Identifier: Apache-2.0

package features

import (
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

// A TermView is what a history says of one term, looked at from an instant.
type TermView struct {
	Contract  int32 // into History.Contracts
	Number    int   // place in its chain of terms, from 1
	State     TermState
	Refused   string // why the term is not at risk then; "" if it is
	LeadDays  int32  // whole days to the due date, negative after it
	Y         int8   // the outcome as the whole history has it, or Unknown
	Mature    int64  // from when it may train, or Never
	Kept      float64
	Label     string         // how the outcome came about, in words
	Snapshots []SnapshotView // those of the training history
}

// A TermState says where an instant lies in a term.
type TermState string

// The states of a term.
const (
	NotStarted TermState = "not started"
	Running    TermState = "running"
	Over       TermState = "over"
)

// A SnapshotView is one instant at which a term is looked at for training.
type SnapshotView struct {
	At       int64
	LeadDays int32
	Weight   float64 // 1/K of the K snapshots that the term has; 0 for one left out
	Refused  string  // why it is left out; "" if it is not
}

// Terms explains every term of an account as of the instant t, in order of
// their start. Outcomes are those of the whole history, also where they were
// not known at t: compare Mature.
func Terms(h *data.History, o *Outcome, account int32, t int64) []TermView {
	if h.Newest == data.NoTime {
		return nil
	}
	number := termNumbers(h)
	end := data.MidnightAfter(h.Newest, h.Location).UnixNano()
	var out []TermView
	for k := h.Accounts[account].FirstContract; k < h.Accounts[account].EndContract; k++ {
		c := &h.Contracts[k]
		l := renewalLabel(h, o, k)
		v := TermView{Contract: k, Number: int(number[k]), State: Running, Refused: string(atRisk(h, o, k, t)),
			LeadDays: lead(t, c.Due, h.Location), Y: l.y, Mature: l.mature, Kept: kept(c, l.y), Label: renewalWords(h, o, k, l)}
		switch {
		case !knownBy(c.Start, t):
			v.State = NotStarted
		case c.Due <= t:
			v.State = Over
		}
		n := 0
		for _, at := range snapshotsOf(c, o.LeadDays, h.Location) {
			s := SnapshotView{At: at, LeadDays: lead(at, c.Due, h.Location), Refused: string(eligible(h, o, k, at, end))}
			if s.Refused == "" {
				n++
			}
			v.Snapshots = append(v.Snapshots, s)
		}
		for i := range v.Snapshots {
			if v.Snapshots[i].Refused == "" {
				v.Snapshots[i].Weight = 1 / float64(n)
			}
		}
		out = append(out, v)
	}
	return out
}

// renewalWords says in one sentence how the label l of contract k came about.
func renewalWords(h *data.History, o *Outcome, k int32, l label) string {
	c := &h.Contracts[k]
	date := func(t int64) string { return time.Unix(0, t).In(h.Location).Format(time.DateOnly) }
	var b strings.Builder
	fmt.Fprintf(&b, "due %s, grace %d d: ", date(c.Due), o.GraceDays)
	next, deadline := h.Successor(k), addDays(c.Due, o.GraceDays, h.Location)
	switch {
	case o.Declared && l.y == Unknown:
		return b.String() + "no outcome is declared that was known; y is not known and the term does not train"
	case o.Declared:
		fmt.Fprintf(&b, "declared %s", [...]string{"renewed", "churned"}[l.y])
		if c.KnownAt != data.NoTime {
			fmt.Fprintf(&b, ", known at %s", date(c.KnownAt))
		}
		if next >= 0 {
			fmt.Fprintf(&b, ", %s %s continues it from %s", [...]string{"and", "although"}[l.y], h.Contracts[next].ID, date(h.Contracts[next].Start))
		}
	case l.y == Unknown:
		fmt.Fprintf(&b, "the data end on %s, before its grace does on %s; y is not known and the term does not train", date(h.Newest), date(deadline))
		return b.String()
	case l.y == 0:
		fmt.Fprintf(&b, "the successor %s started %s, within grace: renewed", h.Contracts[next].ID, date(h.Contracts[next].Start))
	default:
		fmt.Fprintf(&b, "no contract continued it by %s: churned", date(deadline))
	}
	if l.y == 1 && c.Involuntary == 1 {
		b.WriteString(", involuntarily")
	}
	fmt.Fprintf(&b, ", y = %d, mature from %s", l.y, date(max(l.mature, c.Due)))
	if back := returned(h, k); l.y == 1 && back >= 0 {
		fmt.Fprintf(&b, "; the account came back with %s on %s, a new episode", h.Contracts[back].ID, date(h.Contracts[back].Start))
	}
	if l.y == 0 && c.Kept == c.Kept {
		fmt.Fprintf(&b, "; it kept %.0f %% of the yearly value", 100*c.Kept)
	}
	return b.String()
}

// ActivityView explains the outcome of an account in activity mode, looked at
// from the instant t.
func ActivityView(h *data.History, spec *Spec, account int, t int64) (y int8, mature int64, words string, err error) {
	o := &spec.Outcome
	date := func(t int64) string { return time.Unix(0, t).In(h.Location).Format(time.DateOnly) }
	for i := range h.Sources {
		src := &h.Sources[i]
		if src.Name != o.Of {
			continue
		}
		end := addDays(t, o.HorizonDays, h.Location)
		events, err := h.EventsOf(i, account)
		if err != nil {
			return Unknown, Never, "", err
		}
		l := activityLabel(events, t, end, spec.lag(o.Of), src.Newest)
		words = fmt.Sprintf("horizon %d d, to %s: ", o.HorizonDays, date(end))
		switch first := before(events, t); l.y {
		case Unknown:
			words += fmt.Sprintf("the rows of %s end on %s, before it does; y is not known", src.Name, date(src.Newest))
		case 0:
			words += fmt.Sprintf("%s has a row on %s: stayed, y = 0, mature from %s", src.Name, date(events[first].Time), date(l.mature))
		default:
			words += fmt.Sprintf("%s has no row: churned, y = 1, mature from %s", src.Name, date(l.mature))
		}
		return l.y, l.mature, words, nil
	}
	return Unknown, Never, "no source of that name", nil
}

// An EventsView counts the rows of one account in one source by what was known
// of them at an instant.
type EventsView struct {
	Seen        int // rows that a feature may use
	First, Last int64
	ByType      []int        // of the rows seen: those without a type, then each of the source's types
	NotYet      []data.Event // happened before, became known later
	After       int          // happened at the instant or later
}

// Events sorts the rows of one account, in their order, by what was known of
// them at t.
func Events(src *data.Source, events []data.Event, t int64) EventsView {
	n := before(events, t)
	v := EventsView{After: len(events) - n, ByType: make([]int, len(src.Types)+1)}
	for i := range events[:n] {
		e := &events[i]
		if !visible(e, t) {
			v.NotYet = append(v.NotYet, *e)
			continue
		}
		if v.Seen == 0 {
			v.First = e.Time
		}
		v.Seen, v.Last = v.Seen+1, e.Time
		v.ByType[e.Type+1]++
	}
	return v
}
