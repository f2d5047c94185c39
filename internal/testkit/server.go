package testkit

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A Server is "slipway serve" in a process of its own.
type Server struct {
	Data  string // its data directory
	HTTP  string // HOST:PORT
	HTTPS string // HOST:PORT, "" if it is off
	SSH   string // HOST:PORT
	Token string // of the administrator
	Cmd   *exec.Cmd

	log  *logBuffer
	done chan struct{} // closed when the process has ended
}

// startTimeout bounds the first start, which unpacks the builder.
const startTimeout = 3 * time.Minute

// StartServer starts program with "serve", the data directory and args, on
// ports of its own, and waits until it serves. It is stopped, if it still
// runs, when the test ends; a server that does not stop fails the test.
func StartServer(tb testing.TB, program, data string, args ...string) *Server {
	tb.Helper()
	all := append([]string{
		"serve", "--data", data, "--http", "127.0.0.1:0", "--ssh", "127.0.0.1:0", "--log-format", "json",
		"--api-rate", "1000000", // who waits for something asks often
	}, args...)
	cmd := exec.Command(program, all...) //nolint:noctx // it is stopped by a signal, to see it stop well
	stderr, err := cmd.StderrPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatalf("start server: %v", err)
	}
	s := &Server{Data: data, Cmd: cmd, log: &logBuffer{}, done: make(chan struct{})}
	serving := make(chan map[string]string, 1)
	go func() {
		defer close(s.done)
		s.read(stderr, serving)
		_ = cmd.Wait() // the tests look at what it did
	}()
	tb.Cleanup(func() { s.Stop(tb) })
	select {
	case line := <-serving:
		s.HTTP, s.HTTPS, s.SSH = line["http"], line["https"], line["ssh"]
	case <-s.done:
		tb.Fatalf("the server ended:\n%s", s.Log())
	case <-time.After(startTimeout):
		tb.Fatalf("the server does not serve after %s:\n%s", startTimeout, s.Log())
	}
	token, err := os.ReadFile(filepath.Join(data, "admin-token"))
	if err != nil {
		tb.Fatal(err)
	}
	s.Token = strings.TrimSpace(string(token))
	return s
}

// read keeps the server's log, and sends the line that says it serves.
func (s *Server) read(stderr io.Reader, serving chan<- map[string]string) {
	lines := bufio.NewScanner(stderr)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		s.log.add(lines.Text())
		var entry struct{ Msg, HTTP, HTTPS, SSH string }
		if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Msg == "serving" {
			serving <- map[string]string{"http": entry.HTTP, "https": entry.HTTPS, "ssh": entry.SSH}
		}
	}
}

// Await waits until the server has logged a message.
func (s *Server) Await(tb testing.TB, message string) {
	tb.Helper()
	late := time.NewTimer(startTimeout)
	defer late.Stop()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for !strings.Contains(s.Log(), `"msg":"`+message+`"`) {
		select {
		case <-look.C:
		case <-s.done:
			tb.Fatalf("the server ended before %q:\n%s", message, s.Log())
		case <-late.C:
			tb.Fatalf("the server has not logged %q after %s:\n%s", message, startTimeout, s.Log())
		}
	}
}

// Log is what the server has logged so far.
func (s *Server) Log() string { return s.log.String() }

// Stop asks the server to stop and waits until it has.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	s.end(tb, syscall.SIGTERM)
	if code := s.Cmd.ProcessState.ExitCode(); code > 0 {
		tb.Errorf("the server exited with %d:\n%s", code, s.Log())
	}
}

// Kill ends the server as a crash would.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	s.end(tb, syscall.SIGKILL)
}

func (s *Server) end(tb testing.TB, sig syscall.Signal) {
	tb.Helper()
	// Clean-ups come here too, after the test's own context has ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), time.Minute)
	defer cancel()
	_ = s.Cmd.Process.Signal(sig) // it may have ended by itself
	select {
	case <-s.done:
	case <-ctx.Done():
		_ = s.Cmd.Process.Signal(syscall.SIGQUIT)
		<-s.done
		tb.Errorf("the server did not stop within a minute:\n%s", s.Log())
	}
}

// A logBuffer is a log that is read while it is written.
type logBuffer struct {
	mu    sync.Mutex
	lines []string
}

func (b *logBuffer) add(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, line)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.lines, "\n")
}
