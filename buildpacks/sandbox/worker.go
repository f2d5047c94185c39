package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// workerName is what a worker is called, and known by.
const workerName = "slipway-sandbox"

// workerFD is where a worker finds its end of the conversation.
const workerFD = 3

// setup is the first message to a worker.
type setup struct {
	Config
	Dir    string
	Cgroup []string // directories; none where there are no cgroups
	Users  bool     // the worker has a user namespace of its own
}

// ready is its answer.
type ready struct {
	Err     string
	Watched bool
	Missing []string
}

// A worker is a process that runs programs, one at a time.
type worker struct {
	process *os.Process
	conn    net.Conn
	in      *json.Decoder
	out     *json.Encoder
	cgroup  *cgroup
	stderr  *os.File
}

// startWorker starts this program again, as a worker.
func startWorker(ctx context.Context, cfg Config, dir string, users bool) (_ *worker, _ *Support, err error) {
	ours, theirs, err := conversation()
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = theirs.Close() }() // the worker has its own
	w := &worker{conn: ours, in: json.NewDecoder(ours), out: json.NewEncoder(ours)}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	var missing []string
	if !cfg.Plain {
		if w.cgroup, err = newCgroup(); err != nil {
			missing = append(missing, "one limit of memory and processes for all that a bin/detect starts ("+err.Error()+"): each process has one of its own")
			w.cgroup = nil
		}
	}
	if w.stderr, err = os.CreateTemp("", "slipway-sandbox-log-"); err != nil {
		return nil, nil, fmt.Errorf("start sandbox: %w", err)
	}
	_ = os.Remove(w.stderr.Name()) // it lives as long as it is open
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, nil, fmt.Errorf("start sandbox: %w", err)
	}
	defer func() { _ = null.Close() }() // it was only read
	w.process, err = os.StartProcess("/proc/self/exe", []string{workerName}, &os.ProcAttr{
		Dir: "/", Env: []string{"GOTRACEBACK=none"},
		Files: []*os.File{null, w.stderr, w.stderr, theirs}, Sys: namespaces(cfg.Plain, users),
	})
	if err != nil {
		return nil, nil, fmt.Errorf("make namespaces: %w%s", reason(err), userHint(users))
	}
	var answer ready
	err = w.ask(ctx, setup{Config: cfg, Dir: dir, Cgroup: w.cgroup.dirs(), Users: users}, &answer, time.Minute)
	if err != nil {
		return nil, nil, fmt.Errorf("start sandbox: %w", err)
	}
	if answer.Err != "" {
		return nil, nil, fmt.Errorf("%s%s", answer.Err, userHint(users))
	}
	return w, &Support{Isolated: !cfg.Plain, Watched: answer.Watched, Missing: append(missing, answer.Missing...)}, nil
}

// namespaces are what a worker is started in; those of each program come on top.
func namespaces(plain, users bool) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true}
	if plain {
		return attr
	}
	attr.Cloneflags = unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS
	if users {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return attr
}

func userHint(users bool) string {
	if !users {
		return ""
	}
	return "; run it as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns, user.max_user_namespaces)"
}

// reason is an error without the path of this program.
func reason(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	return err
}

// conversation makes the two ends of a connection.
func conversation() (net.Conn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("start sandbox: %w", err)
	}
	one, theirs := os.NewFile(uintptr(fds[0]), "sandbox"), os.NewFile(uintptr(fds[1]), "sandbox")
	ours, err := net.FileConn(one)
	if err := errors.Join(err, one.Close()); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("start sandbox: %w", err), theirs.Close())
	}
	return ours, theirs, nil
}

// run has it run a program.
func (w *worker) run(ctx context.Context, c Command) (*Outcome, error) {
	var out Outcome
	// What ends late has been waited for by the worker, which is in time itself.
	limit := time.Hour
	if c.Limits.Timeout > 0 {
		limit = c.Limits.Timeout + 30*time.Second
	}
	if err := w.ask(ctx, c, &out, limit); err != nil {
		return nil, err
	}
	return &out, nil
}

// ask sends a message and waits for the answer to it.
func (w *worker) ask(ctx context.Context, message, answer any, limit time.Duration) error {
	if err := w.conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = w.conn.SetDeadline(time.Unix(1, 0)) }) // it is closed, then
	defer stop()
	err := w.out.Encode(message)
	if err == nil {
		err = w.in.Decode(answer)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("the sandbox ended (%w)%s", err, w.lastWords())
	}
	return nil
}

// lastWords are what a worker printed, which it does only when it breaks.
func (w *worker) lastWords() string {
	text := make([]byte, 1<<10)
	n, err := w.stderr.ReadAt(text, 0)
	if n == 0 && err != nil {
		return ""
	}
	line, _, _ := bytes.Cut(bytes.TrimSpace(text[:n]), []byte("\n"))
	return ": " + strings.ToValidUTF8(string(line), "?")
}

// close ends the worker, and so all that it started. It may be called in any
// state.
func (w *worker) close() error {
	const grace = 3 * time.Second
	err := w.conn.Close() // which tells it to end
	if w.process != nil {
		timer := time.AfterFunc(grace, func() { _ = w.process.Kill() }) // it may be gone
		_, waitErr := w.process.Wait()
		timer.Stop()
		err = errors.Join(err, waitErr)
	}
	if w.stderr != nil {
		err = errors.Join(err, w.stderr.Close())
	}
	return errors.Join(err, w.cgroup.remove())
}
