// Package dockerd starts a Docker daemon for a test: a real one, Debian's,
// with directories, a socket and a bridge of its own, so that it shares
// nothing with a daemon that the machine may run.
//
// It needs root and the program dockerd; a test fails without them, unless it
// runs with -short, when it is skipped.
package dockerd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	startIn = 60 * time.Second
	stopIn  = 30 * time.Second
)

// A Daemon is a running dockerd.
type Daemon struct {
	// Host is its address, as in DOCKER_HOST.
	Host string
	// Dir holds everything of it.
	Dir string

	cmd  *exec.Cmd
	log  logBuffer
	done chan struct{} // closed when the process has ended
}

// Start starts a daemon that ends with the test.
func Start(tb testing.TB) *Daemon {
	tb.Helper()
	if testing.Short() {
		tb.Skip("needs a Docker daemon: not with -short")
	}
	dir, err := os.MkdirTemp("", dirPrefix) //nolint:usetesting // tb.TempDir is too long: a socket's path may be 107 bytes
	if err != nil {
		tb.Fatalf("make directory: %v", err)
	}
	sweep(tb)
	claim(tb, dir)
	d, err := run(tb.Context(), dir)
	if err != nil {
		tb.Fatalf("start dockerd: %v\n%s", err, d.tail())
	}
	tb.Cleanup(func() {
		if err := d.Stop(); err != nil {
			tb.Errorf("stop dockerd: %v\n%s", err, d.tail())
		}
	})
	return d
}

func run(ctx context.Context, dir string) (*Daemon, error) {
	d := &Daemon{Dir: dir, Host: "unix://" + filepath.Join(dir, "docker.sock"), done: make(chan struct{})}
	bridge, err := newBridge()
	if err != nil {
		return d, err
	}
	if err := os.WriteFile(filepath.Join(dir, bridgeFile), []byte(bridge), 0o600); err != nil {
		return d, errors.Join(err, removeBridge(bridge))
	}
	config := filepath.Join(dir, "daemon.json") // none: the machine's is for another
	if err := os.WriteFile(config, []byte("{}"), 0o600); err != nil {
		return d, fmt.Errorf("write configuration: %w", err)
	}
	d.cmd = exec.Command("dockerd", //nolint:noctx // it ends by Stop, with SIGTERM
		"--config-file", config,
		"--data-root", filepath.Join(dir, "data"),
		"--exec-root", filepath.Join(dir, "exec"),
		"--pidfile", filepath.Join(dir, "docker.pid"),
		"--host", d.Host,
		"--bridge", bridge,
		"--iptables=false", "--ip-masq=false", "--ip-forward=false", "--userland-proxy=false",
	)
	d.cmd.Stdout, d.cmd.Stderr = &d.log, &d.log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := d.cmd.Start(); err != nil {
		return d, errors.Join(err, removeBridge(bridge))
	}
	go func() {
		defer close(d.done)
		_ = d.cmd.Wait() // its end is what matters
		_ = removeBridge(bridge)
	}()
	ctx, cancel := context.WithTimeout(ctx, startIn)
	defer cancel()
	if err := d.ready(ctx); err != nil {
		return d, errors.Join(err, d.Stop())
	}
	return d, nil
}

// ready waits until the daemon answers.
func (d *Daemon) ready(ctx context.Context) error {
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var nd net.Dialer
		return nd.DialContext(ctx, "unix", strings.TrimPrefix(d.Host, "unix://"))
	}}
	defer tr.CloseIdleConnections()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://docker/_ping", nil)
		if err != nil {
			return err
		}
		if resp, err := (&http.Client{Transport: tr}).Do(req); err == nil {
			_ = resp.Body.Close() // the status says it all
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("daemon does not answer: %w", ctx.Err())
		case <-d.done:
			return errors.New("daemon has ended")
		case <-again.C:
		}
	}
}

// Stop ends the daemon and its containers.
func (d *Daemon) Stop() error {
	if d.cmd == nil || d.cmd.Process == nil {
		return nil
	}
	_ = d.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	late := time.NewTimer(stopIn)
	defer late.Stop()
	select {
	case <-d.done:
		return nil
	case <-late.C:
	}
	// The group: dockerd's containerd too.
	_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
	<-d.done
	return errors.New("daemon did not end by itself")
}

func (d *Daemon) tail() string {
	lines := strings.Split(d.log.String(), "\n")
	return strings.Join(lines[max(0, len(lines)-30):], "\n")
}

// A logBuffer keeps what a daemon says.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
