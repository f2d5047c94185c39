package herokucli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// A Driver runs commands one after the other in one process of Node.js, because
// each start of the command line costs most of a second.
type Driver struct {
	cli     *CLI
	cmd     *exec.Cmd
	asks    *os.File
	replies *os.File
	answers *bufio.Reader
	says    bytes.Buffer // what the driver itself says, in trouble
}

// A Run is one run of the command line.
type Run struct {
	Args    []string
	Env     map[string]string
	Dir     string
	Timeout time.Duration
	Until   string // a regular expression: soon after it is in the output, the run is over
}

// A Result is what came of a run.
type Result struct {
	Code   int // -1: it did not end by itself
	Stdout string
	Stderr string
	Asked  []string // "GET http://127.0.0.1:5000/apps"
}

// A Command is a command of the command line, with the other names that it has.
type Command struct {
	ID      string
	Aliases []string
}

// A Listing is what the command line has.
type Listing struct {
	Version  string
	Commands []Command
}

// Start starts a driver, which ends with the test.
func (c *CLI) Start(tb testing.TB) *Driver {
	tb.Helper()
	d := &Driver{cli: c}
	tb.Cleanup(func() { d.stop() })
	d.start(tb)
	return d
}

func (d *Driver) start(tb testing.TB) {
	tb.Helper()
	asks, in, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, answers, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	d.cmd = exec.Command(d.cli.node, "--no-deprecation", filepath.Join(d.cli.dir, "driver.mjs")) //nolint:noctx // stop ends it
	d.cmd.Env = []string{"PATH=" + d.cli.path}
	d.cmd.WaitDelay = time.Second                // what a command has started may hold its output open
	d.cmd.ExtraFiles = []*os.File{asks, answers} // 3 and 4
	d.says.Reset()
	d.cmd.Stdout, d.cmd.Stderr = &d.says, &d.says
	if err := d.cmd.Start(); err != nil {
		tb.Fatalf("start Node.js: %v", err)
	}
	for _, file := range []*os.File{asks, answers} {
		if err := file.Close(); err != nil {
			tb.Fatal(err)
		}
	}
	d.asks, d.replies, d.answers = in, out, bufio.NewReader(out)
}

func (d *Driver) stop() {
	if d.cmd == nil || d.cmd.Process == nil {
		return
	}
	_ = d.cmd.Process.Kill() // it may have ended
	_ = d.cmd.Wait()         // it was killed
	_ = d.asks.Close()
	_ = d.replies.Close()
	d.cmd = nil
}

// List lists the commands.
func (d *Driver) List(tb testing.TB) Listing {
	tb.Helper()
	var list Listing
	d.ask(tb, map[string]bool{"list": true}, &list, answerTimeout)
	return list
}

// Do runs a command. What does not end in time is ended, and the driver with it.
func (d *Driver) Do(tb testing.TB, r Run) Result {
	tb.Helper()
	var result Result
	d.ask(tb, map[string]any{"args": r.Args, "env": r.Env, "dir": r.Dir, "ms": r.Timeout.Milliseconds(), "until": r.Until}, &result, r.Timeout+answerTimeout)
	if result.Code == -1 {
		d.stop()
		d.start(tb)
	}
	return result
}

// answerTimeout bounds the wait for an answer that does not say how long it may take.
const answerTimeout = 30 * time.Second

func (d *Driver) ask(tb testing.TB, question, answer any, longest time.Duration) {
	tb.Helper()
	line, err := d.exchange(question, longest)
	if err == nil {
		err = json.Unmarshal(line, answer)
	}
	if err != nil {
		d.stop() // it writes no more
		tb.Fatalf("ask the driver: %v\n%s", err, d.says.String())
	}
}

func (d *Driver) exchange(question any, longest time.Duration) ([]byte, error) {
	if err := d.replies.SetReadDeadline(time.Now().Add(longest)); err != nil {
		return nil, err
	}
	if err := json.NewEncoder(d.asks).Encode(question); err != nil {
		return nil, err
	}
	return d.answers.ReadBytes('\n')
}
