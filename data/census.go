// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"slices"
	"time"
)

// A Census counts the events of one source without holding any: rows by type,
// and by day.
type Census struct {
	rows, valued map[string]int // by type; "" where it is missing
	days         dayCounts
}

// NewCensus returns an empty census.
func NewCensus() *Census {
	return &Census{rows: map[string]int{}, valued: map[string]int{}, days: newDayCounts()}
}

// The columns of a table of counts; see Census.Add.
const (
	CensusType   = "type"
	CensusRows   = "rows"
	CensusValued = "valued"
	CensusLatest = "latest"
)

// Add takes a table of counts: each row of it stands for some rows of the
// source that have a known account, a time and, where declared, a known_at, are
// all of one type and of one day, in UTC where the time is a timestamp: the
// type, how many they are, how many of them have a value, and the latest time.
// Without a type column all are of the source's one type.
func (s *Census) Add(t *Table, loc *time.Location) error {
	rows, valued, latest := t.Column(CensusRows), t.Column(CensusValued), t.Column(CensusLatest)
	if rows == nil || valued == nil || latest == nil || latest.Kind != Date && latest.Kind != Time {
		return fmt.Errorf("counts of events in columns %q; rows, valued and latest are needed", t.Names())
	}
	at, kinds := stamps(latest, loc), t.Column(CensusType)
	for i := range t.Rows {
		name := ""
		if kinds != nil && !kinds.Missing(i) {
			name = kinds.format(i)
		}
		s.rows[name] += int(rows.Ints[i])
		s.valued[name] += int(valued.Ints[i])
		s.days.addRows(at[i], rows.Ints[i])
	}
	return nil
}

// SetCensus gives source i of a history that holds no events what a census of
// them found, and each further reading of it.
func (h *History) SetCensus(events []EventSource, i int, s *Census) {
	for k, declared := range places(events) {
		if declared != i {
			continue
		}
		src := &h.Sources[k]
		src.Types, src.Classes, src.Rows = nil, nil, 0
		if events[k].Type == "" {
			src.Types = []string{events[k].Name}
			src.Classes = []Class{{Rows: s.rows[""], Valued: s.valued[""]}}
			src.Rows = s.rows[""]
		} else {
			src.setTypes(s)
		}
		src.Newest, src.Stray = s.days.newest()
	}
	h.settleNewest()
}

// setTypes lists the types that a census has met, with one class each.
func (src *Source) setTypes(s *Census) {
	for name := range s.rows {
		if name != "" {
			src.Types = append(src.Types, name)
		}
	}
	slices.Sort(src.Types)
	for k, name := range append([]string{""}, src.Types...) {
		if n := s.rows[name]; n > 0 {
			src.Classes = append(src.Classes, Class{Type: int32(k) - 1, Rows: n, Valued: s.valued[name]})
			src.Rows += n
		}
	}
}
