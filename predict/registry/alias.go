// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/predict"
)

// An Alias is where a name points, and every place it has pointed.
type Alias struct {
	ID      string `json:"id"`
	History []Move `json:"history"`
}

// A Move is one change of an alias. Moves are in order of Sequence, which
// counts from 1: no clock has a part in it.
type Move struct {
	Sequence int              `json:"sequence"`
	ID       string           `json:"id"`
	Rollback bool             `json:"rollback,omitempty"` // back to where it had pointed before
	Verdict  *predict.Verdict `json:"verdict,omitempty"`  // by which it was promoted; of a rollback, who and why
}

// Trail returns where an alias points, last, and before it where each rollback
// would lead: a promotion adds to it, a rollback takes away.
func (a Alias) Trail() []string {
	var trail []string
	for _, m := range a.History {
		at := slices.Index(trail, m.ID)
		switch {
		case m.Rollback && at >= 0:
			trail = trail[:at+1]
		case len(trail) == 0 || trail[len(trail)-1] != m.ID:
			trail = append(trail, m.ID)
		}
	}
	return trail
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
	text, err := io.ReadAll(io.NewSectionReader(f, 0, 64<<20))
	if err != nil { // of the disk: nothing says that the file is damaged
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if err := json.Unmarshal(text, &aliases); err != nil {
		return nil, aliasError(name, err.Error())
	}
	if aliases == nil { // the file holds null
		return nil, aliasError(name, "it holds no aliases")
	}
	for alias, a := range aliases {
		for i, m := range a.History {
			if m.Sequence != i+1 || !idPattern.MatchString(m.ID) {
				return nil, aliasError(name, fmt.Sprintf("move %d of %s is number %d to %q", i+1, alias, m.Sequence, m.ID))
			}
		}
		if n := len(a.History); n == 0 || a.History[n-1].ID != a.ID {
			return nil, aliasError(name, fmt.Sprintf("%s points to %q, which is not its last move", alias, a.ID))
		}
	}
	return aliases, nil
}

func aliasError(name, problem string) error {
	return fmt.Errorf("reading %s: %w: %s; restore the file, or remove it and promote a version again", name, predict.ErrIntegrity, problem)
}

// move points an alias to a version and adds to its history. Pointing it
// where it points already is no move, unless somebody approves it.
func (r *Registry) move(alias string, m Move) error {
	aliases, err := r.Aliases()
	if err != nil {
		return err
	}
	a := aliases[alias]
	if a.ID == m.ID && (m.Verdict == nil || m.Verdict.By == "") {
		return nil
	}
	m.Sequence = len(a.History) + 1
	a.ID, a.History = m.ID, append(a.History, m)
	aliases[alias] = a
	return data.WriteFile(r.FS, r.path("aliases.json"), func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(aliases)
	})
}

// Promote points champion to a version, if the verdict passes or somebody
// approved it all the same and said why; else it returns ErrRefused.
func (r *Registry) Promote(id string, v predict.Verdict) error {
	if !v.Pass && (v.By == "" || v.Because == "") {
		return fmt.Errorf("%w: %s", ErrRefused, v.Reason)
	}
	return r.locked(func() error {
		if _, _, err := r.load(id, r.Signers); err != nil {
			return err
		}
		return r.move(Champion, Move{ID: id, Verdict: &v})
	})
}

// Rollback points champion to where it pointed before, or further back to the
// version that ref begins. By and Because of the verdict say who rolled back
// and why. It returns the ids of both.
func (r *Registry) Rollback(ref string, v predict.Verdict) (from, to string, err error) {
	err = r.locked(func() error {
		aliases, err := r.Aliases()
		if err != nil {
			return err
		}
		trail := aliases[Champion].Trail()
		if len(trail) < 2 {
			return fmt.Errorf("rolling back: %w: champion has pointed to %d versions, so there is none before it", ErrNotFound, len(trail))
		}
		last := len(trail) - 1
		from, to = trail[last], trail[last-1]
		if ref != "" {
			id, err := r.Resolve(ref)
			if err != nil {
				return err
			}
			if !slices.Contains(trail[:last], id) {
				return fmt.Errorf("rolling back: %w: %s was not champion before %s; to make it so use holdfast models promote", ErrNotFound, id, from)
			}
			to = id
		}
		if _, _, err := r.load(to, r.Signers); err != nil {
			return fmt.Errorf("rolling back to %s: %w; name another one that was champion before: %v", to, err, trail[:last])
		}
		return r.move(Champion, Move{ID: to, Rollback: true, Verdict: &v})
	})
	return from, to, err
}
