// SPDX-License-Identifier: Apache-2.0

package predict

// Apply stores the calibrated log-odds of z in dst and returns it:
//
//	dst_i = Intercept + Slope z_i
//
// Slope is positive, so the order of accounts stays, and contributions stay
// additive: each is multiplied by Slope. dst may be z. If dst is nil, a new
// slice is made; it panics if the lengths differ.
func (c *Calibration) Apply(dst, z []float64) []float64 {
	dst = sized(dst, len(z))
	for i, zi := range z {
		dst[i] = c.LogOdds(zi)
	}
	return dst
}

// LogOdds returns the calibrated log-odds of one raw log-odds z.
func (c *Calibration) LogOdds(z float64) float64 {
	return c.Intercept + float64(c.Slope*z)
}
