// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime"

	"github.com/spf13/cobra"
)

// version is part of every model's provenance. A release changes it here.
const version = "0.1.0"

func versionCommand(a *app) *cobra.Command {
	var sbom bool
	c := &cobra.Command{
		Use:   "version",
		Short: "print the version",
		Long: `Prints the version, the Go version it was built with, and the platform; with
--sbom the modules that are linked into it, as CycloneDX JSON on one line.

Exits    0`,
		Example: "  holdfast version --json\n  holdfast version --sbom > holdfast.cdx.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if sbom {
				b, err := newBOM()
				if err != nil {
					return err
				}
				return a.printJSON(b)
			}
			if a.json {
				return a.printJSON(map[string]string{
					"version": version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
			}
			a.printf("holdfast %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
	c.Flags().BoolVar(&sbom, "sbom", false, "the software bill of materials, from the program's own build information")
	return c
}
