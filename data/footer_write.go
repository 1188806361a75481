// SPDX-License-Identifier: Apache-2.0

package data

import (
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// The structures below are the parts of Parquet's metadata that are written,
// for parquet-go's thrift encoder. They are smaller than its own, of which a
// writer holds one per column and row group until the file ends.

type writtenFooter struct {
	Version      int32                  `thrift:"1,required"`
	Schema       []format.SchemaElement `thrift:"2,required"`
	NumRows      int64                  `thrift:"3,required"`
	RowGroups    []writtenGroup         `thrift:"4,required"`
	CreatedBy    string                 `thrift:"6,optional"`
	ColumnOrders []format.ColumnOrder   `thrift:"7,optional"`
}

type writtenGroup struct {
	Columns             []writtenChunk `thrift:"1,required"`
	TotalByteSize       int64          `thrift:"2,required"`
	NumRows             int64          `thrift:"3,required"`
	FileOffset          int64          `thrift:"5,optional"`
	TotalCompressedSize int64          `thrift:"6,optional"`
}

type writtenChunk struct {
	FileOffset int64       `thrift:"2,required"` // of metadata beside the pages: none, so 0
	Meta       writtenMeta `thrift:"3,optional"`
}

type writtenMeta struct {
	Type                  format.Type             `thrift:"1,required"`
	Encodings             []format.Encoding       `thrift:"2,required"`
	Path                  []string                `thrift:"3,required"`
	Codec                 format.CompressionCodec `thrift:"4,required"`
	NumValues             int64                   `thrift:"5,required"`
	TotalUncompressedSize int64                   `thrift:"6,required"`
	TotalCompressedSize   int64                   `thrift:"7,required"`
	DataPageOffset        int64                   `thrift:"9,required"`
	DictionaryPageOffset  int64                   `thrift:"11,optional"`
	Statistics            writtenStatistics       `thrift:"12,optional"`
}

// writtenStatistics are the bounds in plain encoding, without which a reader
// does not know them.
type writtenStatistics struct {
	NullCount int64  `thrift:"3,required"`
	Max       []byte `thrift:"5,optional"`
	Min       []byte `thrift:"6,optional"`
}

type writtenHeader struct {
	Type             format.PageType    `thrift:"1,required"`
	UncompressedSize int32              `thrift:"2,required"`
	CompressedSize   int32              `thrift:"3,required"`
	CRC              int32              `thrift:"4,optional"`
	Data             *writtenDataHeader `thrift:"5,optional"`
	Dictionary       *dictHeader        `thrift:"7,optional"`
}

type writtenDataHeader struct {
	NumValues        int32           `thrift:"1,required"`
	Encoding         format.Encoding `thrift:"2,required"`
	DefinitionLevels format.Encoding `thrift:"3,required"`
	RepetitionLevels format.Encoding `thrift:"4,required"` // there are none
}

// byType says that bounds are ordered as the column's type is: without it
// readers ignore them.
var byType = format.ColumnOrder{Value: &format.TypeDefinedOrder{}}

// rootSchema returns the schema's root, of so many columns.
func rootSchema(columns int) []format.SchemaElement {
	return []format.SchemaElement{{Name: "holdfast", NumChildren: thrift.New(int32(columns))}}
}

// schema returns the column's element of the schema.
func (c *columnWriter) schema() format.SchemaElement {
	e := format.SchemaElement{
		Name:           c.name,
		Type:           thrift.New(c.physical()),
		RepetitionType: thrift.New(format.Optional),
	}
	switch c.kind {
	case Date:
		e.ConvertedType = thrift.New(deprecated.Date)
		e.LogicalType.Value = &format.DateType{}
	case Text:
		e.ConvertedType = thrift.New(deprecated.UTF8)
		e.LogicalType.Value = &format.StringType{}
	case Time:
		stamp := &format.TimestampType{IsAdjustedToUTC: true}
		stamp.Unit.Value = &format.NanoSeconds{}
		if c.unit > 1 {
			e.ConvertedType = thrift.New(deprecated.TimestampMicros)
			stamp.Unit.Value = &format.MicroSeconds{}
		}
		e.LogicalType.Value = stamp
	}
	return e
}

// physical returns the type in which the column's values are stored.
func (c *columnWriter) physical() format.Type {
	switch c.kind {
	case Float:
		return format.Double
	case Bool:
		return format.Boolean
	case Date:
		return format.Int32
	case Text:
		return format.ByteArray
	}
	return format.Int64
}
