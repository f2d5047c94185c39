package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// shell runs the commands, as on Heroku.
const shell = "/bin/sh"

// A process is one that runs, with all that it starts.
type process struct {
	planned
	cmd    *exec.Cmd
	out    *os.File // the end of its output that is read here
	in     *os.File // an end of its input that nothing is written to
	exited chan struct{}
	gone   chan struct{} // closed when its output has ended, too
}

// start starts a process, and a goroutine that follows it until gone is closed.
// ended is told when it has exited.
func start(ctx context.Context, p planned, env []string, dir string, c *console, ended chan<- *process) (*process, error) {
	in, feed, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	out, write, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", p.name, err), in.Close(), feed.Close())
	}
	// It is ended by its group's signals, not by the context.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), shell, "-c", p.command)
	cmd.Dir, cmd.Env = dir, env
	// Programs that watch files end when their input does, so theirs stays open.
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, write, write
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = cmd.Start()
	closed := errors.Join(in.Close(), write.Close())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", p.name, err), closed, feed.Close(), out.Close())
	}
	proc := &process{planned: p, cmd: cmd, out: out, in: feed, exited: make(chan struct{}), gone: make(chan struct{})}
	go proc.follow(c, ended)
	return proc, nil
}

// follow prints what a process prints and that it has ended.
func (p *process) follow(c *console, ended chan<- *process) {
	defer close(p.gone)
	printed := make(chan struct{})
	go func() {
		defer close(printed)
		p.read(c)
	}()
	_ = p.cmd.Wait() // the state tells
	close(p.exited)
	ended <- p
	<-printed
	_, _ = p.out.Close(), p.in.Close() // nothing was written, and perhaps closed already
	c.exited(p.name, p.color, p.how())
}

// how tells how a process has ended, "" if well.
func (p *process) how() string {
	state := p.cmd.ProcessState
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return unix.SignalName(status.Signal())
	}
	if state.Success() {
		return ""
	}
	return strconv.Itoa(state.ExitCode())
}

// code is the exit code, as a shell would have it.
func code(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}

const (
	// maxLine is how much of a line waits for its end.
	maxLine = 10_000
	// partial is how long what is no whole line waits: it may be a question.
	partial = 200 * time.Millisecond
)

// read prints the output, line by line.
func (p *process) read(c *console) {
	buf, pending := make([]byte, 32<<10), []byte(nil)
	for {
		var till time.Time
		if len(pending) > 0 {
			till = time.Now().Add(partial)
		}
		_ = p.out.SetReadDeadline(till) // fails if closed, as reading does
		n, err := p.out.Read(buf)
		pending = p.lines(c, append(pending, buf[:n]...))
		if err != nil && len(pending) > 0 {
			c.line(p.name, p.color, string(pending))
			pending = pending[:0]
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
	}
}

// lines prints whole lines, and the beginnings of long ones, and returns the rest.
func (p *process) lines(c *console, text []byte) []byte {
	for {
		line, rest, found := bytes.Cut(text, []byte("\n"))
		switch {
		case len(line) > maxLine:
			cut := maxLine
			for cut > maxLine-utf8.UTFMax && !utf8.RuneStart(line[cut]) {
				cut--
			}
			line, text = text[:cut], text[cut:]
		case found:
			text = rest
		default:
			return text
		}
		c.line(p.name, p.color, string(line))
	}
}

// signal sends a signal to a process and all that it has started.
func (p *process) signal(sig syscall.Signal) {
	_ = syscall.Kill(-p.cmd.Process.Pid, sig) // it may be gone
}

// lingers tells whether anything of a process that is gone is left.
func (p *process) lingers() bool {
	reapOrphans(p.cmd.Process.Pid)
	return syscall.Kill(-p.cmd.Process.Pid, 0) == nil
}
