// SPDX-License-Identifier: Apache-2.0

// Package registry keeps published models: a folder of immutable versions and
// two names that point into it.
//
//	models/<id>/model.json   one version; its id is the hash of the file
//	models/<id>/model.json.sig   its signature, where somebody signed it
//	models/aliases.json      champion and latest, with their history
//	models/.lock             whoever is changing the folder; empty else
//
//	registry.go   publish, resolve, load
//	alias.go      where names point, promote, roll back
//	list.go       all versions, what is wrong with them, where they come from
//	gc.go         what nothing needs any more
//
// Publishing writes a version and moves latest; promoting and rolling back move
// champion. None ever changes a version. Everything is written whole or not at
// all, versions before the names that point to them, so that readers need no
// lock; writers take it in turn.
package registry

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/predict"
)

// The aliases.
const (
	Champion = "champion" // the model that scores by default
	Latest   = "latest"   // the newest published one
)

// Errors that callers branch on.
var (
	ErrNotFound = errors.New("not found")
	ErrRefused  = errors.New("promotion refused")
	// ErrReference: what can name no model, such as ../../etc/x or CON.
	ErrReference = errors.New("no name of a model")
)

// A Registry is a models folder.
type Registry struct {
	FS  data.FS
	Dir string
	// Writer says who writes, for those whom its lock keeps waiting. It is
	// asked at each change; nil is nobody in particular.
	Writer func() data.Holder
	// Signers are who must have signed what is used: loaded, promoted or rolled
	// back to. Nil asks for no signatures. All versions can be listed and read.
	Signers predict.Signers
	// BreakLock goes on where a lock was left by a process of another machine.
	BreakLock bool
}

var (
	idPattern  = regexp.MustCompile(`^[0-9a-f]{12}$`)
	refPattern = regexp.MustCompile(`^[0-9a-f]{1,12}$`)
)

func (r *Registry) path(parts ...string) string {
	return filepath.Join(append([]string{r.Dir}, parts...)...)
}

const modelFile = "model.json"

// ModelPath returns the file of a version.
func (r *Registry) ModelPath(id string) string { return r.path(id, modelFile) }

// locked runs change while no other writer changes the folder. It returns a
// *data.LockedError where another one does.
func (r *Registry) locked(change func() error) error {
	if err := data.MakeFolder(r.FS, r.Dir); err != nil {
		return fmt.Errorf("making the models folder: %w", err)
	}
	var me data.Holder
	if r.Writer != nil {
		me = r.Writer()
	}
	l, err := data.Hold(r.FS, r.path(".lock"), me, r.BreakLock)
	if err != nil {
		return err
	}
	return errors.Join(change(), l.Release())
}

// Publish writes a model as a version and points latest to it. Publishing
// what is already there changes nothing, but mends a damaged version.
func (r *Registry) Publish(m *predict.Model) (id string, err error) {
	b, err := predict.Marshal(m)
	if err != nil {
		return "", err
	}
	id = predict.ID(b)
	return id, r.locked(func() error {
		if _, _, err := r.load(id, nil); err != nil { // not there yet, or damaged
			if err := r.write(id, b); err != nil {
				return fmt.Errorf("publishing model %s: %w", id, err)
			}
		}
		return r.move(Latest, Move{ID: id})
	})
}

// write writes the file of a version. The folder is made durable before the
// file in it, and both before any name points there.
func (r *Registry) write(id string, b []byte) error {
	if err := r.FS.MkdirAll(r.path(id)); err != nil {
		return err
	}
	if err := r.FS.SyncDir(r.Dir); err != nil {
		return err
	}
	return data.WriteBytes(r.FS, r.ModelPath(id), b)
}

// Resolve returns the id a reference means: an alias, an id, or the beginning
// of exactly one id.
func (r *Registry) Resolve(ref string) (string, error) {
	if ref == Champion || ref == Latest {
		aliases, err := r.Aliases()
		if err != nil {
			return "", err
		}
		a, ok := aliases[ref]
		if !ok {
			return "", fmt.Errorf("model %s: %w in %s: %s", ref, ErrNotFound, r.Dir, map[string]string{
				Champion: "none is promoted yet; run holdfast models promote latest",
				Latest:   "none is trained yet; run holdfast train"}[ref])
		}
		return a.ID, nil
	}
	if !refPattern.MatchString(ref) {
		return "", fmt.Errorf("model %q: %w; expected champion, latest, or an id of 12 hex digits or its beginning", ref, ErrReference)
	}
	ids, err := r.ids()
	if err != nil {
		return "", err
	}
	var found []string
	for _, id := range ids {
		if strings.HasPrefix(id, ref) {
			found = append(found, id)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("model %q: %w in %s: it holds %d models; see holdfast models list", ref, ErrNotFound, r.Dir, len(ids))
	}
	return "", fmt.Errorf("model %q: %w: %d ids begin so: %s", ref, ErrNotFound, len(found), strings.Join(found, ", "))
}

// Sign signs the version that ref means.
func (r *Registry) Sign(ref string, key ed25519.PrivateKey) (id string, err error) {
	err = r.locked(func() error {
		if id, err = r.Resolve(ref); err != nil {
			return err
		}
		_, err = predict.Sign(r.FS, r.ModelPath(id), id, key)
		return err
	})
	return id, err
}

// Load resolves a reference and reads its model, which must match its id and
// be signed by one of the Signers.
func (r *Registry) Load(ref string) (*predict.Model, string, error) {
	return r.resolved(ref, r.Signers)
}

// Read is Load for those who look at a model and do not use it: it asks for no
// signature.
func (r *Registry) Read(ref string) (*predict.Model, string, error) { return r.resolved(ref, nil) }

func (r *Registry) resolved(ref string, s predict.Signers) (*predict.Model, string, error) {
	id, err := r.Resolve(ref)
	if err != nil {
		return nil, "", err
	}
	m, id, err := r.load(id, s)
	if err != nil && ref == Champion {
		err = fmt.Errorf("champion cannot be used: %w; holdfast models rollback returns to the one before", err)
	}
	return m, id, err
}

func (r *Registry) load(id string, s predict.Signers) (*predict.Model, string, error) {
	m, found, err := s.Load(r.FS, r.ModelPath(id))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "", fmt.Errorf("model %s: %w in %s", id, ErrNotFound, r.Dir)
	case err != nil:
		return nil, "", err
	case found != id:
		return nil, "", fmt.Errorf("%w: %s has the digest %s: the file was changed; train again or restore it", predict.ErrIntegrity, r.ModelPath(id), found)
	}
	return m, id, nil
}

// ids lists the folders whose names can be ids and that hold a model; others
// are left alone. A folder without one is a version that is just being
// published, or never was.
func (r *Registry) ids() ([]string, error) {
	folders, err := r.folders()
	var ids []string
	for _, id := range folders {
		if _, err := r.FS.Stat(r.ModelPath(id)); !errors.Is(err, fs.ErrNotExist) {
			ids = append(ids, id)
		}
	}
	return ids, err
}

// folders lists the folders whose names can be ids, in order.
func (r *Registry) folders() ([]string, error) {
	entries, err := r.FS.ReadDir(r.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the models folder: %w", err)
	}
	var ids []string
	for _, e := range entries {
		if e.IsDir() && idPattern.MatchString(e.Name()) {
			ids = append(ids, e.Name())
		}
	}
	sort.Strings(ids)
	return ids, nil
}
