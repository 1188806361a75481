// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
	"pgregory.net/rapid"
)

// A decimal becomes the nearest float, as strconv finds it from the digits.
func TestDecimalFloat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64().Draw(t, "v")
		scale := rapid.IntRange(0, 38).Draw(t, "scale")
		want, _ := strconv.ParseFloat(strconv.FormatInt(v, 10)+"e-"+strconv.Itoa(scale), 64)
		if got, _ := decimalFloat(v, scale); got != want {
			t.Fatalf("%de-%d: %v, want %v", v, scale, got, want)
		}
		narrow := binary.BigEndian.AppendUint64(nil, uint64(v))
		sign := byte(v >> 63)
		for _, b := range [][]byte{narrow, append(bytes.Repeat([]byte{sign}, 8), narrow...)} {
			if got, _ := wideDecimalFloat(b, scale); got != want {
				t.Fatalf("%x, scale %d: %v, want %v", b, scale, got, want)
			}
		}
	})
	b := new(big.Int).Exp(big.NewInt(10), big.NewInt(30), nil).FillBytes(make([]byte, 16))
	if got, held := wideDecimalFloat(b, 10); got != 1e20 || !held {
		t.Errorf("10^30 / 10^10 = %v", got)
	}
	if got, held := wideDecimalFloat(nil, 3); got != 0 || !held {
		t.Errorf("no bytes: %v", got)
	}
}

// What decimalFloat says is held comes back from the first 15 digits of the
// number or is a small integer, and what it says is not does not.
func TestDecimalHeld(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1e16, 1e16)).Draw(t, "v")
		if rapid.Bool().Draw(t, "round") {
			v -= v % 10_000_000
		}
		scale := rapid.IntRange(0, 38).Draw(t, "scale")
		f, held := decimalFloat(v, scale)
		if !held && -1e15 < v && v < 1e15 {
			t.Fatalf("%de-%d is not held", v, scale)
		}
		back, _ := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', 15, 64))
		want, _ := new(big.Rat).SetString(strconv.FormatInt(v, 10) + "e-" + strconv.Itoa(scale))
		comes := back.Cmp(want) == 0 || want.IsInt() && math.Abs(f) <= 1<<53
		if comes != held {
			t.Fatalf("%de-%d: held is %v, but %v comes back", v, scale, held, back)
		}
		if _, err := DecimalFloat(big.NewInt(v), scale); (err == nil) != held {
			t.Fatalf("%de-%d: held is %v, error %v", v, scale, held, err)
		}
	})
}

func TestLongDecimal(t *testing.T) {
	tests := []struct {
		unscaled string
		scale    int
		want     string // "" where it is held
	}{
		{"999999999999999", 2, ""},
		{"9007199254740991", 2, "90071992547409.91"}, // below 2^53, but .01 apart is less than floats are there
		{"9007199254740992", 0, ""},
		{"9007199254740993", 0, "9007199254740993"},
		{"900719925474099200", 2, ""},
		{"900719925474099300", 2, "9007199254740993"},
		{"-1234567890123456789", 2, "-12345678901234567.89"},
		{"1234567890123456", 20, "0.00001234567890123456"},
		{"1234567890123456", 16, "0.1234567890123456"},
		{"123456789012345000000000", 3, ""},
		{"-1234567890123456", -2, "-123456789012345600"},
		{"123456789012345", -2, ""},
		{"7", 1 << 30, "scale 1073741824"},
		{"7", -1 << 30, "scale -1073741824"},
	}
	for _, test := range tests {
		v, _ := new(big.Int).SetString(test.unscaled, 10)
		_, err := DecimalFloat(v, test.scale)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%se%d: %v", test.unscaled, -test.scale, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), " "+test.want)):
			t.Errorf("%se%d: %v, want an error with %s", test.unscaled, -test.scale, err, test.want)
		}
	}
}

// Decimals of pyarrow in 4, 8 and 16 bytes, plain and by dictionary: those of
// up to 15 digits are read, longer ones are refused with their row.
// testdata/decimals.py wrote the files, in row groups of two.
func TestReadDecimals(t *testing.T) {
	missing := math.NaN()
	want := &Table{Rows: 5, Columns: []Column{
		{Name: "four", Floats: []float64{1.25, -0.01, missing, 9999999.99, 0}},
		{Name: "eight", Floats: []float64{9999999999999.99, -9999999999999.99, missing, 1e15, 0}},
		{Name: "sixteen", Floats: []float64{1234567.89, -9007199254740992, missing, 99999.0000000001, 0}},
		{Name: "whole", Floats: []float64{9007199254740992, -5, missing, 1.2e29, 0}},
	}}
	for _, file := range []string{"testdata/decimals_plain.parquet", "testdata/decimals_dict.parquet"} {
		table, err := Read(Disk{}, file, want.Names())
		if err != nil {
			t.Fatal(err)
		}
		equal(t, table, want)
		for column, at := range map[string]string{
			"money": `row 4: column "money" holds the decimal 2345678901234567.89, more than the 15 digits`,
			"large": `row 4: column "large" holds the decimal -12345678901234567.89, more`,
			"id":    `row 3: column "id" holds the decimal 9007199254740993, more`,
		} {
			_, err := Read(Disk{}, file, []string{column})
			if !errors.Is(err, ErrBadData) || !strings.HasPrefix(err.Error(), file+": "+at) {
				t.Errorf("%v, want %s", err, at)
			}
		}
	}
}

// A decimal may also be a byte array of any length.
func TestReadDecimalsOfAnyLength(t *testing.T) {
	file := func(texts ...string) []byte {
		b := parquetBytes(t, &Table{Rows: len(texts), Columns: []Column{TextColumn("x", texts)}})
		return refooted(t, b, func(m *format.FileMetaData) {
			m.Schema[1].LogicalType = format.LogicalType{Value: &format.DecimalType{Scale: 2, Precision: 38}}
			m.Schema[1].ConvertedType = thrift.Null[deprecated.ConvertedType]{}
		})
	}
	zeros, ones := strings.Repeat("\x00", 40), strings.Repeat("\xff", 40)
	long := "\x00\x00\x1f\xff\xff\xff\xff\xff\xff" // 2^53 - 1
	got, err := readBounded(t, "x", file("\x7b", "", "\xff", zeros+"\x01\x00", ones, long[:8]))
	if err != nil {
		t.Fatal(err)
	}
	if want := []float64{1.23, math.NaN(), -0.01, 2.56, -0.01, 351843720888.31}; !slices.EqualFunc(
		got.Columns[0].Floats, want, func(a, b float64) bool { return a == b || a != a && b != b }) {
		t.Errorf("%v, want %v", got.Columns[0].Floats, want)
	}
	for want, text := range map[string]string{
		`row 3: column "x" holds the decimal 90071992547409.91, more`:    long,
		`row 3: column "x" holds a decimal of 41 bytes; 32 are the most`: "\x01" + zeros,
	} {
		_, err := readBounded(t, "x", file("\x01", "", text, "\x02"))
		if !errors.Is(err, ErrBadData) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
