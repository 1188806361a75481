// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"

	"github.com/holdfast-churn/holdfast/data"
)

// Signers are the public keys of those whose models are trusted. Nil trusts
// every model; LoadSigners returns at least one.
type Signers []ed25519.PublicKey

// SignaturePath returns the file that holds the signature of a model file: the
// 64 bytes of Ed25519 (RFC 8032) over all bytes of the model file.
func SignaturePath(model string) string { return model + ".sig" }

// maxKeyBytes bounds what is read of a file of keys; a key takes 120 bytes.
const maxKeyBytes = 1 << 16

// LoadSigners reads the public keys of a PEM file, one or more PUBLIC KEY blocks.
func LoadSigners(fsys data.FS, name string) (Signers, error) {
	text, err := readFile(fsys, name, maxKeyBytes)
	if err != nil {
		return nil, fmt.Errorf("reading public keys %s: %w", name, err)
	}
	var s Signers
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		public, ok := key.(ed25519.PublicKey)
		if block.Type != "PUBLIC KEY" || err != nil || !ok {
			return nil, fmt.Errorf("reading public keys %s: block %d is %q; expected an Ed25519 PUBLIC KEY", name, len(s)+1, block.Type)
		}
		s = append(s, public)
	}
	if s == nil {
		return nil, fmt.Errorf("reading public keys %s: no PEM block; expected an Ed25519 PUBLIC KEY", name)
	}
	return s, nil
}

// LoadSigningKey reads the private key of a PEM file, a PRIVATE KEY block
// (PKCS #8) without a password.
func LoadSigningKey(fsys data.FS, name string) (ed25519.PrivateKey, error) {
	text, err := readFile(fsys, name, maxKeyBytes)
	if err != nil {
		return nil, fmt.Errorf("reading the key %s: %w", name, err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("reading the key %s: no PEM block; expected an Ed25519 PRIVATE KEY", name)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	private, ok := key.(ed25519.PrivateKey)
	if block.Type != "PRIVATE KEY" || err != nil || !ok {
		return nil, fmt.Errorf("reading the key %s: found %q; expected an Ed25519 PRIVATE KEY without a password", name, block.Type)
	}
	return private, nil
}

// Sign signs the model file of that name, which must hold a model, and have the
// given id where that is not empty. The signature is in SignaturePath: the old
// one or the whole new one. It returns the id of what was signed.
func Sign(fsys data.FS, name, id string, key ed25519.PrivateKey) (string, error) {
	b, err := readFile(fsys, name, maxFileBytes)
	if err == nil {
		_, err = Parse(b)
	}
	if err == nil && id != "" && ID(b) != id {
		err = fmt.Errorf("%w: it has the digest %s: the file was changed", ErrIntegrity, ID(b))
	}
	var signature []byte
	if err == nil {
		signature, err = key.Sign(nil, b, crypto.Hash(0))
	}
	if err != nil {
		return "", fmt.Errorf("signing model %s: %w", name, err)
	}
	return ID(b), data.WriteBytes(fsys, SignaturePath(name), signature)
}

// verify returns an error unless one of the signers has signed the bytes of a
// model file.
func (s Signers) verify(fsys data.FS, name string, b []byte) error {
	path := SignaturePath(name)
	signature, err := readFile(fsys, path, ed25519.SignatureSize)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: nobody has signed it: no file %s, and only signed models are used; sign it with holdfast models sign", ErrIntegrity, path)
	case err != nil:
		return fmt.Errorf("reading its signature %s: %w", path, err)
	}
	for _, key := range s {
		if ed25519.Verify(key, b, signature) {
			return nil
		}
	}
	return fmt.Errorf("%w: the signature in %s is by none of the %d trusted keys, or the model was changed since", ErrIntegrity, path, len(s))
}
