// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"runtime/debug"
	"strings"
)

// A bom is a software bill of materials in CycloneDX's JSON form, of which this
// is the part that a Go program can say of itself.
type bom struct {
	Format      string         `json:"bomFormat"`
	SpecVersion string         `json:"specVersion"`
	Version     int            `json:"version"`
	Metadata    bomMetadata    `json:"metadata"`
	Components  []bomComponent `json:"components"`
	Depends     []bomDepends   `json:"dependencies"`
}

type bomMetadata struct {
	Component bomComponent `json:"component"`
}

type bomComponent struct {
	Type       string        `json:"type"`
	Ref        string        `json:"bom-ref"`
	Name       string        `json:"name"`
	Version    string        `json:"version"`
	PURL       string        `json:"purl"`
	Properties []bomProperty `json:"properties,omitempty"`
}

type bomProperty struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type bomDepends struct {
	Ref string   `json:"ref"`
	On  []string `json:"dependsOn"`
}

// newBOM lists the modules that are linked into this program, as its own build
// information has them, with the go.sum digest of each.
func newBOM() (*bom, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil, errors.New("the program was built without modules and cannot say what is in it")
	}
	purl := func(path, version string) string { return "pkg:golang/" + path + "@" + version }
	self := bomComponent{Type: "application", Ref: purl(info.Main.Path, version), Name: "holdfast", Version: version, PURL: purl(info.Main.Path, version)}
	for _, s := range info.Settings {
		if strings.HasPrefix(s.Key, "GO") || strings.HasPrefix(s.Key, "CGO_") || s.Key == "-trimpath" {
			self.Properties = append(self.Properties, bomProperty{"golang:build:" + s.Key, s.Value})
		}
	}
	goVersion := strings.TrimPrefix(info.GoVersion, "go")
	b := &bom{Format: "CycloneDX", SpecVersion: "1.6", Version: 1, Metadata: bomMetadata{self},
		Components: []bomComponent{{Type: "library", Ref: purl("std", goVersion), Name: "std", Version: goVersion, PURL: purl("std", goVersion)}}}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		c := bomComponent{Type: "library", Ref: purl(m.Path, m.Version), Name: m.Path, Version: m.Version, PURL: purl(m.Path, m.Version)}
		if m.Sum != "" {
			c.Properties = []bomProperty{{"golang:sum", m.Sum}}
		}
		b.Components = append(b.Components, c)
	}
	on := bomDepends{Ref: self.Ref}
	for _, c := range b.Components {
		on.On = append(on.On, c.Ref)
	}
	b.Depends = []bomDepends{on}
	return b, nil
}
