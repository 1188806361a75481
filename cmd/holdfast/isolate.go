// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/data"
)

// The bounds of a child that reads a file: what a small file may take, and what
// more a large one.
const (
	isolatedMemory   = 512 << 20        // bytes, and
	isolatedPerByte  = 8                // bytes a byte of the file
	isolatedTime     = 10 * time.Second // of a clock on the wall: a busy machine is no fault of the file
	isolatedBytesSec = 20 << 20         // and a second for each so many bytes
)

// A childRequest asks a child to read a file; a childAnswer says how it went.
type childRequest struct {
	Path    string
	Columns []string
}

type childAnswer struct {
	Problem string // "" if the file was read
	Bad     bool   // the file is to blame
}

// readFilesCommand is what the child runs. People have no use for it.
func readFilesCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:    "read-files BYTES",
		Hidden: true,
		Args:   oneArgument("the memory it may take"),
		RunE: func(cmd *cobra.Command, args []string) error {
			limit, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return usageError("%q: expected a number of bytes", args[0])
			}
			debug.SetMemoryLimit(limit / 2)
			if err := limitMemory(limit); err != nil {
				return fmt.Errorf("bounding memory: %w", err)
			}
			requests, answers := json.NewDecoder(os.Stdin), json.NewEncoder(a.stdout)
			for {
				var r childRequest
				if err := requests.Decode(&r); errors.Is(err, io.EOF) {
					return nil
				} else if err != nil {
					return err
				}
				var answer childAnswer
				if err := data.ReadWhole(cmd.Context(), a.fsys, r.Path, r.Columns); err != nil {
					answer = childAnswer{err.Error(), errors.Is(err, data.ErrBadData)}
				}
				if err := answers.Encode(answer); err != nil {
					return err
				}
			}
		},
	}
}

// A child is a process that reads files for its parent, which it cannot take
// down with it. The zero value starts one when it is asked.
type child struct {
	name    string        // it is started under; "" for holdfast
	time    time.Duration // for a small file; 0 for isolatedTime
	limit   int64
	command *exec.Cmd
	ask     *json.Encoder
	in      io.Closer
	answers chan []byte // closed when the child ends
	stderr  bytes.Buffer
}

// read has the child read a file whole.
func (c *child) read(ctx context.Context, fsys data.FS, f data.ScreenedFile) error {
	info, err := fsys.Stat(f.Path)
	if err != nil {
		return err
	}
	if err := c.start(isolatedMemory + isolatedPerByte*info.Size()); err != nil {
		return fmt.Errorf("starting a process to read %s: %w", f.Path, err)
	}
	if err := c.ask.Encode(childRequest{f.Path, f.Columns}); err != nil {
		return c.died(f.Path)
	}
	allowed := orDefault(c.time, isolatedTime) + time.Duration(info.Size())*time.Second/isolatedBytesSec
	select {
	case line, ok := <-c.answers:
		var answer childAnswer
		switch {
		case !ok:
			return c.died(f.Path)
		case json.Unmarshal(line, &answer) != nil:
			c.stop()
			return fmt.Errorf("reading %s in a process of its own: it answered %q", f.Path, line)
		case answer.Bad:
			return &codedError{data.ErrBadData, answer.Problem}
		case answer.Problem != "":
			return errors.New(answer.Problem)
		}
		return nil
	case <-time.After(allowed):
		c.stop()
		return dataError("%s: reading it took longer than %v; the file is damaged or made to cost time", f.Path, allowed)
	case <-ctx.Done():
		c.stop()
		return ctx.Err()
	}
}

// start starts the process, or another one where more memory is needed.
func (c *child) start(limit int64) error {
	if c.command != nil && c.limit >= limit {
		return nil
	}
	c.stop()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c.limit = limit
	c.command = exec.Command(self, "read-files", strconv.FormatInt(limit, 10))
	c.command.Args[0] = orDefault(c.name, "holdfast")
	c.command.Stderr = &c.stderr
	in, err := c.command.StdinPipe()
	if err != nil {
		return err
	}
	out, err := c.command.StdoutPipe()
	if err != nil {
		return err
	}
	c.in, c.ask, c.answers = in, json.NewEncoder(in), make(chan []byte)
	if err := c.command.Start(); err != nil {
		c.command = nil
		return err
	}
	go func(answers chan<- []byte) {
		defer close(answers)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			answers <- bytes.Clone(lines.Bytes())
		}
	}(c.answers)
	return nil
}

// died says how the process ended over a file.
func (c *child) died(path string) error {
	err := c.command.Wait()
	c.command = nil
	said := strings.TrimSpace(c.stderr.String())
	c.stderr.Reset()
	if first, _, found := strings.Cut(said, "\n"); found {
		said = first
	}
	noMemory := func(words string) bool { return strings.Contains(said, words) }
	if slices.ContainsFunc([]string{"out of memory", "cannot allocate memory", "pthread_create failed", "failed to create new OS thread"}, noMemory) {
		return dataError("%s: reading it takes more than %d MB of memory; the file is damaged or made to cost memory", path, c.limit>>20)
	}
	return dataError("%s: the process that read it died (%v): %s; the file is damaged", path, err, said)
}

// stop ends the process, if there is one.
func (c *child) stop() {
	if c.command == nil {
		return
	}
	_ = c.in.Close()
	_ = c.command.Process.Kill()
	for range c.answers { // until its output ends
	}
	_ = c.command.Wait()
	c.command = nil
	c.stderr.Reset()
}
