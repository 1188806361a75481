// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/predict"
)

// GCOptions says what GC leaves.
type GCOptions struct {
	// Keep is how many of the newest versions stay beside those that aliases
	// reach.
	Keep int
	// DryRun removes nothing.
	DryRun bool
}

// A Collected registry is what GC removed, or would remove.
type Collected struct {
	Versions   []string `json:"versions"`   // by id
	Unfinished []string `json:"unfinished"` // folders and files of publications that were cut short
	Kept       int      `json:"kept"`
}

// GC removes the versions that nothing reaches. Reached are every version that
// was ever champion, so that each can be rolled back or promoted again; latest;
// the newest versions, as many as Keep says; and the parents of all these. What
// is left of a publication that a kill or a full disk cut short goes too. Other
// files and folders stay.
//
// A kill in its midst leaves each version whole or an unfinished folder, which
// the next GC removes.
func (r *Registry) GC(o GCOptions) (c Collected, err error) {
	err = r.locked(func() error {
		reached, err := r.reached(o.Keep)
		if err != nil {
			return err
		}
		ids, err := r.ids()
		if err != nil {
			return err
		}
		folders, err := r.folders()
		if err != nil {
			return err
		}
		c = Collected{Versions: []string{}, Unfinished: []string{}}
		for _, id := range folders {
			switch {
			case !slices.Contains(ids, id):
				c.Unfinished = append(c.Unfinished, r.path(id))
				err = r.remove(id, o.DryRun)
			case !reached[id]:
				c.Versions = append(c.Versions, id)
				err = r.remove(id, o.DryRun)
			default:
				c.Kept++
				err = r.removeTemporary(&c, o.DryRun, id)
			}
			if err != nil {
				return err
			}
		}
		if err := r.removeTemporary(&c, o.DryRun); err != nil || o.DryRun {
			return err
		}
		return r.FS.SyncDir(r.Dir)
	})
	return c, err
}

// reached returns the ids that GC must leave.
func (r *Registry) reached(keep int) (map[string]bool, error) {
	aliases, err := r.Aliases()
	if err != nil {
		return nil, err
	}
	reached := make(map[string]bool)
	reach := func(id string) {
		reached[id] = true // also where it cannot be read, and so has no lineage
		for _, parent := range r.Lineage(id) {
			reached[parent] = true
		}
	}
	for _, a := range aliases {
		reach(a.ID)
	}
	for _, m := range aliases[Champion].History {
		reach(m.ID)
	}
	published := aliases[Latest].History
	newest := make(map[string]bool)
	for i := len(published) - 1; i >= 0 && len(newest) < keep; i-- {
		newest[published[i].ID] = true
	}
	for id := range newest {
		reach(id)
	}
	return reached, nil
}

// remove removes the folder of a version, the model first: without it nobody
// takes what is left for a version.
func (r *Registry) remove(id string, dry bool) error {
	if dry {
		return nil
	}
	entries, err := r.FS.ReadDir(r.path(id))
	if err != nil {
		return fmt.Errorf("removing model %s: %w", id, err)
	}
	for _, first := range []bool{true, false} {
		for _, e := range entries {
			if (e.Name() == modelFile) != first {
				continue
			}
			if err := r.FS.Remove(r.path(id, e.Name())); err != nil {
				return fmt.Errorf("removing model %s: %w", id, err)
			}
		}
	}
	if err := r.FS.Remove(r.path(id)); err != nil {
		return fmt.Errorf("removing model %s: %w", id, err)
	}
	return nil
}

// removeTemporary removes the files in a folder of the registry that a writer
// began under the lock and that nobody can be writing now.
func (r *Registry) removeTemporary(c *Collected, dry bool, folder ...string) error {
	entries, err := r.FS.ReadDir(r.path(folder...))
	if err != nil {
		return fmt.Errorf("reading the models folder: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, "."+modelFile+".tmp-") && !strings.HasPrefix(name, "."+predict.SignaturePath(modelFile)+".tmp-") && !strings.HasPrefix(name, ".aliases.json.tmp-") {
			continue
		}
		path := r.path(append(folder, name)...)
		c.Unfinished = append(c.Unfinished, path)
		if dry {
			continue
		}
		if err := r.FS.Remove(path); err != nil {
			return fmt.Errorf("removing %s: %w", path, err)
		}
	}
	return nil
}
