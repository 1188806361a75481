// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/holdfast-churn/holdfast/data"
)

// ErrIntegrity is wrapped by every error about a model that is damaged, of an
// unknown format, or not fit for the data it is used on.
var ErrIntegrity = errors.New("model integrity")

// maxFileBytes bounds what is read of a model file. A model with 10,000 basis
// columns takes about 2 MB.
const maxFileBytes = 64 << 20

// Marshal returns the bytes of a model's file: indented JSON with a final
// newline. Equal models give equal bytes.
func Marshal(m *Model) ([]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(m); err != nil {
		return nil, fmt.Errorf("writing a model: %w", err)
	}
	return b.Bytes(), nil
}

// ID returns the id of a model file: the first 12 hex digits of its SHA-256.
func ID(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:6])
}

// Parse reads and checks the bytes of a model file. It rejects other formats,
// fields it does not know, and anything Validate refuses.
func Parse(file []byte) (*Model, error) {
	var head struct {
		Format string `json:"format"`
	}
	if err := json.Unmarshal(file, &head); err != nil {
		return nil, fmt.Errorf("%w: not a model file: %v", ErrIntegrity, err)
	}
	if head.Format != Format {
		return nil, fmt.Errorf("%w: format %q; this program reads %q only", ErrIntegrity, head.Format, Format)
	}
	d := json.NewDecoder(bytes.NewReader(file))
	d.DisallowUnknownFields()
	m := new(Model)
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrIntegrity, err)
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return m, nil
}

// Load reads the model file of that name and returns the model and its id.
func Load(fsys data.FS, name string) (*Model, string, error) { return Signers(nil).Load(fsys, name) }

// Load is the function Load for a file that one of the signers has signed. Nil
// signers ask for no signature.
func (s Signers) Load(fsys data.FS, name string) (*Model, string, error) {
	b, err := readFile(fsys, name, maxFileBytes)
	if err == nil && s != nil {
		err = s.verify(fsys, name, b)
	}
	if err != nil {
		return nil, "", fmt.Errorf("reading model %s: %w", name, err)
	}
	m, err := Parse(b)
	if err != nil {
		return nil, "", fmt.Errorf("reading model %s: %w", name, err)
	}
	return m, ID(b), nil
}

// readFile returns the bytes of a file of at most so many.
func readFile(fsys data.FS, name string, most int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > most {
		return nil, fmt.Errorf("%w: %d bytes; expected at most %d", ErrIntegrity, info.Size(), most)
	}
	b := make([]byte, info.Size())
	_, err = io.ReadFull(io.NewSectionReader(f, 0, info.Size()), b)
	return b, err
}

// Save writes a model to a file of any name: the old file or the whole new one.
func Save(fsys data.FS, name string, m *Model) (id string, err error) {
	b, err := Marshal(m)
	if err != nil {
		return "", err
	}
	return ID(b), data.WriteBytes(fsys, name, b)
}
