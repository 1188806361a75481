// SPDX-License-Identifier: Apache-2.0

package data

import (
	"cmp"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Survey is what one pass over all events counts: how many there are of each
// type in each month, and what about them does not fit the other tables.
type Survey struct {
	// Months are consecutive calendar months of the project's time zone, such
	// as 2024-05. The last is that of the newest event; there are at most 120.
	Months []string     `json:"months"`
	Types  []TypeMonths `json:"types"` // by source, in declared order, the most frequent type first

	Silences []Silence `json:"silences,omitempty"` // by source and month

	Findings []Finding `json:"-"`
}

// TypeMonths counts the events of one type, or of all types of a source past
// its hundredth, by month.
type TypeMonths struct {
	Source  string `json:"source"`
	Type    string `json:"type"`
	Events  int    `json:"events"`
	ByMonth []int  `json:"by_month"` // aligned with Survey.Months
	Outside int    `json:"outside"`  // events before the first or after the last of those months
}

// The most that a survey lists: ten years, and the types of one source. What
// is past them is counted, not lost.
const (
	surveyMonths = 120
	surveyTypes  = 100
)

// A typeSurvey is what is counted of one type of one source.
type typeSurvey struct {
	months monthCounts
	rows   int
	early  int // dated before the account was created
}

// A sourceSurvey is what is counted of one source.
type sourceSurvey struct {
	types     []typeSurvey // a missing type comes first
	repeats   tally        // rows that repeat another one
	unstarted tally        // rows dated before the account's first term
	ended     tally        // rows dated after the account's last term
	churned   tally        // and more than afterChurn after a term that churned

	active activeCounter
}

// A surveyor counts the events of the parts that it is given.
type surveyor struct {
	h       *History
	part    *Part
	sources []sourceSurvey
	silent  tally // accounts without events
	keys    []uint64
	err     error

	segments []string // the largest
	segment  []int32  // of each account
	counted  []int64  // by month: the account and source that were counted in it last
}

// afterChurn is how long after the end of a term that churned its account may
// still be heard of: exports, last invoices and the like.
const afterChurn = 90

// NewSurvey reads every part of the history once. Sources that are another
// reading of a declared one are passed over. Workers (zero: one for each CPU)
// take parts in turn; the counts do not depend on them.
func NewSurvey(h *History, workers int) (*Survey, error) {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	all := make([]*surveyor, max(1, min(workers, h.Parts())))
	segments, of := segmentsOf(h)
	var taken atomic.Int64
	var wg sync.WaitGroup
	for i := range all {
		v := newSurveyor(h, segments, of)
		all[i] = v
		wg.Go(func() {
			for v.err == nil {
				part := int(taken.Add(1)) - 1
				if part >= h.Parts() {
					return
				}
				v.err = Caught(func() error { return v.read(part) })
			}
		})
	}
	wg.Wait()
	for _, v := range all[1:] {
		all[0].add(v)
	}
	if all[0].err != nil {
		return nil, all[0].err
	}
	return all[0].result(), nil
}

func newSurveyor(h *History, segments []string, of []int32) *surveyor {
	v := &surveyor{h: h, part: h.NewPart(), sources: make([]sourceSurvey, len(h.Sources)), segments: segments, segment: of,
		counted: make([]int64, monthOf(maxDay+1)+1)}
	for i := range v.sources {
		v.sources[i].active.segments = make([]monthCounts, len(segments))
		v.sources[i].types = make([]typeSurvey, len(h.Sources[i].Types)+1)
	}
	return v
}

// read counts the events of one part.
func (v *surveyor) read(part int) error {
	if err := v.h.ReadPart(v.part, part); err != nil {
		return err
	}
	for a := v.part.First; a < v.part.End; a++ {
		id, spell, events := v.h.Accounts[a].ID, spellOf(v.h, a), 0
		for i := range v.sources {
			if v.h.Sources[i].Derived {
				continue
			}
			r := v.part.Records(i, a)
			events += r.Len()
			v.count(i, a, r, spell, id)
			if v.h.Sources[i].layout.id == 0 {
				v.sources[i].repeats.addMany(v.repeated(&v.h.Sources[i], r), id)
			}
		}
		if events == 0 {
			v.silent.addMany(1, id)
		}
	}
	return nil
}

// A spell is when an account is a customer, by the accounts and the contracts
// table. Bounds that are not known exclude nothing.
type spell struct {
	created int64 // the account was made
	start   int64 // its first term starts
	end     int64 // the day after its last term was due
	long    int64 // afterChurn days after that, where it churned
}

func spellOf(h *History, account int) spell {
	a := &h.Accounts[account]
	s := spell{created: a.Created, start: math.MinInt64, end: math.MaxInt64, long: math.MaxInt64}
	if a.FirstContract == a.EndContract {
		return s
	}
	last := a.FirstContract
	for k := a.FirstContract; k < a.EndContract; k++ {
		if h.Contracts[k].Due > h.Contracts[last].Due {
			last = k
		}
	}
	due := DayOf(h.Contracts[last].Due, h.Location)
	s.start = h.Contracts[a.FirstContract].Start // contracts are in order of their start
	s.end = DayStart(due+1, h.Location)
	if h.Contracts[last].Y == 1 {
		s.long = DayStart(due+1+afterChurn, h.Location)
	}
	return s
}

// count counts one account's records of one source. (NoTime as the creation
// lies before every event.)
func (v *surveyor) count(source, account int, r Records, s spell, id string) {
	src, to, days := &v.h.Sources[source], &v.sources[source], &v.part.days
	var unstarted, ended, churned int
	stamp := int64(account*len(v.sources)+source) + 1 // 0 stands for none
	for at := 0; at < len(r.Words); at += r.Stride {
		t := int64(r.Words[at])
		k := &to.types[src.Classes[ClassOf(r.Words[at+1])].Type+1]
		k.rows++
		month := monthOf(days.Of(t))
		k.months.add(month)
		if v.counted[month] != stamp {
			v.counted[month] = stamp
			to.active.add(v.segment[account], month)
		}
		if t < s.created {
			k.early++
		}
		switch {
		case t < s.start:
			unstarted++
		case t >= s.long:
			churned++
			ended++
		case t >= s.end:
			ended++
		}
	}
	to.unstarted.addMany(unstarted, id)
	to.ended.addMany(ended, id)
	to.churned.addMany(churned, id)
}

// repeated returns how many of one account's records repeat another one in
// time, class and value. Records are compared by 64 bits of a hash.
func (v *surveyor) repeated(src *Source, r Records) int {
	v.keys = v.keys[:0]
	for at := 0; at < len(r.Words); at += r.Stride {
		word := r.Words[at+1]
		if packed(word)&15 == oddValue { // the word holds only where the value is
			word = mix(word>>32, math.Float64bits(src.value(r.Words[at:at+r.Stride])))
		}
		v.keys = append(v.keys, mix(r.Words[at], word))
	}
	slices.Sort(v.keys)
	n := 0
	for i := 1; i < len(v.keys); i++ {
		if v.keys[i] == v.keys[i-1] {
			n++
		}
	}
	return n
}

// add adds what another surveyor counted.
func (v *surveyor) add(w *surveyor) {
	if v.err == nil {
		v.err = w.err
	}
	v.silent.merge(&w.silent)
	for i := range v.sources {
		s, o := &v.sources[i], &w.sources[i]
		s.repeats.merge(&o.repeats)
		s.unstarted.merge(&o.unstarted)
		s.ended.merge(&o.ended)
		s.churned.merge(&o.churned)
		s.active.merge(&o.active)
		for t := range s.types {
			s.types[t].rows += o.types[t].rows
			s.types[t].early += o.types[t].early
			s.types[t].months.merge(&o.types[t].months)
		}
	}
}

// result turns the counts into a survey.
func (v *surveyor) result() *Survey {
	first, last := v.span()
	s := &Survey{Months: monthNames(first, last), Types: []TypeMonths{}}
	whole := v.h.Newest != NoTime && monthOf(DayOf(v.h.Newest, v.h.Location)+1) > last
	for i := range v.sources {
		if src := &v.h.Sources[i]; !src.Derived {
			s.Findings = append(s.Findings, v.findings(i, first, last)...)
			s.Types = append(s.Types, v.byMonth(i, first, last)...)
			s.Silences = append(s.Silences, v.sources[i].active.silences(src.Name, v.segments, last, whole)...)
		}
	}
	s.Findings = append(s.Findings, silenceFindings(s.Silences)...)
	if v.silent.n > 0 && len(v.sources) > 0 {
		s.Findings = append(s.Findings, Finding{Note, "without_events", "accounts", v.silent.n, len(v.h.Accounts),
			fmt.Sprintf("%d of %d accounts have no event in any source", v.silent.n, len(v.h.Accounts)), v.silent.examples})
	}
	return s
}

// span returns the first and the last month of the survey; last is before
// first where there is no event.
func (v *surveyor) span() (first, last int) {
	first, last = math.MaxInt, -1
	for i := range v.sources {
		if t := v.h.Sources[i].Newest; t != NoTime && !v.h.Sources[i].Derived {
			last = max(last, monthOf(DayOf(t, v.h.Location)))
		}
		for _, t := range v.sources[i].types {
			if t.rows > 0 {
				first = min(first, t.months.first)
			}
		}
	}
	return max(first, last-surveyMonths+1), last
}

// byMonth lists the types of one source, the most frequent first.
func (v *surveyor) byMonth(source, first, last int) []TypeMonths {
	src, types := &v.h.Sources[source], v.sources[source].types
	order := make([]int, 0, len(types))
	for t := range types {
		if types[t].rows > 0 {
			order = append(order, t)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(types[b].rows, types[a].rows), cmp.Compare(a, b))
	})
	var out []TypeMonths
	list := func(name string) {
		out = append(out, TypeMonths{Source: src.Name, Type: name, ByMonth: make([]int, last-first+1)})
	}
	for n, t := range order {
		if n == surveyTypes {
			list(fmt.Sprintf("(%d other types)", len(order)-n))
		}
		if n < surveyTypes && t > 0 {
			list(src.Types[t-1])
		} else if n < surveyTypes {
			list("(no type)")
		}
		to := &out[len(out)-1]
		to.Events += types[t].rows
		to.Outside += types[t].rows
		for m := range to.ByMonth {
			rows := types[t].months.at(first + m)
			to.ByMonth[m] += rows
			to.Outside -= rows
		}
	}
	return out
}

// monthCounts counts by month, from the first that occurs to the last.
type monthCounts struct {
	first int
	rows  []int
}

func (c *monthCounts) add(month int) {
	if i := month - c.first; i >= 0 && i < len(c.rows) {
		c.rows[i]++
		return
	}
	c.grow(month)
	c.rows[month-c.first]++
}

// grow makes room for a month.
func (c *monthCounts) grow(month int) {
	switch {
	case len(c.rows) == 0:
		c.first, c.rows = month, make([]int, 1)
	case month < c.first:
		c.rows = append(make([]int, c.first-month), c.rows...)
		c.first = month
	case month >= c.first+len(c.rows):
		c.rows = append(c.rows, make([]int, month-c.first-len(c.rows)+1)...)
	}
}

// at returns the count of a month, 0 outside.
func (c *monthCounts) at(month int) int {
	if i := month - c.first; i >= 0 && i < len(c.rows) {
		return c.rows[i]
	}
	return 0
}

func (c *monthCounts) merge(d *monthCounts) {
	for i, n := range d.rows {
		if n > 0 {
			c.grow(d.first + i)
			c.rows[d.first+i-c.first] += n
		}
	}
}

// months gives the calendar month of every day that a date can have, from
// minDay on and one day beyond either end, for time zones.
var months = sync.OnceValue(func() []int16 {
	all := make([]int16, maxDay-minDay+3)
	for i := range all {
		y, m, _ := time.Unix(int64(minDay-1+i)*secondsPerDay, 0).UTC().Date()
		all[i] = int16((y-monthsFrom)*12 + int(m) - 1)
	}
	return all
})

// monthsFrom is the year that has the month 0.
const monthsFrom = 1677

// monthOf returns the number of the calendar month of a day.
func monthOf(day int) int { return int(months()[day-minDay+1]) }

// monthNames returns the names of the months from first to last.
func monthNames(first, last int) []string {
	names := []string{}
	for m := first; m <= last; m++ {
		names = append(names, monthName(m))
	}
	return names
}

func monthName(m int) string { return fmt.Sprintf("%04d-%02d", monthsFrom+m/12, m%12+1) }

// addMany counts n rows of one account, whose id may serve as an example.
func (t *tally) addMany(n int, id string) {
	if n > 0 {
		t.n += n
		if len(t.examples) < 3 || id < t.examples[2] {
			t.keep(id)
		}
	}
}

// Name returns the source and the type in one word, as usage.login.
func (t *TypeMonths) Name() string {
	if t.Type == t.Source {
		return t.Source
	}
	return t.Source + "." + t.Type
}
