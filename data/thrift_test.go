// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bytes"
	"errors"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// structLength finds the end of a real footer and of nothing shorter.
func TestStructLength(t *testing.T) {
	meta := format.FileMetaData{
		Schema: []format.SchemaElement{
			{Name: "root", NumChildren: thrift.New[int32](1)}, {Name: "x", Type: thrift.New(format.Double)}},
		NumRows: 3, RowGroups: []format.RowGroup{{NumRows: 3, Columns: []format.ColumnChunk{{FileOffset: 4}}}},
		KeyValueMetadata: []format.KeyValue{{Key: "k", Value: "v"}}, CreatedBy: "test",
	}
	b, err := thrift.Marshal(new(thrift.CompactProtocol), &meta)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := structLength(append(b, 1, 2, 3)); err != nil || n != len(b) {
		t.Errorf("%d, %v; want %d", n, err, len(b))
	}
	for n := range b {
		if _, err := structLength(b[:n]); !errors.Is(err, errThriftShort) {
			t.Errorf("cut to %d of %d bytes: %v", n, len(b), err)
		}
	}
}

func TestStructLengthRefuses(t *testing.T) {
	const field = 0x10 // one after the field before
	tests := []struct {
		name string
		b    []byte
		want error
	}{
		{"deep structures", bytes.Repeat([]byte{field | thriftStruct}, 1_000_000), errThriftBad},
		{"deep lists", bytes.Repeat([]byte{field | thriftList}, 1_000_000), errThriftBad},
		{"a list of 2^31 elements",
			[]byte{field | thriftList, 0xf0 | thriftInt32, 0xff, 0xff, 0xff, 0xff, 7, 0, 0}, errThriftShort},
		{"1000 empty structures",
			append([]byte{field | thriftList, 0xf0 | thriftStruct, 0xe8, 7}, make([]byte, 1001)...), errThriftBad},
		{"a text of 2^63 bytes",
			[]byte{field | thriftBinary, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0}, errThriftShort},
		{"an endless number", append([]byte{field | thriftInt64}, bytes.Repeat([]byte{0xff}, 11)...), errThriftBad},
		{"a type that is none", []byte{field | 15, 0}, errThriftBad},
	}
	for _, test := range tests {
		if n, err := structLength(test.b); !errors.Is(err, test.want) {
			t.Errorf("%s: %d, %v; want %v", test.name, n, err, test.want)
		}
	}
}
