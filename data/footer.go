// SPDX-License-Identifier: Apache-2.0

package data

import "github.com/parquet-go/parquet-go/format"

// The structures below are the parts of Parquet's metadata that reading needs,
// for parquet-go's thrift decoder to fill. Its own structures hold all of it
// and insist on fields that nobody reads here, some of which the format calls
// optional; the rest is skipped. The numbers are those of parquet.thrift.

type fileFooter struct {
	Schema     []format.SchemaElement     `thrift:"2,required"`
	NumRows    int64                      `thrift:"3,required"`
	RowGroups  []rowGroup                 `thrift:"4,required"`
	Encryption format.EncryptionAlgorithm `thrift:"8,optional"`
}

type rowGroup struct {
	Columns []columnChunk `thrift:"1,required"`
	NumRows int64         `thrift:"3,required"`
}

type columnChunk struct {
	FilePath  string                      `thrift:"1,optional"`
	Meta      columnMeta                  `thrift:"3,optional"`
	Crypto    format.ColumnCryptoMetaData `thrift:"8,optional"`
	Encrypted []byte                      `thrift:"9,optional"`
}

type columnMeta struct {
	Type                 format.Type             `thrift:"1,required"`
	Codec                format.CompressionCodec `thrift:"4,required"`
	NumValues            int64                   `thrift:"5,required"`
	TotalCompressedSize  int64                   `thrift:"7,required"`
	DataPageOffset       int64                   `thrift:"9,required"`
	DictionaryPageOffset int64                   `thrift:"11,optional"`
}

type pageHeader struct {
	Type                 format.PageType `thrift:"1,required"`
	UncompressedPageSize int32           `thrift:"2,required"`
	CompressedPageSize   int32           `thrift:"3,required"`
	CRC                  int32           `thrift:"4,optional"` // 0 where there is none
	Data                 *dataHeader     `thrift:"5,optional"`
	Dictionary           *dictHeader     `thrift:"7,optional"`
	DataV2               *dataHeaderV2   `thrift:"8,optional"`
}

type dataHeader struct {
	NumValues int32           `thrift:"1,required"`
	Encoding  format.Encoding `thrift:"2,required"`
	Levels    format.Encoding `thrift:"3,required"` // of the definition levels
}

type dictHeader struct {
	NumValues int32           `thrift:"1,required"`
	Encoding  format.Encoding `thrift:"2,required"`
}

type dataHeaderV2 struct {
	NumValues                  int32           `thrift:"1,required"`
	NumNulls                   int32           `thrift:"2,required"`
	Encoding                   format.Encoding `thrift:"4,required"`
	DefinitionLevelsByteLength int32           `thrift:"5,required"`
	RepetitionLevelsByteLength int32           `thrift:"6,required"`
	IsCompressed               *bool           `thrift:"7,optional"` // nil means true
}
