package bundle

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	runc "github.com/containerd/go-runc"
)

// Stdio are the ends of pipes or files that a process gets; what is nil reads
// nothing or goes nowhere. They are the caller's to close, after Start has
// returned. Wait returns after the last byte was written to them.
type Stdio struct {
	Stdin, Stdout, Stderr *os.File
}

// run starts runc and waits until it has started the process.
func (c *Container) run(ctx context.Context, p Process, stdio Stdio) error {
	files := &fileIO{stdio: stdio}
	if p.Terminal != nil {
		term, err := c.useTerminal(*p.Terminal)
		if err != nil {
			c.finish(-1, err)
			return err
		}
		defer term.runcs.Close() //nolint:errcheck // runc has its own
		files = &fileIO{stdio: Stdio{Stdin: term.runcs, Stdout: term.runcs, Stderr: term.runcs}, leads: true}
	}
	runner := *c.rt.runc
	runner.Log = filepath.Join(c.dir, "runc.log")
	runner.LogFormat = runc.JSON
	pidFile := filepath.Join(c.dir, "pid")
	spawned := make(chan int, 1)
	opts := &runc.CreateOpts{
		IO:      files,
		PidFile: pidFile,
		Started: spawned,
		// The cgroup stays until sweep, so that it can be asked why the
		// processes ended. runc 1.1.
		ExtraArgs: []string{"--keep"},
	}
	exited := make(chan struct{})
	go func() {
		// runc is our means to wait; it is killed through its container.
		code, err := runner.Run(context.WithoutCancel(ctx), c.id, c.dir, opts)
		c.oom.Store(c.rt.cgroups.oomKills(c.id) > 0)
		c.sweep()
		close(exited)
		_, serr := os.Stat(pidFile)
		switch exit := (*runc.ExitError)(nil); {
		case errors.Is(serr, fs.ErrNotExist):
			c.finish(-1, startError(runner.Log, err))
		case err != nil && !errors.As(err, &exit):
			c.finish(code, err)
		default:
			c.finish(code, nil)
		}
	}()
	// The goroutine ends with the container, which ends with ctx.
	go func() {
		select {
		case <-ctx.Done():
			_ = c.Kill(ctx)
		case <-exited:
		}
	}()
	// From here on runc has the files itself, and the caller may close its own.
	if _, ok := <-spawned; ok {
		c.mu.Lock()
		c.runc = files.cmd.Process
		c.mu.Unlock()
	}
	return c.waitStarted(ctx, pidFile)
}

// waitStarted returns when runc has written the pid file, which it does after
// the process runs, or has given up.
func (c *Container) waitStarted(ctx context.Context, pidFile string) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-c.done:
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.err
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if _, err := os.Stat(pidFile); err == nil {
				return nil
			}
		}
	}
}

// Pid is the host's number for the container's first process; 0 if it was not
// started.
func (c *Container) Pid() int {
	text, err := os.ReadFile(filepath.Join(c.dir, "pid"))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(text)))
	if err != nil {
		return 0
	}
	return pid
}

// OOMKilled says whether the kernel killed a process of the container for want
// of memory. It is known when Wait has returned.
func (c *Container) OOMKilled() bool { return c.oom.Load() }

// startError finds the last error in runc's log.
func startError(log string, cause error) error {
	text, err := os.ReadFile(log)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read runtime's log: %w", err)
	}
	reason := ""
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		var line struct{ Level, Msg string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && (line.Level == "error" || line.Level == "fatal") {
			reason = line.Msg
		}
	}
	if reason == "" && cause != nil {
		reason = cause.Error()
	}
	return &StartError{Reason: reason}
}

// useTerminal makes the container's terminal. If runc leads its session, the
// kernel tells it of changes.
func (c *Container) useTerminal(s Size) (*terminal, error) {
	term, err := openTerminal(s)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.term = term
	return term, nil
}

// fileIO gives files to runc as they are.
type fileIO struct {
	stdio Stdio
	leads bool // a session, whose terminal is its standard input
	cmd   *exec.Cmd
}

var _ runc.IO = (*fileIO)(nil)

// Close implements runc.IO.
func (f *fileIO) Close() error { return nil }

// Stdin implements runc.IO.
func (f *fileIO) Stdin() io.WriteCloser { return nil }

// Stdout implements runc.IO.
func (f *fileIO) Stdout() io.ReadCloser { return nil }

// Stderr implements runc.IO.
func (f *fileIO) Stderr() io.ReadCloser { return nil }

// Set implements runc.IO. A nil *os.File must stay a nil interface.
func (f *fileIO) Set(cmd *exec.Cmd) {
	f.cmd = cmd
	// Go's scheduler sends its own process SIGURG, which runc would pass on
	// to the container like any other signal.
	cmd.Env = append(cmd.Env, "GODEBUG=asyncpreemptoff=1")
	cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setctty = f.leads, f.leads
	if f.stdio.Stdin != nil {
		cmd.Stdin = f.stdio.Stdin
	}
	if f.stdio.Stdout != nil {
		cmd.Stdout = f.stdio.Stdout
	}
	if f.stdio.Stderr != nil {
		cmd.Stderr = f.stdio.Stderr
	}
}
