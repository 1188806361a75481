// SPDX-License-Identifier: Apache-2.0

package data

import (
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// A leaf is one column of a Parquet file as its schema declares it.
type leaf struct {
	name     string // of the top-level field that holds it
	physical format.Type
	size     int // bytes of a FIXED_LEN_BYTE_ARRAY value
	optional bool
	kind     Kind
	as       meaning
	scale    int    // of a decimal: digits after the point
	void     bool   // annotated as holding nothing but nulls; fits every kind
	twice    bool   // a later leaf has the same name
	unfit    string // what it is, where it cannot become a Column; else ""
}

// meaning says how a stored value becomes a value of the leaf's kind.
type meaning uint8

const (
	asStored meaning = iota
	asUint32
	asUint64
	asDays    // since 1970-01-01
	asMillis  // since 1970-01-01T00:00:00
	asMicros  //
	asNanos   //
	asInt96   // nanoseconds of a day, then a Julian day
	asDecimal // an integer, 10^scale times too large
	asHalf    // a 16-bit float
	asUUID    // 16 bytes, shown as 8-4-4-4-12 hex digits
)

// leaves returns the columns of a schema, which Parquet stores as the list of
// its nodes, depth first. Only required and optional fields directly under the
// root can become columns.
func leaves(schema []format.SchemaElement) ([]leaf, error) {
	if len(schema) == 0 || schema[0].Type.Valid {
		return nil, errors.New("the schema in the footer has no root")
	}
	w := schemaWalk{schema: schema, next: 1}
	for range schema[0].NumChildren.V {
		if err := w.node("", "", 0); err != nil {
			return nil, err
		}
	}
	if w.next != len(schema) {
		return nil, fmt.Errorf("the schema in the footer lists %d nodes, its tree has %d", len(schema), w.next)
	}
	return w.leaves, nil
}

type schemaWalk struct {
	schema []format.SchemaElement
	next   int
	leaves []leaf
}

// node takes the next node and those below it. top and group describe the
// top-level group that it lies in, "" at the top.
func (w *schemaWalk) node(top, group string, depth int) error {
	if w.next >= len(w.schema) || depth > 100 { // deeper ones would only fill the stack
		return errors.New("the schema in the footer is not a tree")
	}
	e := &w.schema[w.next]
	w.next++
	if depth == 0 {
		top = e.Name
	}
	if e.Type.Valid {
		if e.Type.V < format.Boolean || e.Type.V > format.FixedLenByteArray {
			return fmt.Errorf("column %q has the unknown physical type %d", top, e.Type.V)
		}
		l := leafOf(e)
		l.name = top
		switch {
		case group != "":
			l.unfit = group
		case e.RepetitionType.V == format.Repeated:
			l.unfit = "a list"
		}
		w.leaves = append(w.leaves, l)
		return nil
	}
	if depth == 0 {
		group = groupName(e)
	}
	for range e.NumChildren.V {
		if err := w.node(top, group, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func groupName(e *format.SchemaElement) string {
	logical := e.LogicalType.Value
	switch legacy := e.ConvertedType; {
	case isType[*format.ListType](logical) || legacy.Valid && legacy.V == deprecated.List:
		return "a list"
	case isType[*format.MapType](logical) || legacy.Valid && legacy.V == deprecated.Map:
		return "a map"
	}
	return "a group of columns"
}

func isType[T any](v any) bool { _, ok := v.(T); return ok }

// leafOf interprets one leaf node.
func leafOf(e *format.SchemaElement) leaf {
	l := leaf{
		physical: e.Type.V,
		size:     int(e.TypeLength.V),
		optional: e.RepetitionType.V == format.Optional,
	}
	note := annotation(e)
	if d, ok := note.(*format.DecimalType); ok && l.physical != format.Double && l.physical != format.Float {
		l.kind, l.as, l.scale = Float, asDecimal, int(d.Scale)
		if d.Scale < 0 || d.Scale > maxScale {
			l.unfit = fmt.Sprintf("a decimal of scale %d", d.Scale)
		}
		return l
	}
	_, l.void = note.(*format.NullType)
	switch l.physical {
	case format.Boolean:
		l.kind = Bool
	case format.Int32:
		l.kind, l.as = integer32(note)
	case format.Int64:
		l.kind, l.as = integer64(note)
	case format.Int96:
		l.kind, l.as = Time, asInt96
	case format.ByteArray:
		l.kind = Text
		switch note.(type) {
		case *format.BsonType, *format.GeometryType, *format.GeographyType, *format.VariantType:
			l.unfit = fmt.Sprint(note)
		}
	case format.FixedLenByteArray:
		l.fixed(note, e)
	}
	return l
}

func integer32(note any) (Kind, meaning) {
	switch n := note.(type) {
	case *format.DateType:
		return Date, asDays
	case *format.IntType:
		if !n.IsSigned && n.BitWidth == 32 {
			return Int, asUint32
		}
	}
	return Int, asStored // a time of day stays a count of its unit
}

func integer64(note any) (Kind, meaning) {
	switch n := note.(type) {
	case *format.TimestampType:
		switch n.Unit.Value.(type) {
		case *format.MilliSeconds:
			return Time, asMillis
		case *format.MicroSeconds:
			return Time, asMicros
		}
		return Time, asNanos
	case *format.IntType:
		if !n.IsSigned && n.BitWidth == 64 {
			return Int, asUint64
		}
	}
	return Int, asStored
}

func (l *leaf) fixed(note any, e *format.SchemaElement) {
	l.kind = Text
	switch {
	case l.size <= 0:
		l.unfit = fmt.Sprintf("a fixed-length array of %d bytes", l.size)
	case isType[*format.UUIDType](note) && l.size == 16:
		l.as = asUUID
	case isType[*format.Float16Type](note) && l.size == 2:
		l.kind, l.as = Float, asHalf
	case e.ConvertedType.Valid && e.ConvertedType.V == deprecated.Interval:
		l.unfit = "an interval"
	}
}

// annotation returns what a node's values mean: its logical type, or the one
// that its legacy converted type stands for, or nil.
func annotation(e *format.SchemaElement) any {
	if e.LogicalType.Value != nil {
		return e.LogicalType.Value
	}
	if !e.ConvertedType.Valid {
		return nil
	}
	switch e.ConvertedType.V {
	case deprecated.Decimal:
		return &format.DecimalType{Scale: e.Scale.V, Precision: e.Precision.V}
	case deprecated.Date:
		return &format.DateType{}
	case deprecated.TimestampMillis:
		return &format.TimestampType{Unit: format.TimeUnit{Value: &format.MilliSeconds{}}}
	case deprecated.TimestampMicros:
		return &format.TimestampType{Unit: format.TimeUnit{Value: &format.MicroSeconds{}}}
	case deprecated.Uint32:
		return &format.IntType{BitWidth: 32}
	case deprecated.Uint64:
		return &format.IntType{BitWidth: 64}
	case deprecated.Bson:
		return &format.BsonType{}
	}
	return nil
}
