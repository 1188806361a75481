// SPDX-License-Identifier: Apache-2.0

package features

import (
	"fmt"
	"slices"
	"strings"
)

// A Stream is an event source as far as a first feature set needs to know it.
type Stream struct {
	Name     string
	PerMonth float64 // events per account and 30 days
	Valued   bool    // its events have values
	Types    []StreamType
}

// A StreamType is one type of event of a Stream.
type StreamType struct {
	Name     string
	PerMonth float64
	Valued   bool
}

// A Proposal is a feature whose direction was guessed from a word in a name.
type Proposal struct {
	Feature
	Word string // the word that decided the direction
}

// maxProposals bounds a first feature set to what a person reads.
const maxProposals = 24

// Propose returns a first feature set: for every stream, or for each of its
// types where it has several, the one aggregate that its name asks for, if the
// name also says whether more of it is healthy or risky. Where it does not, the
// automatic features serve. windows are in days, ascending.
//
//   - an opinion with a value (csat, a rating): the mean; nps and roi: the last one;
//   - lateness with a value: the mean over the longest window;
//   - all else: a count, over 30 days where an account has one a month, else over
//     the longest window;
//   - a stream of several types that speaks of use: also the trend of all its events.
//
// Counts and trends have the names that Auto gives them, and so replace those.
func Propose(streams []Stream, windows []int) []Proposal {
	p := proposer{windows: windows}
	for i := range streams {
		s := &streams[i]
		if len(s.Types) < 2 {
			p.one(s.Name, "", s.PerMonth, s.Valued)
			continue
		}
		p.trend(s)
		for _, t := range s.Types {
			p.one(s.Name, t.Name, t.PerMonth, t.Valued)
		}
	}
	return p.out
}

type proposer struct {
	windows []int
	out     []Proposal
}

// one proposes a feature of one type, or of a whole source.
func (p *proposer) one(source, kind string, perMonth float64, valued bool) {
	direction, word := GuessDirection(source, kind)
	f := Feature{From: source, Type: kind, Agg: Count, Unit: "events", Direction: direction}
	long := 0
	if n := len(p.windows); n > 0 {
		long = p.windows[n-1]
	}
	suffix, what := "", "events so far"
	switch {
	case valued && (word == "nps" || word == "roi"):
		f.Agg, f.Unit, suffix, what = Last, "", "last", "last value"
	case valued && slices.Contains(opinionWords, word):
		f.Agg, f.Unit, suffix, what = Mean, "", "mean", "mean so far"
	case valued && (word == "late" || slices.Contains(lateWords, word)):
		f.Agg, f.Unit, f.WindowDays = Mean, "", long
		suffix, what = fmt.Sprintf("mean_%dd", long), fmt.Sprintf("mean in %d days", long)
	case perMonth >= 1 && slices.Contains(p.windows, 30):
		f.WindowDays = 30
	default:
		f.WindowDays = long // over all history it would say how old the account is
	}
	if f.Agg == Count {
		suffix = "count_all"
		if f.WindowDays > 0 {
			suffix, what = fmt.Sprintf("count_%dd", f.WindowDays), fmt.Sprintf("events in %d days", f.WindowDays)
		}
	}
	p.add(f, suffix, what, word)
}

// trend proposes the trend of a source that speaks of use.
func (p *proposer) trend(s *Stream) {
	direction, word := GuessDirection(s.Name, "")
	n := len(p.windows)
	if n < 2 || direction != Healthy || GuessPillar(s.Name) != "product_utilization" {
		return
	}
	short, long := p.windows[n-2], p.windows[n-1]
	p.add(Feature{From: s.Name, Agg: Trend, WindowDays: short, LongDays: long, Unit: "log ratio",
		Direction: direction}, fmt.Sprintf("trend_%dd_%dd", short, long),
		fmt.Sprintf("trend of events, %d against %d days", short, long), word)
}

// add names a feature and keeps it, unless its direction is open, its name is
// taken or there are enough.
func (p *proposer) add(f Feature, suffix, what, word string) {
	f.Kind = NumberKind
	f.Name, f.Label = plain(f.From)+"_"+suffix, f.From+": "+what
	if f.Type != "" {
		f.Name, f.Label = plain(f.From)+"_"+plain(f.Type)+"_"+suffix, eventWords(f.From, f.Type)+": "+what
	}
	f.Pillar = GuessPillar(f.From + " " + f.Type)
	taken := slices.ContainsFunc(p.out, func(o Proposal) bool { return o.Name == f.Name })
	if f.Direction == Free || taken || len(p.out) == maxProposals {
		return
	}
	p.out = append(p.out, Proposal{f, word})
}

var (
	opinionWords = []string{"nps", "csat", "satisf", "rating"}
	lateWords    = []string{"=late", "lateness", "overdue", "delay"}
	brokenWords  = []string{"fail", "declin", "chargeback", "dunning", "unpaid", "refund", "return", "cancel",
		"downgrad", "complain", "escalat", "bug", "error", "outage", "incident", "crash",
		"dispute", "detractor", "unsubscri", "uninstall", "abandon", "sponsor"}
	helpWords = []string{"ticket", "support", "=case", "cases", "=issue", "issues"}
	goodWords = []string{"login", "logon", "signin", "session", "usage", "=use", "activ", "feature", "adopt",
		"=api", "export", "click", "visit", "view", "order", "purchase", "training", "webinar",
		"meeting", "qbr", "referral", "advoca", "review", "upgrade", "expan", "renewal", "invite", "roi"}
)

// GuessDirection guesses from the words in an event type's name, or else in its
// source's, whether more of such events is Healthy or Risky, and returns the
// word it went by. A name that says neither, as most do, is Free. What is
// narrow goes first: an escalated ticket is risky, a ticket's csat is healthy.
func GuessDirection(source, kind string) (Direction, string) {
	for _, name := range []string{kind, source} {
		parts := strings.FieldsFunc(plain(name), func(r rune) bool { return r == '_' })
		for _, g := range []struct {
			direction Direction
			starts    []string
		}{{Risky, lateWords}, {Risky, brokenWords}, {Healthy, opinionWords}, {Risky, helpWords},
			{Healthy, goodWords}} {
			for _, start := range g.starts {
				whole, exact := strings.CutPrefix(start, "=")
				matches := func(w string) bool { return w == whole || !exact && strings.HasPrefix(w, start) }
				if slices.ContainsFunc(parts, matches) {
					return g.direction, whole
				}
			}
		}
	}
	return Free, ""
}
