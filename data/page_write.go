// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bytes"
	"fmt"
	"hash/crc32"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
)

// pageBuffers are what pages are encoded in, one after the other.
type pageBuffers struct {
	raw        []byte // the page being encoded
	codes      []int32
	packed     []byte // raw, compressed
	packedSize int    // of the last page appended
	dictionary []byte
	header     bytes.Buffer
	thrift     *thrift.Encoder
}

// appendPage appends the page in raw, compressed and behind its header, of
// which it sets the sizes and the checksum.
func (b *pageBuffers) appendPage(dst []byte, h *writtenHeader) ([]byte, error) {
	if len(b.raw) > maxPageSize {
		return dst, fmt.Errorf("one text has %s bytes; %s are the most", grouped(int64(len(b.raw))), grouped(maxPageSize))
	}
	var err error
	if b.packed, err = parquet.Snappy.Encode(b.packed, b.raw); err != nil {
		return dst, err
	}
	b.packedSize = len(b.packed)
	h.UncompressedSize, h.CompressedSize = int32(len(b.raw)), int32(len(b.packed))
	h.CRC = int32(crc32.ChecksumIEEE(b.packed))
	if b.thrift == nil {
		b.thrift = thrift.NewEncoder(new(thrift.CompactProtocol).NewWriter(&b.header))
	}
	b.header.Reset()
	if err := b.thrift.Encode(h); err != nil {
		return dst, err
	}
	return append(append(dst, b.header.Bytes()...), b.packed...), nil
}
