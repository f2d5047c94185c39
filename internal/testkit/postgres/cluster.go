package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	startIn = 30 * time.Second
	stopIn  = 20 * time.Second
	// attempts are made to start, for the case that another program takes the port.
	attempts = 3
)

// A cluster is a running server, in PostgreSQL's own word.
type cluster struct {
	dir  string // its data, socket and log
	bin  string // where its programs are
	port int
	as   *syscall.SysProcAttr // whom it runs as

	claimed *os.File
	cmd     *exec.Cmd
	done    chan struct{} // closed when the process has ended
}

// newCluster makes a server's directory and starts it.
func newCluster(ctx context.Context) (*cluster, error) {
	ctx, cancel := context.WithTimeout(ctx, startIn)
	defer cancel()
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	sweep()
	c := &cluster{bin: bin}
	if err := c.makeDir(); err != nil {
		return nil, err
	}
	if err := c.init(ctx); err != nil {
		return nil, errors.Join(err, c.remove())
	}
	for range attempts {
		if err = c.run(ctx); err == nil {
			return c, nil
		}
	}
	return nil, errors.Join(err, c.remove())
}

// programs finds the newest PostgreSQL that Debian installed.
func programs() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.Join(errors.New("it is not installed: apt-get install postgresql"), err)
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// makeDir makes a directory for the user that the server runs as: it refuses
// to run as root.
func (c *cluster) makeDir() (err error) {
	// Short: the socket is in it, and its path may have 107 bytes.
	if c.dir, err = os.MkdirTemp("", dirPrefix); err != nil {
		return err
	}
	if c.claimed, err = claim(c.dir); err != nil {
		return errors.Join(err, os.RemoveAll(c.dir))
	}
	c.as = &syscall.SysProcAttr{}
	if os.Getuid() != 0 {
		return nil
	}
	who, err := user.Lookup("postgres")
	if err != nil {
		return errors.Join(fmt.Errorf("its Debian package makes a user: %w", err), c.remove())
	}
	uid, errUID := strconv.ParseUint(who.Uid, 10, 32)
	gid, errGID := strconv.ParseUint(who.Gid, 10, 32)
	err = errors.Join(errUID, errGID, os.Chown(c.dir, int(uid), int(gid)))
	if err != nil {
		return errors.Join(err, c.remove())
	}
	c.as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return nil
}

// init makes an empty cluster. Its texts sort by the rules of a language, as
// in many a real one, so that a query that needs another order is found out.
func (c *cluster) init(ctx context.Context) error {
	return c.command(ctx, "initdb", "-D", c.data(), "-U", "postgres", "-A", "trust", "--no-sync", "--no-instructions",
		"--encoding", "UTF8", "--locale", "C.UTF-8", "--locale-provider", "icu", "--icu-locale", "en-US")
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

// run starts the server on a free port, and waits until it answers.
func (c *cluster) run(ctx context.Context) error {
	var err error
	if c.port, err = freePort(ctx); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(c.dir, "log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the server has its own

	c.cmd = exec.Command(filepath.Join(c.bin, "postgres"), //nolint:noctx // it ends by stop, with SIGINT
		"-D", c.data(), "-h", "127.0.0.1", "-p", strconv.Itoa(c.port), "-k", c.dir,
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=200")
	c.cmd.Dir, c.cmd.Stdout, c.cmd.Stderr = c.dir, log, log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as.Credential, Setpgid: true, Pdeathsig: syscall.SIGINT}
	c.done = make(chan struct{})
	if err := c.cmd.Start(); err != nil {
		return err
	}
	go func(cmd *exec.Cmd, done chan struct{}) {
		defer close(done)
		_ = cmd.Wait() // its end is what matters
	}(c.cmd, c.done)
	if err := c.ready(ctx); err != nil {
		text, _ := os.ReadFile(log.Name())
		return errors.Join(fmt.Errorf("%w\n%s", err, text), c.end())
	}
	return nil
}

func freePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// ready waits until the server answers.
func (c *cluster) ready(ctx context.Context) error {
	again := time.NewTicker(30 * time.Millisecond)
	defer again.Stop()
	for {
		if c.sql(ctx, "SELECT 1") == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", ctx.Err())
		case <-c.done:
			return errors.New("the server has ended")
		case <-again.C:
		}
	}
}

// sql runs a statement as the administrator.
func (c *cluster) sql(ctx context.Context, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, startIn)
	defer cancel()
	return c.command(ctx, "psql", "-X", "-q", "-h", c.dir, "-p", strconv.Itoa(c.port), "-U", "postgres", "-c", statement)
}

func (c *cluster) command(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = c.dir, c.as
	cmd.Env = []string{"PATH=" + c.bin + ":/usr/bin:/bin", "LC_ALL=C.UTF-8"} // nothing of PGHOST and its like
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, bytes.TrimSpace(out))
	}
	return nil
}

// stop ends the server and removes its directory.
func (c *cluster) stop() error { return errors.Join(c.end(), c.remove()) }

// end ends the process: at once for those who are connected, but cleanly.
func (c *cluster) end() error {
	_ = c.cmd.Process.Signal(syscall.SIGINT) // it may have ended
	late := time.NewTimer(stopIn)
	defer late.Stop()
	select {
	case <-c.done:
		return nil
	case <-late.C:
	}
	_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
	<-c.done
	return errors.New("the server did not end by itself")
}

func (c *cluster) remove() error {
	return errors.Join(os.RemoveAll(c.dir), c.claimed.Close())
}
