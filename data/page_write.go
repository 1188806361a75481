// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bytes"
	"fmt"
	"hash/crc32"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
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

// appendPage appends the page in raw, compressed if so asked, behind its
// header, of which it sets the sizes and the checksum.
func (b *pageBuffers) appendPage(dst []byte, h *writtenHeader, codec format.CompressionCodec) ([]byte, error) {
	if len(b.raw) > maxPageSize {
		return dst, fmt.Errorf("one text has %s bytes; %s are the most", grouped(int64(len(b.raw))), grouped(maxPageSize))
	}
	packed := b.raw
	if codec != format.Uncompressed {
		var err error
		if b.packed, err = parquet.Snappy.Encode(b.packed, b.raw); err != nil {
			return dst, err
		}
		packed = b.packed
	}
	b.packedSize = len(packed)
	h.UncompressedSize, h.CompressedSize = int32(len(b.raw)), int32(len(packed))
	h.CRC = int32(crc32.ChecksumIEEE(packed))
	if b.thrift == nil {
		b.thrift = thrift.NewEncoder(new(thrift.CompactProtocol).NewWriter(&b.header))
	}
	b.header.Reset()
	if err := b.thrift.Encode(h); err != nil {
		return dst, err
	}
	return append(append(dst, b.header.Bytes()...), packed...), nil
}
