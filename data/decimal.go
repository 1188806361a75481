// SPDX-License-Identifier: Apache-2.0

package data

import (
	"math"
	"math/big"
	"strconv"
)

// maxScale is the largest number of digits after the point in a decimal of 256
// bits, the widest in use.
const maxScale = 76

// decimalFloat returns the float64 nearest to v / 10^scale.
func decimalFloat(v int64, scale int) float64 {
	// Both v and 10^scale are exact floats here, so one division rounds once.
	const exactInteger, exactPower = 1 << 53, 22
	if -exactInteger <= v && v <= exactInteger && scale <= exactPower {
		return float64(v) / math.Pow10(scale)
	}
	f, _ := strconv.ParseFloat(strconv.FormatInt(v, 10)+"e-"+strconv.Itoa(scale), 64)
	return f
}

// wideDecimalFloat returns the float64 nearest to the big-endian two's
// complement integer b, divided by 10^scale. No bytes are 0.
func wideDecimalFloat(b []byte, scale int) float64 {
	if len(b) <= 8 {
		var v int64
		if len(b) > 0 && b[0]&0x80 != 0 {
			v = -1
		}
		for _, x := range b {
			v = v<<8 | int64(x)
		}
		return decimalFloat(v, scale)
	}
	v := new(big.Int).SetBytes(b)
	if b[0]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	f, _ := strconv.ParseFloat(v.String()+"e-"+strconv.Itoa(scale), 64)
	return f
}
