// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"fmt"
	"strings"
)

// Finished keeps what the origins of a backtest came to under a name, so that
// one that is stopped need not begin anew. Names hold the letters a-f and digits.
type Finished interface {
	// Load returns what was saved under the name; nil where there is nothing.
	Load(name string) ([]byte, error)
	Save(name string, b []byte) error
}

// key names what an origin came to: a digest of all that its predictions depend
// on, as far as the caller says what the data and the candidates are.
func (r *run) key(i int) string {
	h := sha256.New()
	o := &r.origins[i]
	fmt.Fprintf(h, "origin 2\n%s\n%s\n%s\n%s\n%d\n", r.o.Version, r.o.Build, r.o.Data, r.f.SpecDigest, r.o.Seed)
	for k := i; k < min(i+2, len(r.origins)); k++ { // a fit also predicts the rows of the next origin
		fmt.Fprintf(h, "%s %d %d\n", r.origins[k].Name, r.origins[k].At.UnixNano(), r.origins[k].End.UnixNano())
		writeRows(h, r.origins[k].Test)
	}
	writeRows(h, o.Train)
	for c := range r.candidates {
		fmt.Fprintf(h, "%q %q %d\n", r.candidates[c].Name, r.candidates[c].Key, r.candidates[c].From.UnixNano())
		if f := r.candidates[c].Frame; f != nil {
			fmt.Fprintln(h, f.SpecDigest)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func writeRows(h interface{ Write([]byte) (int, error) }, rows []int) {
	var text strings.Builder
	for _, i := range rows {
		fmt.Fprintf(&text, "%d ", i)
	}
	_, _ = h.Write([]byte(text.String())) // a hash takes everything
}

// kept is a finished origin, by candidate. One that failed, or was not asked, has
// no predictions: it is tried again, because the reason may be mended.
type kept struct {
	P, Older [][]float64
}

func keep(predictions []prediction, older [][]float64) []byte {
	k := kept{Older: older}
	for _, p := range predictions {
		k.P = append(k.P, p.p)
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(&k); err != nil {
		panic("evaluate: numbers cannot fail to be encoded")
	}
	return b.Bytes()
}

// restore takes over what was kept of an origin. What cannot be read, or does
// not fit, counts as not there.
func (r *run) restore(i int, b []byte, predictions []prediction, older [][]float64) {
	var k kept
	if b == nil || gob.NewDecoder(bytes.NewReader(b)).Decode(&k) != nil || len(k.P) != len(predictions) || len(k.Older) != len(predictions) {
		return
	}
	for c := range predictions {
		if len(k.P[c]) == len(r.origins[i].Test) {
			predictions[c].p, older[c] = k.P[c], k.Older[c]
		}
	}
}
