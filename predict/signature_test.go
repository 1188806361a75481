// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/faultfs"
)

// pemOf returns a key as the PEM text of its PKIX or PKCS #8 form.
func pemOf(t *testing.T, key any) []byte {
	t.Helper()
	b, err := x509.MarshalPKIXPublicKey(key)
	kind := "PUBLIC KEY"
	if err != nil {
		kind = "PRIVATE KEY"
		b, err = x509.MarshalPKCS8PrivateKey(key)
	}
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b})
}

// signingKey returns the key whose seed is all the given byte.
func signingKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(seed)), ed25519.SeedSize)))
}

// signedModel returns a disk with the model m.json, signed by the key of 1, its
// private key, and the public keys of 1 and 2, by themselves and together.
func signedModel(t *testing.T) (disk data.FS, id string) {
	t.Helper()
	disk = faultfs.NewCrash()
	id, err := Save(disk, "m.json", fileModel())
	if err != nil {
		t.Fatal(err)
	}
	one, two := pemOf(t, signingKey(1).Public()), pemOf(t, signingKey(2).Public())
	for name, text := range map[string][]byte{"1.key": pemOf(t, signingKey(1)), "1.pub": one, "2.pub": two, "both.pub": append(two, one...)} {
		if err := data.WriteBytes(disk, name, text); err != nil {
			t.Fatal(err)
		}
	}
	key, err := LoadSigningKey(disk, "1.key")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Sign(disk, "m.json", id, key); err != nil || got != id {
		t.Fatalf("signed %s, %v; want %s", got, err, id)
	}
	return disk, id
}

func signers(t *testing.T, disk data.FS, name string) Signers {
	t.Helper()
	s, err := LoadSigners(disk, name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSignersLoad(t *testing.T) {
	disk, id := signedModel(t)
	for name, want := range map[string]string{"1.pub": "", "both.pub": "", "2.pub": "is by none of the 1 trusted keys"} {
		_, got, err := signers(t, disk, name).Load(disk, "m.json")
		if want == "" && (err != nil || got != id) || want != "" && (!errors.Is(err, ErrIntegrity) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %s, %v; want %q", name, got, err, want)
		}
	}
	trusted := signers(t, disk, "1.pub")
	good, err := readFile(disk, "m.json.sig", 64)
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(what, want string) {
		t.Helper()
		if _, _, err := trusted.Load(disk, "m.json"); !errors.Is(err, ErrIntegrity) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", what, err, want)
		}
		if _, _, err := Load(disk, "m.json"); err != nil {
			t.Errorf("%s: refused where no signature is asked for: %v", what, err)
		}
	}
	for what, signature := range map[string][]byte{"empty": {}, "cut": good[:63], "zeros": make([]byte, 64), "flipped": flipped(good)} {
		if err := data.WriteBytes(disk, "m.json.sig", signature); err != nil {
			t.Fatal(err)
		}
		refuse(what, "is by none of the 1 trusted keys, or the model was changed since")
	}
	if err := data.WriteBytes(disk, "m.json.sig", append(good, '\n')); err != nil {
		t.Fatal(err)
	}
	refuse("65 bytes", "65 bytes; expected at most 64")
	if err := disk.Remove("m.json.sig"); err != nil {
		t.Fatal(err)
	}
	refuse("none", "nobody has signed it: no file m.json.sig")
	// The signature of one model is none of another.
	other := fileModel()
	other.Intercept++
	if _, err := Save(disk, "m.json", other); err != nil {
		t.Fatal(err)
	}
	if err := data.WriteBytes(disk, "m.json.sig", good); err != nil {
		t.Fatal(err)
	}
	refuse("another model", "or the model was changed since")
}

func flipped(b []byte) []byte {
	out := append([]byte{}, b...)
	out[7] ^= 1
	return out
}

// Whatever is no Ed25519 key is named, and nothing is signed that is no model.
func TestSignRefuses(t *testing.T) {
	disk, id := signedModel(t)
	foreign, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	locked := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")})
	for name, text := range map[string][]byte{"empty": {}, "text": []byte("no key"), "p256.key": pemOf(t, foreign), "p256.pub": pemOf(t, foreign.Public()),
		"locked.key": locked, "long": make([]byte, maxKeyBytes+1), "torn": []byte("{}")} {
		if err := data.WriteBytes(disk, name, text); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"none": "reading public keys none", "empty": "no PEM block", "text": "no PEM block",
		"1.key": `block 1 is "PRIVATE KEY"`, "p256.pub": "expected an Ed25519 PUBLIC KEY", "long": "expected at most"} {
		if _, err := LoadSigners(disk, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("signers of %s: %v; want %q", name, err, want)
		}
	}
	for name, want := range map[string]string{"none": "reading the key none", "empty": "no PEM block", "1.pub": `found "PUBLIC KEY"`,
		"p256.key": "expected an Ed25519 PRIVATE KEY", "locked.key": "without a password"} {
		if _, err := LoadSigningKey(disk, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("key of %s: %v; want %q", name, err, want)
		}
	}
	for name, want := range map[string]string{"none": "signing model none", "torn": `format ""`, "m.json": "it has the digest " + id} {
		if _, err := Sign(disk, name, "0123456789ab", signingKey(1)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("signing %s: %v; want %q", name, err, want)
		}
	}
}
