// SPDX-License-Identifier: Apache-2.0

package data

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Decimals become numbers, float64, and so must not have more digits than one
// tells apart: 15 significant ones, from which the number's own first 15 lead
// back to the decimal, or those of an integer up to 2^53. A decimal of more
// digits is refused. Rounded, it would turn money into other money and two ids
// into one, and nobody would be told.
//
// Source: DBL_DIG in ISO/IEC 9899:2011, section 5.2.4.2.2.
const (
	numberDigits  = 15
	numberShort   = 1e15 // 10^numberDigits
	numberInteger = 1 << 53

	// maxScale is the largest number of digits after the point in a decimal of
	// 256 bits, the widest in use.
	maxScale        = 76
	maxDecimalBytes = 32
)

// DecimalFloat returns v / 10^scale as a number, and an error that says what
// the decimal is where a number does not hold its digits.
func DecimalFloat(v *big.Int, scale int) (float64, error) {
	if scale < -maxScale || scale > maxScale {
		return 0, fmt.Errorf("is a decimal of scale %d", scale)
	}
	digits := v.String()
	if !holdsDigits(digits, scale) {
		return 0, errors.New(longDecimal(digits, scale))
	}
	return parseDecimal(digits, scale), nil
}

// decimalFloat returns the float64 nearest to v / 10^scale, scale >= 0, and
// whether it holds the digits.
func decimalFloat(v int64, scale int) (f float64, held bool) {
	// Both v and 10^scale are exact floats here, so one division rounds once.
	const exactPower = 22
	if -numberInteger <= v && v <= numberInteger && scale <= exactPower {
		f = float64(v) / math.Pow10(scale)
	} else {
		f = parseDecimal(strconv.FormatInt(v, 10), scale)
	}
	if -numberShort < v && v < numberShort {
		return f, true
	}
	return f, holdsDigits(strconv.FormatInt(v, 10), scale)
}

// wideDecimalFloat is decimalFloat of a big-endian two's complement integer of
// any length. No bytes are 0.
func wideDecimalFloat(b []byte, scale int) (f float64, held bool) {
	b = shortest(b)
	switch {
	case len(b) <= 8:
		return decimalFloat(narrow(b), scale)
	case len(b) > maxDecimalBytes:
		return 0, false
	}
	digits := wide(b).String()
	return parseDecimal(digits, scale), holdsDigits(digits, scale)
}

// shortest drops leading bytes of a two's complement integer that only repeat
// its sign.
func shortest(b []byte) []byte {
	for len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		b = b[1:]
	}
	return b
}

// narrow returns the integer in at most 8 bytes.
func narrow(b []byte) int64 {
	var v int64
	if len(b) > 0 && b[0]&0x80 != 0 {
		v = -1
	}
	for _, x := range b {
		v = v<<8 | int64(x)
	}
	return v
}

// wide returns the integer in any number of bytes but none.
func wide(b []byte) *big.Int {
	v := new(big.Int).SetBytes(b)
	if b[0]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return v
}

func parseDecimal(digits string, scale int) float64 {
	f, _ := strconv.ParseFloat(digits+"e"+strconv.Itoa(-scale), 64)
	return f
}

// holdsDigits reports whether a number holds the integer of these digits,
// divided by 10^scale.
func holdsDigits(digits string, scale int) bool {
	digits = strings.TrimPrefix(digits, "-")
	significant := strings.TrimRight(digits, "0")
	if len(significant) <= numberDigits {
		return true
	}
	if scale < 0 || len(digits)-len(significant) < scale {
		return false // more digits, and zeros or a fraction after them
	}
	v, err := strconv.ParseInt(digits[:len(digits)-scale], 10, 64)
	return err == nil && v <= numberInteger
}

// longDecimal describes a decimal that a number does not hold, and says what to
// do.
func longDecimal(digits string, scale int) string {
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	switch {
	case scale < 0:
		digits += strings.Repeat("0", -scale)
	case scale > 0:
		digits = strings.Repeat("0", max(scale+1-len(digits), 0)) + digits
		point := len(digits) - scale
		digits = strings.TrimRight(digits[:point]+"."+digits[point:], "0")
		digits = strings.TrimSuffix(digits, ".")
	}
	return fmt.Sprintf("holds the decimal %s%s, more than the %d digits that a number keeps exactly; "+
		"round it, or write an id as a text or as a 64-bit integer", sign, digits, numberDigits)
}
