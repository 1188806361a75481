// SPDX-License-Identifier: Apache-2.0

package data

import (
	"cmp"
	"math"
	"slices"
)

// A Part is the events of a range of accounts, in memory. Workers have one
// each and read part after part into it.
type Part struct {
	First, End int // accounts

	h       *History
	sources []partSource
	buffer  []byte
	events  []Event
	days    Days
	starts  map[int32]int64
}

// A partSource holds the records of one source by account: those of account a
// lie from offsets[a-First] to offsets[a-First+1], counted in records.
type partSource struct {
	words   []uint64
	offsets []int
}

// NewPart returns an empty part, for ReadPart.
func (h *History) NewPart() *Part {
	return &Part{h: h, sources: make([]partSource, len(h.Sources)), days: Days{Location: h.Location}, starts: map[int32]int64{}}
}

// Parts returns the number of parts that the accounts are divided into.
func (h *History) Parts() int {
	return partCount(len(h.Accounts), partShift(len(h.Accounts)))
}

// ReadPart reads part i in place of what p holds.
func (h *History) ReadPart(p *Part, i int) error {
	shift := partShift(len(h.Accounts))
	p.First, p.End = min(i<<shift, len(h.Accounts)), min((i+1)<<shift, len(h.Accounts))
	for s := range h.Sources {
		var err error
		if p.buffer, err = p.sources[s].read(&h.Sources[s], i, p.End-p.First, p.buffer); err != nil {
			return err
		}
	}
	return nil
}

// read gathers the records of a part by account.
func (p *partSource) read(s *Source, part, accounts int, buffer []byte) ([]byte, error) {
	p.offsets = resize(p.offsets, accounts+1)
	clear(p.offsets)
	stride, local, key := s.layout.stride, s.layout.local, s.layout.keyWord()
	count := func(words []uint64) {
		for i := key; i < len(words); i += stride {
			p.offsets[words[i]>>local+1]++
		}
	}
	buffer, err := s.store.readPart(part, buffer, count)
	if err != nil {
		return buffer, err
	}
	for a := range accounts {
		p.offsets[a+1] += p.offsets[a]
	}
	total := p.offsets[accounts]
	if cap(p.words) < total*stride {
		p.words = make([]uint64, total*stride+total*stride/8) // parts are of similar size
	}
	p.words = p.words[:total*stride]
	// Filling moves each offset to the next account's; they are moved back after.
	buffer, err = s.store.readPart(part, buffer, func(words []uint64) {
		if stride == 1 {
			for _, word := range words {
				to := &p.offsets[word>>local]
				p.words[*to] = word
				*to++
			}
			return
		}
		for i := 0; i+1 < len(words); i += stride {
			a := words[i+1] >> local
			to := p.words[p.offsets[a]*stride:]
			p.offsets[a]++
			to[0], to[1] = words[i], words[i+1] // a call of copy costs more than this
			for k := 2; k < stride; k++ {
				to[k] = words[i+k]
			}
		}
	})
	copy(p.offsets[1:], p.offsets[:accounts])
	p.offsets[0] = 0
	return buffer, err
}

// Records returns the records of an account, which must lie in the part. They
// are valid until the next ReadPart.
func (p *Part) Records(source, account int) Records {
	s := &p.sources[source]
	stride := p.h.Sources[source].layout.stride
	a := account - p.First
	return Records{Words: s.words[s.offsets[a]*stride : s.offsets[a+1]*stride], Stride: stride}
}

// Events returns the events of an account, which must lie in the part, in
// their total order: time, type, id, value, time known. They are valid until
// the next call.
func (p *Part) Events(source, account int) []Event {
	src := &p.h.Sources[source]
	r := p.Records(source, account)
	p.events = p.events[:0]
	for i := 0; i < len(r.Words); i += r.Stride {
		if src.ByDay() {
			p.events = append(p.events, src.dayEvent(r.Words[i], p.startOf))
			continue
		}
		e := src.event(r.Words[i : i+r.Stride])
		e.Day = int32(p.days.Of(e.Time))
		p.events = append(p.events, e)
	}
	slices.SortFunc(p.events, func(a, b Event) int { return src.compare(&a, &b) })
	return p.events
}

// startOf returns the start of a day.
func (p *Part) startOf(day int32) int64 {
	at, known := p.starts[day] // few days, many events
	if !known {
		at = DayStart(int(day), p.h.Location)
		p.starts[day] = at
	}
	return at
}

// EventsOf reads the events of one account of one source, in their total
// order: for looking at single accounts.
func (h *History) EventsOf(source, account int) ([]Event, error) {
	p := h.NewPart()
	if err := h.ReadPart(p, account>>partShift(len(h.Accounts))); err != nil {
		return nil, err
	}
	return p.Events(source, account), nil
}

// AddSource adds a source of events that are in memory already, by account.
// Their classes are their types.
func (h *History) AddSource(name string, types []string, newest int64, events [][]Event) {
	src := Source{Name: name, Types: types, Newest: newest, layout: layout{stride: 4, known: 2, wide: 3, local: 48, classes: maxClasses - 1}}
	for t := -1; t < len(types); t++ {
		src.Classes = append(src.Classes, Class{Type: int32(t)})
	}
	src.store = newStore(len(h.Accounts), src.layout.stride, &budget{})
	w := src.store.writer()
	for a := range events {
		for i := range events[a] {
			e := &events[a][i]
			class, value := &src.Classes[e.Type+1], packed(oddValue)
			if class.Rows++; e.Value != e.Value {
				value = noValue
			} else {
				class.Valued++
			}
			part := a >> src.store.shift
			record := w.record(part) // without a bound nothing goes to disk
			record[0], record[1] = uint64(e.Time), keyWord(int32(a)&(1<<src.store.shift-1), uint16(e.Type+1), value)
			record[2], record[3] = uint64(e.Known), math.Float64bits(e.Value)
			src.Rows++
		}
	}
	w.flush()
	h.Sources = append(h.Sources, src)
}

// dropRepeats keeps of the records with one (account, type, id) the one known
// first, and returns how many it dropped. Records without an id are all kept.
func (s *Source) dropRepeats(h *History) (dropped int, err error) {
	var p partSource
	var buffer []byte
	var kept []uint64
	shift := partShift(len(h.Accounts))
	for i := range s.store.parts {
		accounts := min((i+1)<<shift, len(h.Accounts)) - i<<shift
		if buffer, err = p.read(s, i, accounts, buffer); err != nil {
			return 0, err
		}
		kept = kept[:0]
		for a := range accounts {
			stride := s.store.stride
			kept = s.firstKnown(kept, p.words[p.offsets[a]*stride:p.offsets[a+1]*stride])
		}
		dropped += (len(p.words) - len(kept)) / s.store.stride
		if err := s.store.replace(i, kept); err != nil {
			return 0, err
		}
	}
	return dropped, nil
}

// firstKnown appends those of one account's records that stay.
func (s *Source) firstKnown(dst, words []uint64) []uint64 {
	type place struct {
		Event
		at int
	}
	stride := s.layout.stride
	rows := make([]place, 0, len(words)/stride)
	for at := 0; at < len(words); at += stride {
		rows = append(rows, place{s.event(words[at : at+stride]), at})
	}
	slices.SortFunc(rows, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.id, b.id), cmp.Compare(a.Known, b.Known),
			s.compare(&a.Event, &b.Event))
	})
	for k := range rows {
		r := &rows[k]
		if k > 0 && r.id != noID && r.id == rows[k-1].id && r.Type == rows[k-1].Type {
			continue
		}
		dst = append(dst, words[r.at:r.at+stride]...)
	}
	return dst
}
