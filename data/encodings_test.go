// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"
	"pgregory.net/rapid"
)

// checkRuns finds the end of what parquet-go's encoder wrote, whatever the
// values, and refuses the same bytes for more values than they hold.
func TestCheckRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 31).Draw(t, "width")
		high := int32(1)<<width - 1
		one := rapid.OneOf(rapid.Just(high), rapid.Just(int32(0)), rapid.Int32Range(0, high))
		v := rapid.SliceOfN(one, 1, 100).Draw(t, "values")
		src, err := (&rle.Encoding{BitWidth: width}).EncodeInt32(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		end, err := checkRuns(append(src, 0xff, 0xff), width, len(v))
		if err != nil || end != len(src) {
			t.Fatalf("%d, %v; want %d", end, err, len(src))
		}
		codes, err := decodeCodes(nil, page{nonNull: len(v), data: append([]byte{byte(width)}, src...)}, int(high)+1)
		if err != nil || !slices.Equal(codes, v) {
			t.Fatalf("%v, %v; want %v", codes, err, v)
		}
		if _, err := checkRuns(src, width, len(v)+8); err == nil {
			t.Fatalf("%d values accepted from the bytes of %d", len(v)+8, len(v))
		}
	})
}

// Few bytes that claim many values are refused before anything is allocated.
func TestHostileCounts(t *testing.T) {
	huge := binary.AppendUvarint(nil, math.MaxInt32<<1)
	runs := func(width, n int, src ...byte) func() error {
		return func() error { _, err := checkRuns(src, width, n); return err }
	}
	codes := func(size int, src ...byte) func() error { // the first byte is their width
		return func() error { _, err := decodeCodes(nil, page{nonNull: 1, data: src}, size); return err }
	}
	deltas := func(n int, src ...byte) func() error {
		return func() error { _, err := checkDelta(src, n); return err }
	}
	five, _ := new(delta.BinaryPackedEncoding).EncodeInt64(nil, []int64{1, 2, 3, 4, 5})
	tests := []struct {
		name string
		run  func() error
	}{
		{"repeated run", runs(1, 10, append(huge, 1)...)},
		{"repeated run without its value", runs(1, 10, 10<<1)},
		{"bit-packed run", runs(1, 10, append(binary.AppendUvarint(nil, 1<<62|1), 1)...)},
		{"bit-packed run cut off", runs(8, 16, 2<<1|1, 1, 2, 3)},
		{"run of width 0", runs(0, 10, huge...)},
		{"bit-packed run of width 0", runs(0, 10, binary.AppendUvarint(nil, 1<<40|1)...)},
		{"overlong length", runs(1, 10, bytes.Repeat([]byte{0xff}, 20)...)},
		{"codes of 33 bits", codes(9, 33, 2, 0, 0, 0, 0, 0)},
		{"code beyond the dictionary", codes(9, 8, 2, 9)},
		{"codes of nothing", codes(9)},
		{"delta count", deltas(10, append([]byte{128, 1, 4}, append(huge, 0)...)...)},
		{"delta count of more", deltas(3, five...)},
		{"delta block of 0", deltas(10, 0, 4, 10, 0, 0)},
		{"delta without miniblocks", deltas(10, 128, 1, 0, 10, 0)},
		{"delta of 65 bits", deltas(2, 128, 1, 4, 2, 0, 0, 65, 0, 0, 0, 1, 1, 1, 1)},
		{"delta cut off", deltas(2, 128, 1, 4, 2, 0, 0, 8, 0, 0, 0, 1)},
		{"plain integers", func() error {
			_, err := decodeInt64s(nil, page{nonNull: 2, data: make([]byte, 15)})
			return err
		}},
		{"length of a text", func() error { return decodeDelimited(make([][]byte, 1), []byte{255, 255, 255, 255, 'x'}) }},
		{"negative length", func() error { return cut(make([][]byte, 1), []int64{-1}, []byte("x")) }},
		{"prefix of nothing", func() error {
			e := new(delta.BinaryPackedEncoding)
			prefixes, _ := e.EncodeInt32(nil, []int32{5})
			suffixes, _ := e.EncodeInt32(nil, []int32{1})
			return decodePrefixed(make([][]byte, 1), slices.Concat(prefixes, suffixes, []byte("x")), 0)
		}},
		{"fixed values of another size", func() error {
			e := new(delta.BinaryPackedEncoding)
			prefixes, _ := e.EncodeInt32(nil, []int32{0})
			suffixes, _ := e.EncodeInt32(nil, []int32{3})
			return decodePrefixed(make([][]byte, 1), slices.Concat(prefixes, suffixes, []byte("xyz")), 2)
		}},
		{"prefixes of 1 GB", func() error {
			e := new(delta.BinaryPackedEncoding)
			prefixes, _ := e.EncodeInt32(nil, append([]int32{0}, slices.Repeat([]int32{1 << 20}, 1000)...))
			suffixes, _ := e.EncodeInt32(nil, append([]int32{1 << 20}, make([]int32, 1000)...))
			return decodePrefixed(make([][]byte, 1001), slices.Concat(prefixes, suffixes, make([]byte, 1<<20)), 0)
		}},
	}
	for _, test := range tests {
		if err := test.run(); err == nil {
			t.Errorf("%s: accepted", test.name)
		}
	}
}

// checkDelta and decodeDelta take up exactly what parquet-go wrote.
func TestDecodeDelta(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(rapid.Int64(), 0, 300).Draw(t, "values")
		src, err := new(delta.BinaryPackedEncoding).EncodeInt64(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		got, rest, err := decodeDelta(nil, append(src, 'x'), len(v))
		if err != nil || !slices.Equal(got, v) || string(rest) != "x" {
			t.Fatalf("%v, rest %q, %v; want %v", got, rest, err, v)
		}
	})
}

// What a codec wrote comes back; and a page header that lies about the size is
// refused, also where the stream would inflate to gigabytes.
func TestDecompress(t *testing.T) {
	plain := bytes.Repeat([]byte("churn or renew? "), 50_000) // several zstd blocks
	for _, codec := range []format.CompressionCodec{
		format.Uncompressed, format.Snappy, format.Gzip, format.Brotli, format.Zstd} {
		for _, n := range []int{0, 1, 1000, len(plain)} {
			packed, err := parquet.LookupCompressionCodec(codec).Encode(nil, plain[:n])
			if err != nil {
				t.Fatal(err)
			}
			got, err := decompress(nil, codec, packed, n)
			if err != nil || !bytes.Equal(got, plain[:n]) {
				t.Errorf("%v of %d bytes: %v", codec, n, err)
			}
			for _, size := range []int{max(n-1, 0), n + 1, maxPageSize} {
				if _, err := decompress(nil, codec, packed, size); size != n && err == nil {
					t.Errorf("%v of %d bytes: accepted as %d", codec, n, size)
				}
			}
		}
	}
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	z.Write(make([]byte, 1<<24))
	z.Close()
	if _, err := decompress(nil, format.Gzip, bomb.Bytes(), 1000); err == nil {
		t.Error("a gzip bomb was accepted")
	}
	// A frame of 100,000 blocks that repeat one byte 131,072 times: 13 GB in 400 kB.
	frame := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0x58}
	block := uint32(maxZstdBlock<<3 | 1<<1)
	for range 100_000 {
		frame = append(frame, byte(block), byte(block>>8), byte(block>>16), 'x')
	}
	frame = append(frame, 1, 0, 0)
	if _, err := decompress(nil, format.Zstd, frame, 1000); err == nil {
		t.Error("a zstd bomb was accepted")
	}
}

// A page header and a stream that agree on half a gigabyte in a few bytes do
// not get it.
func TestDecompressAllocates(t *testing.T) {
	const claim, most = 1 << 29, 1 << 20
	snappy := append(binary.AppendUvarint(nil, claim), 0, 'x')
	zstd := binary.LittleEndian.AppendUint64([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0}, claim)
	zstd = append(zstd, 1<<3|1, 0, 0, 'x') // one block of one byte
	gzip, err := parquet.Gzip.Encode(nil, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	br, err := parquet.Brotli.Encode(nil, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	claims := map[format.CompressionCodec][]byte{
		format.Snappy: snappy, format.Zstd: zstd, format.Gzip: gzip, format.Brotli: br}
	for codec, src := range claims {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := decompress(nil, codec, src, claim)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; err == nil || n > most {
			t.Errorf("%v: %v, allocated %d bytes", codec, err, n)
		}
	}
}

// A Brotli stream of a few bytes may well hold megabytes, so that its claim is
// believed as they come out: the room grows with them, and a bomb is not set off.
func TestDecompressBrotliBombs(t *testing.T) {
	packed := func(n int) []byte {
		var b bytes.Buffer
		z := brotli.NewWriterOptions(&b, brotli.WriterOptions{Quality: 5, LGWin: 24})
		z.Write(make([]byte, n))
		z.Close()
		return b.Bytes()
	}
	// The window of a decoder, 16 MiB at most, is one of a kind and comes on top.
	const window = 16 << 20
	small := packed(100_000)
	tests := []struct {
		name  string
		src   []byte
		size  int
		allow int // bytes allocated
		ok    bool
	}{
		{"8 MiB", packed(8 << 20), 8 << 20, 2*8<<20 + window, true},
		{"claims less than it holds", packed(8 << 20), 1000, firstRoom + window, false},
		{"claims 64 MiB, holds 100 kB", small, pageSlack, 4*100_000 + window, false},
		{"claims and holds 96 MiB", packed(96 << 20), 96 << 20, 1000, false},
		// 13 streams of 8 MiB would be 104 MiB in 200 bytes; only the first is looked at.
		{"several streams", bytes.Repeat(packed(8<<20), 13), 13 * 8 << 20, 2*8<<20 + window, false},
	}
	for _, test := range tests {
		if len(test.src) > 200 {
			t.Errorf("%s: %d bytes make no bomb", test.name, len(test.src))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, err := decompress(nil, format.Brotli, test.src, test.size)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; (err == nil) != test.ok || n > uint64(test.allow)+1<<20 {
			t.Errorf("%s: %v, allocated %d bytes, %d are allowed", test.name, err, n, test.allow)
		}
		if test.ok && (len(got) != test.size || bytes.ContainsFunc(got, func(r rune) bool { return r != 0 })) {
			t.Errorf("%s: %d bytes, want %d zeros", test.name, len(got), test.size)
		}
	}
	// A damaged stream leaves nothing behind for the next.
	decompress(nil, format.Brotli, append(packed(10), "and more"...), 10)
	if got, err := decompress(nil, format.Brotli, packed(10), 10); err != nil || len(got) != 10 {
		t.Errorf("after a damaged stream: %v, %v", got, err)
	}
}

func TestHalfFloat(t *testing.T) {
	// Values of IEEE 754-2019, table 3.5 and its definitions.
	for bits, want := range map[uint16]float64{0: 0, 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0400: 0x1p-14,
		0x0001: 0x1p-24, 0x03ff: 1023 * 0x1p-24, 0x3555: 0.333251953125, 0x7c00: math.Inf(1), 0xfc00: math.Inf(-1)} {
		if got := HalfFloat(bits); got != want {
			t.Errorf("%#04x: %v, want %v", bits, got, want)
		}
	}
	if got := HalfFloat(0x7e00); got == got {
		t.Errorf("0x7e00: %v, want NaN", got)
	}
	if got := HalfFloat(0x8000); got != 0 || !math.Signbit(got) {
		t.Errorf("0x8000: %v, want -0", got)
	}
}
