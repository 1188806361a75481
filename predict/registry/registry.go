// SPDX-License-Identifier: Apache-2.0

// Package registry keeps published models: a folder of immutable versions and
// two names that point into it.
//
//	models/<id>/model.json   one version; its id is the hash of the file
//	models/aliases.json      champion and latest, with their history
//
// Publishing writes a version and moves latest; promoting moves champion.
// Neither ever changes a version. Everything is written whole or not at all.
package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
)

// A Registry is a models folder.
type Registry struct {
	FS  data.FS
	Dir string
}

// A Move is one change of an alias.
type Move struct {
	Sequence int              `json:"sequence"`
	ID       string           `json:"id"`
	Verdict  *predict.Verdict `json:"verdict,omitempty"`
}

// An Alias is where a name points, and every place it has pointed.
type Alias struct {
	ID      string `json:"id"`
	History []Move `json:"history"`
}

// A Version is one entry of List.
type Version struct {
	ID      string
	Model   *predict.Model // nil where Err is set
	Aliases []string
	Err     error // why this version cannot be read; the others are not affected
}

var idPattern = regexp.MustCompile(`^[0-9a-f]{12}$`)

func (r *Registry) path(parts ...string) string {
	return filepath.Join(append([]string{r.Dir}, parts...)...)
}

// ModelPath returns the file of a version.
func (r *Registry) ModelPath(id string) string { return r.path(id, "model.json") }

// Publish writes a model as a version and points latest to it. Publishing
// what is already there changes nothing.
func (r *Registry) Publish(m *predict.Model) (id string, err error) {
	b, err := predict.Marshal(m)
	if err != nil {
		return "", err
	}
	id = predict.ID(b)
	if _, _, err := r.load(id); err != nil { // not there yet, or damaged
		if err := r.FS.MkdirAll(r.path(id)); err != nil {
			return "", fmt.Errorf("publishing model %s: %w", id, err)
		}
		if _, err := predict.Save(r.FS, r.ModelPath(id), m); err != nil {
			return "", fmt.Errorf("publishing model %s: %w", id, err)
		}
	}
	return id, r.move(Latest, id, nil)
}

// Promote points champion to a version, if the verdict passes or somebody
// approved it all the same; else it returns ErrRefused.
func (r *Registry) Promote(id string, v predict.Verdict) error {
	if !v.Pass && v.By == "" {
		return fmt.Errorf("%w: %s", ErrRefused, v.Reason)
	}
	if _, _, err := r.load(id); err != nil {
		return err
	}
	return r.move(Champion, id, &v)
}

// Aliases reads the aliases; a registry without any has none.
func (r *Registry) Aliases() (map[string]Alias, error) {
	name := r.path("aliases.json")
	f, err := r.FS.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]Alias{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading aliases: %w", err)
	}
	defer f.Close()
	aliases := make(map[string]Alias)
	if err := json.NewDecoder(io.NewSectionReader(f, 0, 64<<20)).Decode(&aliases); err != nil {
		return nil, fmt.Errorf("reading %s: %w: %v", name, predict.ErrIntegrity, err)
	}
	if aliases == nil { // the file holds null
		return nil, fmt.Errorf("reading %s: %w: it holds no aliases", name, predict.ErrIntegrity)
	}
	return aliases, nil
}

// move points an alias to a version and adds to its history. Pointing it
// where it points already is no move, unless somebody approves it.
func (r *Registry) move(alias, id string, v *predict.Verdict) error {
	aliases, err := r.Aliases()
	if err != nil {
		return err
	}
	a := aliases[alias]
	if a.ID == id && (v == nil || v.By == "") {
		return nil
	}
	a.ID = id
	a.History = append(a.History, Move{Sequence: len(a.History) + 1, ID: id, Verdict: v})
	aliases[alias] = a
	return data.WriteFile(r.FS, r.path("aliases.json"), func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(aliases)
	})
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
	ids, err := r.ids()
	if err != nil {
		return "", err
	}
	var found []string
	for _, id := range ids {
		if strings.HasPrefix(id, ref) && ref != "" {
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

// Load resolves a reference and reads its model, which must match its id.
func (r *Registry) Load(ref string) (*predict.Model, string, error) {
	id, err := r.Resolve(ref)
	if err != nil {
		return nil, "", err
	}
	return r.load(id)
}

func (r *Registry) load(id string) (*predict.Model, string, error) {
	m, found, err := predict.Load(r.FS, r.ModelPath(id))
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

// List returns all versions by id, damaged ones with their error.
func (r *Registry) List() ([]Version, error) {
	ids, err := r.ids()
	if err != nil {
		return nil, err
	}
	aliases, err := r.Aliases()
	if err != nil {
		return nil, err
	}
	var out []Version
	for _, id := range ids {
		v := Version{ID: id}
		v.Model, _, v.Err = r.load(id)
		for _, name := range []string{Champion, Latest} {
			if aliases[name].ID == id {
				v.Aliases = append(v.Aliases, name)
			}
		}
		out = append(out, v)
	}
	return out, nil
}

// ids lists the folders whose names can be ids; others are left alone.
func (r *Registry) ids() ([]string, error) {
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
