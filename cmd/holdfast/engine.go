// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"

	"github.com/spf13/cobra"
)

// The engines.
const (
	engineLocal = "local" // this process
	engineSpark = "spark"
)

// engineFlags say where a command's rows are worked on.
type engineFlags struct {
	engine     string
	master     string
	partitions int
	staging    string
	conf       []string // KEY=VALUE, for Spark
	log        string

	program string        // that the workers run; empty for this one
	live    *sparkSession // one that is there already and stays; nil for one of the command's own
}

func (e *engineFlags) register(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&e.engine, "engine", engineLocal, "local, or spark: on a cluster, with the same bytes (see SPARK.md)")
	f.StringVar(&e.master, "master", "", "with --engine spark: the cluster, such as spark://host:7077, yarn or sc://host:15002")
	f.IntVar(&e.partitions, "partitions", 200, "with --engine spark: how many parts the accounts are divided into")
	f.StringVar(&e.staging, "staging", "", "with --engine spark: a folder for what lies between the steps, which all machines see (default: beside the output)")
	f.StringArrayVar(&e.conf, "spark-conf", nil, "with --engine spark: a setting of Spark, KEY=VALUE; may be repeated")
	f.StringVar(&e.log, "spark-log", "", "with --engine spark: a file for what Spark logs")
}

// check refuses flags that do not fit together.
func (e *engineFlags) check(a *app, output string) error {
	switch {
	case e.engine != engineLocal && e.engine != engineSpark:
		return usageError("--engine %q: expected local or spark", e.engine)
	case e.engine == engineLocal && (e.master != "" || e.staging != "" || e.conf != nil || e.log != ""):
		return usageError("--master, --staging, --spark-conf and --spark-log go with --engine spark")
	case e.engine == engineLocal:
		return nil
	case e.master == "":
		return usageError("--engine spark: --master URL is needed, such as spark://host:7077")
	case e.partitions < 1:
		return usageError("--partitions %d: expected one or more", e.partitions)
	case a.keepGoing || a.isolate:
		return usageError("--keep-going and --isolate go with --engine local; Spark reads the files itself")
	case output == "-" && e.staging == "":
		return usageError("-o -: with --engine spark, --staging FOLDER is needed, which all machines see")
	}
	return nil
}

// folder returns where what lies between the steps goes.
func (e *engineFlags) folder(output string) (string, error) {
	dir, base := filepath.Split(output)
	if e.staging != "" {
		dir = e.staging
	}
	return filepath.Abs(filepath.Join(dir, "."+base+".spark"))
}

func engineCommand(a *app) *cobra.Command {
	var printShim bool
	c := &cobra.Command{
		Use:   "engine spark --print-shim",
		Short: "what an engine runs beside this program",
		Long: `Prints the Python program by which Apache Spark runs this one: what
"--engine spark" hands to spark-submit. SPARK.md explains it.

Writes   the program, to standard output
Exits    0 ok; 2 an engine that is not known`,
		Example: `  holdfast engine spark --print-shim > shim.py`,
		Hidden:  true,
		Args:    oneArgument("spark"),
		RunE: func(_ *cobra.Command, args []string) error {
			if args[0] != engineSpark || !printShim {
				return usageError("expected engine spark --print-shim, found engine %q", args[0])
			}
			_, err := a.stdout.Write(shim)
			return err
		},
	}
	c.Flags().BoolVar(&printShim, "print-shim", false, "print it")
	return c
}
