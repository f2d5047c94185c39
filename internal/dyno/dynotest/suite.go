package dynotest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"slipway/internal/dyno"
)

// patience bounds the wait for what should be a matter of moments.
const patience = 30 * time.Second

// Env is what a backend under test is configured with.
type Env struct {
	Dir          string // its own, on disk
	Registry     string
	DialRegistry func(ctx context.Context) (net.Conn, error) `json:"-"`
	Token        func(app string) (string, func())           `json:"-"`
	Limits       dyno.Limits
	Reach        []string
	Resolvers    []netip.AddrPort
	Daemon       string // what Harness.Daemon returned
}

// A Harness is a kind of backend.
type Harness struct {
	// Open opens a backend. The suite closes it.
	Open func(tb testing.TB, env Env) dyno.Backend
	// Left lists what a backend has on the machine, be it open or not:
	// containers, mounts, control groups, devices.
	Left func(tb testing.TB, env Env) []string
	// Daemon starts what backends need, once; it may be nil.
	Daemon func(tb testing.TB) string
	// Hostname is that of every dyno; each dyno's own name if empty.
	Hostname string
}

// A suite is one backend with its slugs.
type suite struct {
	Harness
	env     Env
	reg     *registry
	backend dyno.Backend
	slug    dyno.Slug
	next    atomic.Int64
}

// Limits of the suite's backend: small enough to be reached soon.
func limits() dyno.Limits {
	return dyno.Limits{CPUs: 1, Memory: 64 << 20, Pids: 50, Disk: 24 << 20}
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	t.Helper()
	if text := os.Getenv(crashVariable); text != "" { //nolint:forbidigo // from the test that runs this one
		crashHere(t, h, text)
	}
	s := newSuite(t, h)
	for name, test := range map[string]func(*suite, *testing.T){
		"slugs":       (*suite).testSlugs,
		"output":      (*suite).testOutput,
		"endings":     (*suite).testEndings,
		"environment": (*suite).testEnvironment,
		"limits":      (*suite).testLimits,
		"privileges":  (*suite).testPrivileges,
		"network":     (*suite).testNetwork,
		"dial":        (*suite).testDial,
		"terminal":    (*suite).testTerminal,
		"many":        (*suite).testMany,
	} {
		t.Run(name, func(t *testing.T) { test(s, t) })
	}
	t.Run("after a kill", s.testRecovery)
	if err := s.backend.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
	if found := s.Left(t, s.env); len(found) > 0 {
		t.Errorf("left after Close: %q", found)
	}
	if n := s.reg.live(); n > 0 {
		t.Errorf("%d tokens were not revoked", n)
	}
}

func newSuite(tb testing.TB, h Harness) *suite {
	tb.Helper()
	if testing.Short() {
		tb.Skip("runs containers: not with -short")
	}
	if os.Geteuid() != 0 {
		tb.Fatal("running dynos needs root")
	}
	s := &suite{Harness: h, reg: newRegistry(tb)}
	s.env = Env{
		Dir: tb.TempDir(), Registry: s.reg.addr, DialRegistry: s.reg.dial, Token: s.reg.token, Limits: limits(),
		Reach: []string{net.JoinHostPort(privateAddr, listen(tb))},
	}
	if h.Daemon != nil {
		s.env.Daemon = h.Daemon(tb)
	}
	hostAddresses(tb)
	s.slug = s.reg.push(tb, "shop", fixture{user: "cnb", processes: map[string]string{
		"web":    `echo "$TYPE_SAYS from $PWD"; exec nc -l -p "$PORT" -e echo hello`,
		"worker": `echo working; exec sleep 1000`,
	}}.image(tb))
	s.backend = s.Open(tb, s.env)
	tb.Cleanup(func() {
		if err := s.backend.Close(); err != nil {
			tb.Errorf("Close() = %v", err)
		}
	})
	return s
}

func (s *suite) spec(command string) dyno.Spec {
	return dyno.Spec{ID: fmt.Sprintf("d%d", s.next.Add(1)), App: "shop", Name: "run.1", Slug: s.slug, Command: command}
}

// A proc is a dyno whose output is collected.
type proc struct {
	dyno.Container
	tb    testing.TB
	stdin *os.File
	out   *collector
	err   *collector
}

// start starts a dyno that is removed with the test.
func (s *suite) start(tb testing.TB, spec dyno.Spec) *proc {
	tb.Helper()
	p, err := s.tryStart(tb, spec)
	if err != nil {
		tb.Fatalf("Start(%+v) = %v", spec, err)
	}
	return p
}

func (s *suite) tryStart(tb testing.TB, spec dyno.Spec) (*proc, error) {
	tb.Helper()
	inR, inW := pipe(tb)
	outR, outW := pipe(tb)
	errR, errW := pipe(tb)
	p := &proc{tb: tb, stdin: inW, out: collect(outR), err: collect(errR)}
	tb.Cleanup(func() {
		_ = inW.Close() // maybe again
		<-p.out.done
		<-p.err.done
	})
	c, err := s.backend.Start(tb.Context(), spec, dyno.Stdio{Stdin: inR, Stdout: outW, Stderr: errW})
	for _, f := range []*os.File{inR, outW, errW} {
		_ = f.Close() // ends of pipes
	}
	if err != nil {
		return nil, err
	}
	p.Container = c
	tb.Cleanup(func() {
		if err := c.Remove(context.WithoutCancel(tb.Context())); err != nil {
			tb.Errorf("Remove() = %v", err)
		}
	})
	return p, nil
}

// run runs a command to its end and returns what it wrote.
func (s *suite) run(tb testing.TB, command string) (string, dyno.Exit) {
	tb.Helper()
	p := s.start(tb, s.spec(command))
	_ = p.stdin.Close() // nothing to read
	exit := p.wait()
	if err := p.Remove(tb.Context()); err != nil {
		tb.Errorf("Remove() = %v", err)
	}
	return p.out.all() + p.err.all(), exit
}

func (p *proc) wait() dyno.Exit {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(p.tb.Context(), patience)
	defer cancel()
	exit, err := p.Wait(ctx)
	if err != nil {
		p.tb.Fatalf("Wait() = %v; it wrote %q, %q", err, p.out.now(), p.err.now())
	}
	return exit
}

func pipe(tb testing.TB) (r, w *os.File) {
	tb.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		tb.Fatalf("make pipe: %v", err)
	}
	return r, w
}

// A collector reads a pipe to its end.
type collector struct {
	done    chan struct{}
	changed chan struct{}
	state   chan bytes.Buffer // held by whoever looks at it
}

func collect(r *os.File) *collector {
	c := &collector{done: make(chan struct{}), changed: make(chan struct{}, 1), state: make(chan bytes.Buffer, 1)}
	c.state <- bytes.Buffer{}
	go func() {
		defer close(c.done)
		defer r.Close() //nolint:errcheck // only read
		_, _ = io.Copy(c, r)
	}()
	return c
}

// Write implements io.Writer.
func (c *collector) Write(p []byte) (int, error) {
	b := <-c.state
	b.Write(p)
	c.state <- b
	select {
	case c.changed <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (c *collector) now() string {
	b := <-c.state
	defer func() { c.state <- b }()
	return b.String()
}

// all is what was written until the end.
func (c *collector) all() string {
	<-c.done
	return c.now()
}

// expect waits for a text.
func (p *proc) expect(text string) {
	p.tb.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for !strings.Contains(p.out.now(), text) {
		select {
		case <-p.out.changed:
		case <-p.out.done:
			if !strings.Contains(p.out.now(), text) {
				p.tb.Fatalf("output ended without %q: %q", text, p.out.now())
			}
		case <-late.C:
			p.tb.Fatalf("output lacks %q: %q, %q", text, p.out.now(), p.err.now())
		}
	}
}
