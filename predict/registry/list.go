// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/holdfast-churn/holdfast/predict"
)

// A Version is one entry of List.
type Version struct {
	ID      string
	Model   *predict.Model // nil where Err is set
	Aliases []string
	Err     error // why this version cannot be read; the others are not affected
}

// List returns all versions in the order in which they were first published,
// damaged ones with their error; those of which no history tells come first, by
// id. Where the aliases cannot be read it returns the versions and that error.
func (r *Registry) List() ([]Version, error) {
	ids, err := r.ids()
	if err != nil {
		return nil, err
	}
	aliases, aliasErr := r.Aliases()
	published := make(map[string]int)
	for _, m := range aliases[Latest].History {
		if published[m.ID] == 0 {
			published[m.ID] = m.Sequence
		}
	}
	sort.SliceStable(ids, func(i, j int) bool { return published[ids[i]] < published[ids[j]] })
	var out []Version
	for _, id := range ids {
		v := Version{ID: id}
		v.Model, _, v.Err = r.load(id, nil)
		for _, name := range []string{Champion, Latest} {
			if aliases[name].ID == id {
				v.Aliases = append(v.Aliases, name)
			}
		}
		out = append(out, v)
	}
	return out, aliasErr
}

// Lineage returns the ids of a version, of its parent, of the parent's parent
// and so on. The last one's parent is none, or is not in the registry.
func (r *Registry) Lineage(id string) []string {
	var line []string
	for id != "" && !slices.Contains(line, id) {
		m, _, err := r.load(id, nil)
		if err != nil {
			break
		}
		line = append(line, id)
		id = m.Provenance.Parent
	}
	return line
}

// A Problem is something wrong with a registry.
type Problem struct {
	Subject string // the id of a version, or an alias
	Err     error
}

// Verify reads every version and every alias, and returns how many versions
// there are and all that is wrong, champion first. Where there are Signers, a
// champion must be signed.
func (r *Registry) Verify() (versions int, problems []Problem, err error) {
	list, err := r.List()
	if errors.Is(err, predict.ErrIntegrity) { // of aliases.json
		problems, err = append(problems, Problem{"aliases", err}), nil
	}
	if err != nil {
		return 0, nil, err
	}
	there := make(map[string]bool)
	for _, v := range list {
		there[v.ID] = true
	}
	aliases, err := r.Aliases()
	if err != nil && !errors.Is(err, predict.ErrIntegrity) {
		return 0, nil, err
	}
	for _, name := range []string{Champion, Latest} {
		a, ok := aliases[name]
		if !ok || there[a.ID] {
			continue
		}
		mend := "restore it, or train again"
		if name == Champion {
			mend = "restore it, or run holdfast models rollback"
		}
		problems = append(problems, Problem{name, fmt.Errorf("points to %s: %w in %s; %s", a.ID, ErrNotFound, r.Dir, mend)})
	}
	for _, v := range list {
		if v.Err == nil && slices.Contains(v.Aliases, Champion) {
			_, _, v.Err = r.load(v.ID, r.Signers)
		}
		if v.Err != nil {
			problems = append(problems, Problem{v.ID, v.Err})
		}
	}
	return len(list), problems, nil
}
