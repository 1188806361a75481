// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// The texts that codes in an account stand for.
var (
	segments   = []string{"smb", "mid", "enterprise"}
	plans      = []string{"starter", "team", "business"}
	countries  = []string{"US", "GB", "DE", "FR", "NL", "CA"}
	currencies = []string{"USD", "GBP", "EUR"}
	phases     = []string{"onboarding", "adoption", "established"}
	owners     = []string{"A. Okafor", "B. Lindqvist", "C. Moreau", "D. Tanaka", "E. Novak", "F. Haddad",
		"G. Silva", "H. Brandt", "I. Petrova", "J. Murphy", "K. Adeyemi", "L. Rossi"}
	nameHeads = []string{"Alder", "Brook", "Cedar", "Dover", "Elm", "Fern", "Glen", "Harbor", "Iron", "Juniper",
		"Kestrel", "Lark", "Maple", "North", "Oak", "Pine", "Quarry", "River", "Stone", "Thorn"}
	nameTails = []string{"bridge", "field", "gate", "hill", "mere", "point", "stead", "wick"}
	nameForms = []string{"Labs", "Group", "Foods", "Health", "Logistics", "Media", "& Sons", "Energy"}
)

// currencyOf gives each country its currency.
var currencyOf = []int{0, 1, 2, 2, 2, 0}

const (
	segmentSMB = iota
	segmentMid
	segmentEnterprise
)

// missing is the code of a text that is not given.
const missing = -1

// profile is what differs between segments on average.
type profile struct {
	seats     float64 // median
	perDay    float64 // usage events on a working day, median
	tickets   float64 // opened per day
	managed   float64 // share of accounts with a success manager who visits
	annual    float64 // share on yearly terms
	unitPrice float64 // per seat and month
}

var profiles = []profile{
	segmentSMB:        {seats: 8, perDay: .26, tickets: .020, managed: .45, annual: .85, unitPrice: 29},
	segmentMid:        {seats: 40, perDay: .45, tickets: .030, managed: .75, annual: .95, unitPrice: 24},
	segmentEnterprise: {seats: 220, perDay: .8, tickets: .042, managed: .95, annual: 1, unitPrice: 19},
}

// An account is what one customer is like, before anything happens.
type account struct {
	index   int
	id      string
	name    string
	parent  int // index of the parent account, or missing
	segment int
	plan    int
	country int
	owner   int

	planGiven, countryGiven bool // false: null in the table

	created   day
	start     day // of the first term in the contracts table
	seq       int // number of that term
	custom    *custom
	autoRenew bool
	seats     int
	price     float64 // per seat and month, after discount, account currency

	perDay     float64 // usage events on a working day at a latent level of 0
	ticketRate float64 // per day
	managed    bool
	payer      float64 // slowness of payment, days
	advocacy   float64 // referrals and reviews per day; unrelated to everything else
	surveyDay  int     // day of the quarter on which the survey goes out
	answers    float64 // share of surveys answered

	usagePath []float64 // latent log level of use, by week since the history's start
	moodPath  []float64 // latent satisfaction, standard deviation 1
}

func accountID(i int) string { return fmt.Sprintf("acct-%05d", i+1) }

// newAccount draws account i.
func newAccount(w *world, i int) *account {
	r := newStream(w.seed, forTraits, i)
	a := &account{index: i, id: accountID(i)}
	var groupMood float64
	a.parent, groupMood = groupOf(w.seed, i)
	a.name = nameHeads[r.IntN(len(nameHeads))] + nameTails[r.IntN(len(nameTails))] + " " + nameForms[r.IntN(len(nameForms))]
	a.segment = choose(r, []float64{.55, .32, .13})
	p := &profiles[a.segment]
	a.plan = min(a.segment+choose(r, []float64{.75, .25}), len(plans)-1)
	a.country = choose(r, []float64{.45, .15, .15, .1, .07, .08})
	a.owner = r.IntN(len(owners))
	a.planGiven, a.countryGiven = r.Float64() > .006, r.Float64() > .012
	if r.Float64() < .02 {
		a.owner = missing
	}
	a.custom = &yearly
	if r.Float64() > p.annual {
		a.custom = &monthly
	}
	a.autoRenew = a.custom == &monthly || r.Float64() < .55
	a.seats = max(2, int(p.seats*math.Exp(.5*r.NormFloat64())))
	a.price = round(p.unitPrice*(1-.05*float64(r.IntN(5))), 100)
	a.perDay = p.perDay * math.Exp(.5*r.NormFloat64())
	a.ticketRate = p.tickets * math.Exp(.6*r.NormFloat64())
	a.managed = r.Float64() < p.managed
	a.payer = 4 * r.ExpFloat64()
	a.advocacy = .004 * r.ExpFloat64()
	a.surveyDay = r.IntN(surveyEvery)
	a.answers = .35 + .5*r.Float64()
	a.draftTerms(w, r)
	a.drawLatents(w, groupMood)
	return a
}

// groupOf returns the parent of account i (missing for most) and the mood
// that a group of companies shares. Accounts come in blocks of four; in one
// block of twelve some of the later three belong to the first.
func groupOf(seed uint64, i int) (parent int, mood float64) {
	r := newStream(seed, forGroup, i/4)
	if r.Float64() > 1./12 {
		return missing, 0
	}
	mood = .5 * r.NormFloat64()
	child := [4]bool{1: true, 2: r.Float64() < .6, 3: r.Float64() < .4}
	switch {
	case child[i%4]:
		return i - i%4, mood
	case i%4 == 0:
		return missing, mood
	}
	return missing, 0
}

// draftTerms draws when the account was created and its first term in the
// table. Somewhat over half are customers from before the history; their
// first listed term is placed so that its primary snapshot sees 90 days of
// events.
func (a *account) draftTerms(w *world, r *rand.Rand) {
	installed := r.Float64() < .55
	pilot := day(between(r, 14, 45))
	a.seq = 1
	switch {
	case !installed:
		a.start = w.start + day(between(r, 100, int(w.end-w.start)-20))
	case a.custom == &monthly:
		a.start = w.start + day(between(r, 93, 120))
		a.seq = between(r, 4, 40)
	default:
		a.start = w.start + day(between(r, -182, 180))
		a.seq = between(r, 1, 4)
	}
	if t := a.start.date(); t.Day() > 28 { // every month has this day
		a.start -= day(t.Day() - 28)
	}
	a.created = a.start.addMonths(-(a.seq-1)*a.custom.months) - pilot
}

// drawLatents draws two stationary autoregressive paths, one value a week:
//
//	m_k = phi m_(k-1) + sqrt(1 - phi^2) e_k           mood, sd 1
//	u_k = .5 (.35 m_k + .94 v_k), v_k like m_k        log level of use, sd .5
//
// phi = .97 keeps three quarters of a deviation over 60 days, so that a
// snapshot 90 days before the due date still tells something at 30.
func (a *account) drawLatents(w *world, groupMood float64) {
	const phi = .97
	fresh := math.Sqrt(1 - phi*phi)
	r := newStream(w.seed, forLatents, a.index)
	weeks := int(w.end-w.start)/7 + 1
	a.usagePath, a.moodPath = make([]float64, weeks), make([]float64, weeks)
	m, v := r.NormFloat64(), r.NormFloat64()
	for k := range weeks {
		a.moodPath[k] = m + groupMood
		a.usagePath[k] = .5 * (.35*m + .94*v)
		m = phi*m + fresh*r.NormFloat64()
		v = phi*v + fresh*r.NormFloat64()
	}
}

// phase returns the stage of life at the history's end. It follows from the
// date of creation alone, so it tells nothing of the outcome.
func (a *account) phase(end day) int {
	switch age := end - a.created; {
	case age < 120:
		return 0
	case age < 2*365:
		return 1
	}
	return 2
}
