// SPDX-License-Identifier: Apache-2.0

package ipc

import (
	"fmt"
	"math"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/holdfast-churn/holdfast/data"
)

// A column takes in one column of the file, batch by batch.
type column struct {
	data.Column
	field int // in the schema
	codes map[string]int32
	last  string // text, and its code: ids come in runs
	code  int32
}

// newColumns returns one column for each field that is not nested.
func newColumns(schema *arrow.Schema) []column {
	var columns []column
	for i, f := range schema.Fields() {
		if kind, ok := kindOf(f.Type); ok {
			c := column{Column: data.Column{Name: f.Name, Kind: kind}, field: i, codes: map[string]int32{}}
			columns = append(columns, c)
		}
	}
	return columns
}

func kindOf(t arrow.DataType) (kind data.Kind, ok bool) {
	switch t.ID() {
	case arrow.FLOAT16, arrow.FLOAT32, arrow.FLOAT64, arrow.DECIMAL128, arrow.DECIMAL256, arrow.NULL:
		return data.Float, true
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64,
		arrow.TIME32, arrow.TIME64, arrow.DURATION:
		return data.Int, true
	case arrow.BOOL:
		return data.Bool, true
	case arrow.DATE32, arrow.DATE64:
		return data.Date, true
	case arrow.TIMESTAMP:
		return data.Time, true
	case arrow.STRING, arrow.LARGE_STRING, arrow.BINARY, arrow.LARGE_BINARY, arrow.FIXED_SIZE_BINARY:
		return data.Text, true
	case arrow.DICTIONARY:
		return kindOf(t.(*arrow.DictionaryType).ValueType)
	}
	return 0, false
}

// A rowError is one value that a column cannot hold.
type rowError struct {
	row     int // in its batch
	problem string
}

func (e *rowError) Error() string { return e.problem }

// append takes in the column's values of one batch.
func (c *column) append(batch arrow.Record) error {
	values := batch.Column(c.field)
	if int64(values.Len()) != batch.NumRows() {
		return fmt.Errorf("%d values in a batch of %d rows", values.Len(), batch.NumRows())
	}
	at := func(i int) int { return i }
	if d, ok := values.(*array.Dictionary); ok {
		values, at = d.Dictionary(), d.GetValueIndex
	}
	void := values.DataType().ID() == arrow.NULL // whose IsNull says no
	for i := range batch.Column(c.field).Len() {
		if void || batch.Column(c.field).IsNull(i) || values.IsNull(at(i)) {
			c.appendMissing()
			continue
		}
		if err := c.appendValue(values, at(i)); err != nil {
			return &rowError{i, err.Error()}
		}
	}
	return nil
}

func (c *column) appendMissing() {
	switch c.Kind {
	case data.Float:
		c.Floats = append(c.Floats, math.NaN())
	case data.Text:
		c.Codes = append(c.Codes, -1)
	default:
		c.appendInt(0)
		if c.Null == nil {
			c.Null = make([]bool, len(c.Ints))
		}
		c.Null[len(c.Null)-1] = true
	}
}

func (c *column) appendInt(v int64) {
	c.Ints = append(c.Ints, v)
	if c.Null != nil {
		c.Null = append(c.Null, false)
	}
}

// appendValue appends value i of an array, which is not null.
func (c *column) appendValue(values arrow.Array, i int) error {
	switch c.Kind {
	case data.Float:
		v, err := floatAt(values, i)
		c.Floats = append(c.Floats, v)
		return err
	case data.Text:
		text := textAt(values, i)
		if len(c.codes) > 0 && text == c.last {
			c.Codes = append(c.Codes, c.code)
			return nil
		}
		code, ok := c.codes[text]
		if !ok {
			text = strings.Clone(text) // else it would hold on to the whole batch
			code = int32(len(c.Dict))
			c.codes[text] = code
			c.Dict = append(c.Dict, text)
		}
		c.last, c.code = c.Dict[code], code
		c.Codes = append(c.Codes, code)
		return nil
	}
	v, err := intAt(values, i)
	c.appendInt(v)
	return err
}

func floatAt(values arrow.Array, i int) (float64, error) {
	switch a := values.(type) {
	case *array.Float64:
		return a.Value(i), nil
	case *array.Float32:
		return float64(a.Value(i)), nil
	case *array.Float16: // the library's own conversion has small numbers wrong
		return data.HalfFloat(a.Value(i).Uint16()), nil
	case *array.Decimal128: // and those of decimals do not round to the nearest float
		return data.DecimalFloat(a.Value(i).BigInt(), int(a.DataType().(*arrow.Decimal128Type).Scale))
	case *array.Decimal256:
		return data.DecimalFloat(a.Value(i).BigInt(), int(a.DataType().(*arrow.Decimal256Type).Scale))
	}
	return 0, fmt.Errorf("holds a value in an array of type %v", values.DataType())
}

func textAt(values arrow.Array, i int) string {
	switch a := values.(type) {
	case *array.Binary:
		return string(a.Value(i))
	case *array.LargeBinary:
		return string(a.Value(i))
	case *array.FixedSizeBinary:
		return string(a.Value(i))
	}
	return values.(interface{ Value(int) string }).Value(i)
}

func intAt(values arrow.Array, i int) (int64, error) {
	switch a := values.(type) {
	case *array.Int64:
		return a.Value(i), nil
	case *array.Int32:
		return int64(a.Value(i)), nil
	case *array.Int16:
		return int64(a.Value(i)), nil
	case *array.Int8:
		return int64(a.Value(i)), nil
	case *array.Uint64:
		if a.Value(i) > math.MaxInt64 {
			return 0, fmt.Errorf("holds %d; integers must not exceed %d", a.Value(i), int64(math.MaxInt64))
		}
		return int64(a.Value(i)), nil
	case *array.Uint32:
		return int64(a.Value(i)), nil
	case *array.Uint16:
		return int64(a.Value(i)), nil
	case *array.Uint8:
		return int64(a.Value(i)), nil
	case *array.Time32:
		return int64(a.Value(i)), nil
	case *array.Time64:
		return int64(a.Value(i)), nil
	case *array.Duration:
		return int64(a.Value(i)), nil
	case *array.Boolean:
		if a.Value(i) {
			return 1, nil
		}
		return 0, nil
	}
	return dateAt(values, i)
}

// dateAt returns a day since 1970-01-01 or nanoseconds since then.
func dateAt(values arrow.Array, i int) (int64, error) {
	var v int64
	var ok bool
	switch a := values.(type) {
	case *array.Date32:
		v = int64(a.Value(i))
		ok = data.DayInRange(v)
	case *array.Date64: // milliseconds
		ms := int64(a.Value(i))
		const day = 24 * 60 * 60 * 1000
		if v = ms / day; ms%day < 0 {
			v--
		}
		ok = data.DayInRange(v)
	case *array.Timestamp:
		unit := a.DataType().(*arrow.TimestampType).Unit
		v, ok = data.Nanos(int64(a.Value(i)), int64(unit.Multiplier()))
	}
	if !ok {
		return 0, fmt.Errorf("holds %s; dates and times must lie in the years 1678 to 2261", values.ValueStr(i))
	}
	return v, nil
}
