// SPDX-License-Identifier: Apache-2.0

package train

import (
	"errors"
	"fmt"
)

// ErrOneClass is wrapped where all training rows have the same outcome, or
// there is none: nothing tells churn from renewal.
var ErrOneClass = errors.New("cannot fit")

// A RowError says which training row cannot be used and why.
type RowError struct {
	Row     int // in the frame as it was given, from 0
	Problem string
}

// Error names the row by its place, not by its account: logs hold no names.
func (e *RowError) Error() string {
	return fmt.Sprintf("training row %d: %s", e.Row, e.Problem)
}

// A SeparationError says that a fit without a penalty has no finite solution,
// because some combination of columns tells the outcomes apart without fault.
type SeparationError struct {
	Column int     // design column with the largest error, 0 is the intercept
	Weight float64 // where it had got to, in log-odds per standard deviation
	SE     float64 // its standard error there
}

// Error says what was found and what to do.
func (e *SeparationError) Error() string {
	return fmt.Sprintf("outcomes are separated: without a penalty the weights have no finite optimum "+
		"(design column %d had reached %.3g ± %.3g log-odds per standard deviation); use a penalty above zero",
		e.Column, e.Weight, e.SE)
}

// A ConvergenceError says that a fit did not reach its optimum.
type ConvergenceError struct {
	Status     string // what stopped it
	Lambda     float64
	Iterations int
	Decrement  float64 // half the squared Newton decrement: about how far the penalised loss is from its minimum
}

// Error names status, penalty, iterations and distance.
func (e *ConvergenceError) Error() string {
	return fmt.Sprintf("logistic fit at lambda %.4g did not converge: %s after %d iterations, "+
		"about %.3g above the minimum", e.Lambda, e.Status, e.Iterations, e.Decrement)
}
