// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// A Forecast sets retention by due month as it was forecast beside what came of
// it, in the currency that most rows have.
type Forecast struct {
	Currency string          `json:"currency,omitempty"`
	Months   []ForecastMonth `json:"months"`
	// Covered of the months had a GRR inside its 90 % interval, and NRRCovered an
	// NRR.
	Covered    int `json:"covered"`
	NRRCovered int `json:"nrr_covered"`
	// Error is the mean absolute error of GRR over the months, weighted by value;
	// NRRError that of NRR.
	Error    Number `json:"grr_error"`
	NRRError Number `json:"nrr_error"`
	// Shock is the standard deviation of the common shock behind the intervals.
	Shock Number `json:"shock"`
	// NoKept says that nothing declares which share of the value was kept: a
	// renewal then counts as all of it, and NRR is GRR.
	NoKept bool `json:"no_kept,omitempty"`
}

// A ForecastMonth is the renewals of one due month among the test rows. A
// renewal's forecast is the mean over its snapshots.
type ForecastMonth struct {
	Month    string   `json:"month"`
	Renewals Number   `json:"renewals"` // Σw
	Value    Number   `json:"value"`    // at stake
	AtRisk   Number   `json:"at_risk"`  // Σ w v p
	Lost     Number   `json:"lost"`     // Σ w v y
	GRR      Interval `json:"grr_forecast"`
	GRRWas   Number   `json:"grr_actual"`
	NRR      Interval `json:"nrr_forecast"`
	NRRWas   Number   `json:"nrr_actual"`
}

// forecast forecasts retention by due month:
//
//	GRR = Σ w v min(κ, 1) / Σ w v,  NRR = Σ w v κ / Σ w v
//
// with κ the share of the yearly value kept, 0 for a churn. Its expectation is
// (1-p) times the mean κ (or min(κ, 1)) of the renewed rows of the origin's
// training, weighted by value. The intervals are by simulation: outcomes
// of renewals are independent given p and a common shock per month, N(0, τ²)
// in log-odds, τ from the origins of this backtest (shock). It is nil where no
// row has a value, or where rows have no due date.
func (t *pool) forecast(f *features.Frame, origins []Origin, p []float64, shock float64, o *Options) *Forecast {
	if !t.hasValue {
		return nil
	}
	out := &Forecast{Currency: t.currency, NoKept: true, Shock: Number(shock)}
	kept := make([]keptShare, len(origins))
	for i := range origins {
		kept[i] = meanKept(f, origins[i].Train)
	}
	byMonth := map[string][]int{}
	for i, r := range t.rows {
		row := &f.Rows[r]
		if !(t.value[i] > 0) || row.Due <= row.Snapshot {
			continue
		}
		month := time.Unix(0, row.Due).In(o.Origins.location()).Format("2006-01")
		byMonth[month] = append(byMonth[month], i)
		if row.Y == 0 && !math.IsNaN(row.Kept) {
			out.NoKept = false
		}
	}
	names := make([]string, 0, len(byMonth))
	for name := range byMonth {
		names = append(names, name)
	}
	slices.Sort(names)
	random := rand.New(rand.NewPCG(o.Seed, forecastStream))
	for _, name := range names {
		m := t.forecastMonth(f, byMonth[name], p, kept, shock, random)
		m.Month = name
		out.Months = append(out.Months, m)
	}
	return out.judge()
}

// forecastStream keeps these draws apart from any other use of the same seed.
const forecastStream = 0x666f7265

// So many futures of a month are simulated; of a month with many renewals, whose
// quantiles chance moves less, fewer.
const (
	forecastReplicates  = 400
	forecastLeastFuture = 100
	forecastDraws       = 4_000_000
)

// keptShare is the mean share of value kept by those who renewed.
type keptShare struct{ gross, net float64 }

// meanKept returns the shares over training rows, weighted by value; 1 where
// nothing is known.
func meanKept(f *features.Frame, rows []int) keptShare {
	var value, gross, net float64
	for _, i := range rows {
		r := &f.Rows[i]
		if r.Y == 0 && r.Value > 0 && !math.IsNaN(r.Kept) {
			v := float64(r.Weight * r.Value)
			value += v
			gross += float64(v * min(r.Kept, 1))
			net += float64(v * r.Kept)
		}
	}
	if value == 0 {
		return keptShare{1, 1}
	}
	return keptShare{gross / value, net / value}
}

// A stake is one renewal of a month.
type stake struct {
	renewal         int
	v, gross, net   float64 // Σwv, and the mean shares kept
	weight, logOdds float64 // Σw and Σwz of its snapshots
}

func (t *pool) forecastMonth(f *features.Frame, rows []int, p []float64, kept []keptShare, shock float64,
	random *rand.Rand) ForecastMonth {
	var m ForecastMonth
	var grr, nrr, was, wasNet float64
	var stakes []stake
	slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(t.renewal[a], t.renewal[b]) })
	for _, i := range rows {
		v, k := float64(t.w[i]*t.value[i]), kept[t.origin[i]]
		m.Renewals += Number(t.w[i])
		m.Value += Number(v)
		m.AtRisk += Number(v * p[i])
		m.Lost += Number(v * t.y[i])
		grr += float64(v * (1 - p[i]) * k.gross)
		nrr += float64(v * (1 - p[i]) * k.net)
		if t.y[i] == 0 {
			share := f.Rows[t.rows[i]].Kept
			if math.IsNaN(share) {
				share = 1
			}
			was += float64(v * min(share, 1))
			wasNet += float64(v * share)
		}
		if n := len(stakes); n == 0 || stakes[n-1].renewal != t.renewal[i] {
			stakes = append(stakes, stake{renewal: t.renewal[i]})
		}
		s := &stakes[len(stakes)-1]
		s.v += v
		s.weight += t.w[i]
		s.logOdds += float64(t.w[i] * logOddsOf(p[i]))
		s.gross, s.net = k.gross, k.net
	}
	value := float64(m.Value)
	m.GRR.Estimate, m.NRR.Estimate = Number(grr/value), Number(nrr/value)
	m.GRRWas, m.NRRWas = Number(was/value), Number(wasNet/value)
	simulate(&m, stakes, shock, random)
	return m
}

// simulate sets the 90 % intervals of GRR and NRR over simulated outcomes.
func simulate(m *ForecastMonth, stakes []stake, shock float64, random *rand.Rand) {
	n := min(forecastReplicates, max(forecastLeastFuture, forecastDraws/max(len(stakes), 1)))
	gross, net, p := make([]float64, n), make([]float64, n), make([]float64, len(stakes))
	for k := range stakes {
		p[k] = predict.Sigmoid(stakes[k].logOdds / stakes[k].weight)
	}
	for b := range gross {
		odds := math.Exp(float64(shock * random.NormFloat64()))
		for k := range stakes {
			// u ≥ pk / (1 - p + pk): the shock multiplies the odds
			pk := float64(p[k] * odds)
			if float64(random.Float64()*(1-p[k]+pk)) >= pk {
				gross[b] += float64(stakes[k].v * stakes[k].gross)
				net[b] += float64(stakes[k].v * stakes[k].net)
			}
		}
		gross[b] /= float64(m.Value)
		net[b] /= float64(m.Value)
	}
	m.GRR = interval(float64(m.GRR.Estimate), gross, level)
	m.NRR = interval(float64(m.NRR.Estimate), net, level)
}

// judge sums up how the forecasts did.
func (f *Forecast) judge() *Forecast {
	var value Number
	for i := range f.Months {
		m := &f.Months[i]
		if m.GRRWas >= m.GRR.Low && m.GRRWas <= m.GRR.High {
			f.Covered++
		}
		if m.NRRWas >= m.NRR.Low && m.NRRWas <= m.NRR.High {
			f.NRRCovered++
		}
		value += m.Value
		f.Error += m.Value * Number(math.Abs(float64(m.GRR.Estimate-m.GRRWas)))
		f.NRRError += m.Value * Number(math.Abs(float64(m.NRR.Estimate-m.NRRWas)))
	}
	if value == 0 {
		return nil
	}
	f.Error, f.NRRError = f.Error/value, f.NRRError/value
	return f
}
