// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/predict"
)

// shim is the Python program that Spark runs.
//
//go:embed shim.py
var shim []byte

// sparkStart is how long Spark may take to start and answer.
const sparkStart = 5 * time.Minute

// A sparkSession is a Spark application that does one task after another for
// this process. It ends when this process does, however that ends.
type sparkSession struct {
	dir     string // private, with the shim and the socket
	command *exec.Cmd
	log     *sparkLog
	conn    net.Conn
	answers *json.Decoder
	ended   chan struct{} // closed when the application has ended
}

// startSpark starts an application on the cluster and waits until it answers.
func startSpark(ctx context.Context, e *engineFlags) (s *sparkSession, err error) {
	s = &sparkSession{log: &sparkLog{}, ended: make(chan struct{})}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.dir, err = os.MkdirTemp("", "holdfast-spark-"); err != nil {
		return s, fmt.Errorf("starting Spark: %w", err)
	}
	if e.log != "" {
		if s.log.file, err = os.Create(e.log); err != nil {
			return s, fmt.Errorf("--spark-log: %w", err)
		}
	}
	path, program := filepath.Join(s.dir, "socket"), filepath.Join(s.dir, "shim.py")
	if err := os.WriteFile(program, shim, 0o600); err != nil {
		return s, fmt.Errorf("starting Spark: %w", err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return s, fmt.Errorf("starting Spark: %w", err)
	}
	defer listener.Close()
	command, err := e.submit(program, path)
	if err != nil {
		return s, err
	}
	command.Stdout, command.Stderr = s.log, s.log
	if err := command.Start(); err != nil {
		return s, usageError("starting %s: %v; is Spark installed, and SPARK_HOME set or its bin folder in PATH?", command.Path, err)
	}
	s.command = command
	go func() {
		_ = command.Wait() // its log says why it ended
		close(s.ended)
	}()
	return s, s.accept(ctx, listener)
}

// submit returns the command that starts the application: spark-submit, or for
// Spark Connect, which needs none, Python.
func (e *engineFlags) submit(program, socket string) (*exec.Cmd, error) {
	self := e.program
	if self == "" {
		var err error
		if self, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("starting Spark: %w", err)
		}
	}
	if strings.HasPrefix(e.master, "sc://") {
		if e.conf != nil {
			return nil, usageError("--spark-conf: a Spark Connect server has its settings already")
		}
		return exec.Command(orDefault(os.Getenv("PYSPARK_PYTHON"), "python3"), program, socket, self, e.master), nil
	}
	submit := "spark-submit"
	if home := os.Getenv("SPARK_HOME"); home != "" {
		submit = filepath.Join(home, "bin", submit)
	}
	args := []string{"--master", e.master, "--name", "holdfast", "--files", self}
	for _, c := range e.conf {
		args = append(args, "--conf", c)
	}
	return exec.Command(submit, append(args, program, socket, filepath.Base(self))...), nil
}

// accept waits for the application to call.
func (s *sparkSession) accept(ctx context.Context, listener net.Listener) error {
	called := make(chan error, 1)
	go func() {
		var err error
		s.conn, err = listener.Accept()
		called <- err
	}()
	defer listener.Close()
	select {
	case err := <-called:
		if err != nil {
			return fmt.Errorf("starting Spark: %w", err)
		}
		s.answers = json.NewDecoder(s.conn)
		return nil
	case <-s.ended:
		return fmt.Errorf("starting Spark: it ended at once: %s", s.log.last())
	case <-time.After(sparkStart):
		return fmt.Errorf("starting Spark: no answer within %v: %s", sparkStart, s.log.last())
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A sparkAnswer is what the application says to a request.
type sparkAnswer struct {
	Answer json.RawMessage `json:"answer"`
	Error  string          `json:"error"`
}

// workerEnd finds what the shim says of a worker's end in what Spark makes of it.
var workerEnd = regexp.MustCompile(`(?s)\[\[holdfast worker (?:\w+ )?ended with (-?\d+): (.*?)\]\]`)

// ask has the application do something, and reads its answer into the pointer
// unless that is nil. Errors of workers keep their exit codes.
func (s *sparkSession) ask(ctx context.Context, request, into any) error {
	answered := make(chan error, 1)
	var answer sparkAnswer
	go func() {
		err := json.NewEncoder(s.conn).Encode(request)
		if err == nil {
			err = s.answers.Decode(&answer)
		}
		answered <- err
	}()
	select {
	case err := <-answered:
		switch {
		case err != nil:
			<-s.ended // the connection broke: the application is gone
			return fmt.Errorf("the Spark application ended: %s", s.log.last())
		case answer.Error != "":
			return answer.failure()
		case into != nil:
			return json.Unmarshal(answer.Answer, into)
		}
		return nil
	case <-ctx.Done():
		s.close()
		<-answered
		return ctx.Err()
	}
}

// failure returns the error of an answer, of the kind that a worker's exit code
// stands for.
func (a *sparkAnswer) failure() error {
	end := workerEnd.FindStringSubmatch(a.Error)
	if end == nil {
		return fmt.Errorf("spark: %s", a.Error)
	}
	text := strings.TrimPrefix(end[2], "holdfast: ")
	switch code, _ := strconv.Atoi(end[1]); code {
	case exitUsage:
		return usageError("a worker: %s", text)
	case exitBadData:
		return dataError("a worker: %s", text)
	case exitIntegrity:
		return fmt.Errorf("%w: a worker: %s", predict.ErrIntegrity, text)
	}
	return fmt.Errorf("a worker: %s", text)
}

// close ends the application, and waits for it.
func (s *sparkSession) close() {
	if s.conn != nil {
		_ = s.conn.Close() // what the application takes as its end
	}
	if s.command != nil {
		select {
		case <-s.ended:
		case <-time.After(10 * time.Second):
			_ = s.command.Process.Kill()
			<-s.ended
		}
	}
	if s.log.file != nil {
		_ = s.log.file.Close()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

// A sparkLog keeps the end of what Spark says, for messages, and passes all of
// it on to a file, if there is one.
type sparkLog struct {
	mu   sync.Mutex
	end  []byte
	file *os.File
}

func (l *sparkLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	const kept = 16 << 10
	if l.end = append(l.end, b...); len(l.end) > kept {
		l.end = append([]byte{}, l.end[len(l.end)-kept/2:]...)
	}
	if l.file != nil {
		return l.file.Write(b)
	}
	return len(b), nil
}

// last returns the last lines that say something.
func (l *sparkLog) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(l.end)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "; ")
}

// removeTree removes a folder and all below it, if it is there.
func removeTree(fsys data.FS, name string) error {
	entries, err := fsys.ReadDir(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if below := filepath.Join(name, e.Name()); e.IsDir() {
			err = errors.Join(err, removeTree(fsys, below))
		} else {
			err = errors.Join(err, fsys.Remove(below))
		}
	}
	return errors.Join(err, fsys.Remove(name))
}
