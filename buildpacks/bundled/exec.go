package bundled

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// A tool is one run of another program.
type tool struct {
	dir    string   // where it runs; the current directory if empty
	env    []string // added to the environment
	stdout io.Writer
	flags  uintptr // namespaces of its own
	called string  // what errors call it; its name if empty
}

// run runs a program to its end. It ends the program, and what that started,
// when ctx is done. The last lines of its output are in the error.
func (t tool) run(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = t.dir
	cmd.Env = append(os.Environ(), t.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Cloneflags: t.flags}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	if t.called != "" {
		name = t.called
	}
	said := &tail{max: 4 << 10}
	cmd.Stdout, cmd.Stderr = said, said
	if t.stdout != nil {
		cmd.Stdout = t.stdout
	}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("run %s: %w", name, ctx.Err())
		}
		return fmt.Errorf("run %s: %w: %s", name, err, said)
	}
	return nil
}

// isolated runs a program in mount and process namespaces of its own, so that
// no mount and no process of it outlives it, whatever becomes of us.
func (t tool) isolated(ctx context.Context, name string, args ...string) error {
	const script = `mount --make-rprivate / && mount -t proc none /proc && exec "$@"`
	t.called = name
	t.flags |= syscall.CLONE_NEWNS | syscall.CLONE_NEWPID
	return t.run(ctx, "sh", append([]string{"-c", script, "sh", name}, args...)...)
}

// output runs a program and gives what it wrote to its standard output.
func (t tool) output(ctx context.Context, name string, args ...string) ([]byte, error) {
	var out bytes.Buffer
	t.stdout = &out
	err := t.run(ctx, name, args...)
	return out.Bytes(), err
}

// removeAll removes a work directory at the end of a function whose error is err.
func removeAll(dir string, err *error) { *err = errors.Join(*err, os.RemoveAll(dir)) }

// A tail keeps the end of what is written to it.
type tail struct {
	buf []byte
	max int
}

func (t *tail) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - t.max; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(t.buf)) }
