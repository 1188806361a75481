// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

// writeKeys writes the private and the public key of a seed into NAME.key and
// NAME.pub.
func writeKeys(t *testing.T, dir, name string, seed byte) {
	t.Helper()
	private := ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(seed)), ed25519.SeedSize)))
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]pem.Block{".key": {Type: "PRIVATE KEY", Bytes: secret}, ".pub": {Type: "PUBLIC KEY", Bytes: public}} {
		if err := os.WriteFile(filepath.Join(dir, name+file), pem.EncodeToMemory(&block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// FAULTS.md row 41: where signatures are required, a model without one, or with
// another's, neither scores nor becomes champion.
func TestSignatures(t *testing.T) {
	dir := smallProject(t, 120)
	in := func(name string) string { return filepath.Join(dir, name) }
	l, err := (&app{fsys: data.Disk{}, stdout: io.Discard, stderr: io.Discard, progress: new(progress), dir: dir}).load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	id := publishConstant(t, l, -2, "")
	model := l.registry.ModelPath(id)
	writeKeys(t, dir, "release", 1)
	writeKeys(t, dir, "other", 2)
	try := func(want int, words string, args ...string) {
		t.Helper()
		code, text := command(append([]string{"-C", dir}, args...)...)
		if code != want || !strings.Contains(text, words) {
			t.Errorf("%v: exit %d, want %d and %q; %s", args, code, want, words, text)
		}
	}
	required := "--require-signature=" + in("release.pub")
	uses := [][]string{
		{"predict", "--model", "latest", "-o", in("s.csv")},
		{"predict", "--model", model, "-o", in("s.csv")},
		{"run", "--as-of", "2026-07-01", "--model", "latest"},
		{"explain", "acct-00001", "--model", id},
		{"monitor", "--model", "latest"},
		{"models", "promote", "latest", "--approve", "Ada", "--because", "a test"},
	}
	for _, line := range uses {
		try(exitIntegrity, "nobody has signed it", append(line, required)...)
	}
	if _, err := os.Stat(in("s.csv")); err == nil {
		t.Error("an unsigned model scored")
	}
	if v := ifSigned(signedOnly(t, l, in("release.pub")), id, predict.Verdict{Pass: true, Reason: "better"}); v.Pass || !strings.Contains(v.Reason, "it passes the gates (better), but cannot be used") {
		t.Errorf("a retraining promotes what nobody has signed: %+v", v)
	}
	for _, line := range [][]string{{"models", "show", "latest"}, {"models", "list"}, {"models", "verify"}} {
		try(exitOK, "", append(line, required)...)
	}

	try(exitOK, "", "models", "sign", "latest", "--key", in("release.key"))
	for _, line := range uses[:4] {
		try(exitOK, "", append(line, required)...)
	}
	if v := ifSigned(signedOnly(t, l, in("release.pub")), id, predict.Verdict{Pass: true}); !v.Pass {
		t.Errorf("a retraining does not promote what is signed: %+v", v)
	}
	try(exitOK, "", append(uses[5], required)...)
	try(exitIntegrity, "by none of the 1 trusted keys", append(uses[0], "--require-signature="+in("other.pub"))...)

	// The project file can ask for it too, and the flag stands in for it.
	editProject(t, dir, "version: 1", "version: 1\nsignature: other.pub")
	try(exitIntegrity, "by none of the 1 trusted keys", "predict", "-o", in("s.csv"))
	try(exitOK, "", "predict", "-o", in("s.csv"), required)
	try(exitOK, "", "models", "sign", model, "--key", in("other.key"))
	try(exitOK, "", "predict", "-o", in("s.csv"))
	editProject(t, dir, "signature: other.pub", "signature: none.pub")
	try(exitUsage, "signature: reading public keys", "predict", "-o", in("s.csv"))
	editProject(t, dir, "\nsignature: none.pub", "")

	try(exitUsage, "--require-signature: reading public keys", "predict", "-o", in("s.csv"), "--require-signature="+in("none.pub"))
	try(exitUsage, "--key FILE is needed", "models", "sign", "latest")
	try(exitUsage, "--key: reading the key", "models", "sign", "latest", "--key", in("release.pub"))
	try(exitNotFound, "", "models", "sign", "0000", "--key", in("release.key"))
	try(exitNotFound, "", "models", "sign", in("none.json"), "--key", in("release.key"))
	if code, text := command("models", "sign", model, "--json", "--key", in("release.key")); code != exitOK { // a file needs no project
		t.Errorf("exit %d, %s", code, text)
	}
	openSSL(t, dir, model, func(key string) {
		t.Helper()
		try(exitOK, "", "predict", "-o", in("s.csv"), "--require-signature="+key)
	})
}

// signedOnly returns a project's registry that asks for signatures.
func signedOnly(t *testing.T, l *loaded, keys string) *registry.Registry {
	t.Helper()
	reg := l.registry
	s, err := predict.LoadSigners(data.Disk{}, keys)
	if err != nil {
		t.Fatal(err)
	}
	reg.Signers = s
	return &reg
}

// openSSL checks a signature of ours, and makes a key and a signature that
// scores accepts.
func openSSL(t *testing.T, dir, model string, scores func(key string)) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Log("no openssl: signatures are not compared with its own")
		return
	}
	openssl := func(args ...string) string {
		t.Helper()
		c := exec.Command("openssl", args...)
		c.Dir = dir
		out, err := c.CombinedOutput()
		if err != nil {
			t.Errorf("openssl %v: %v, %s", args, err, out)
		}
		return string(out)
	}
	signature := predict.SignaturePath(model)
	if out := openssl("pkeyutl", "-verify", "-pubin", "-inkey", "release.pub", "-rawin", "-in", model, "-sigfile", signature); !strings.Contains(out, "Signature Verified Successfully") {
		t.Errorf("openssl says of our signature: %s", out)
	}
	openssl("genpkey", "-algorithm", "ed25519", "-out", "ssl.key")
	openssl("pkey", "-in", "ssl.key", "-pubout", "-out", "ssl.pub")
	openssl("pkeyutl", "-sign", "-inkey", "ssl.key", "-rawin", "-in", model, "-out", signature)
	scores(filepath.Join(dir, "ssl.pub"))
	holdfastOK(t, "-C", dir, "models", "sign", "latest", "--key", filepath.Join(dir, "ssl.key"))
	openssl("pkeyutl", "-verify", "-pubin", "-inkey", "ssl.pub", "-rawin", "-in", model, "-sigfile", signature)
}
