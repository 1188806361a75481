// SPDX-License-Identifier: Apache-2.0

package ipc

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-churn/holdfast/data"
)

// Whatever pieces go into a stream come back, batch by batch, with what the
// schema says.
func TestStreamRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first, second := anyTable(t), anyTable(t)
		var b bytes.Buffer
		w := NewStreamWriter(&b, "task", "what to do")
		if err := errors.Join(w.Append(first), w.Append(second), w.Close()); err != nil {
			t.Fatal(err)
		}
		r, err := NewStreamReader(&b, "stream")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if got := r.Metadata("task"); got != "what to do" || r.Metadata("else") != "" {
			t.Errorf("the schema says %q", got)
		}
		for _, want := range []*data.Table{first, second} {
			if want.Rows == 0 {
				continue // no batch
			}
			got, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if data.Fingerprint(got) != data.Fingerprint(want) {
				t.Fatalf("got %+v, want %+v", got, want)
			}
		}
		if got, err := r.Next(); got != nil || err != nil {
			t.Errorf("after the end: %v, %v", got, err)
		}
	})
}

// A stream that was cut off anywhere is refused, never taken for a shorter one.
func TestStreamCutOff(t *testing.T) {
	table := &data.Table{Rows: 3, Columns: []data.Column{
		data.TextColumn("id", []string{"a", "b", "b"}), {Name: "n", Kind: data.Float, Floats: []float64{1, 2, 3}}}}
	var b bytes.Buffer
	w := NewWriter(&b)
	if err := errors.Join(w.Append(table), w.Append(table), w.Close()); err != nil {
		t.Fatal(err)
	}
	for n := range b.Len() {
		if err := readAll(b.Bytes()[:n]); !errors.Is(err, data.ErrBadData) {
			t.Errorf("%d of %d bytes: error %v", n, b.Len(), err)
		}
	}
	if err := readAll(b.Bytes()); err != nil {
		t.Error(err)
	}
	if err := readAll([]byte("a,b\n1,2\n3,4\n")); err == nil || !strings.Contains(err.Error(), "not an Arrow stream") {
		t.Errorf("CSV: %v", err)
	}
}

func readAll(stream []byte) error {
	r, err := NewStreamReader(bytes.NewReader(stream), "stream")
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		if t, err := r.Next(); t == nil {
			return err
		}
	}
}
