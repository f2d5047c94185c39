//go:build bench

package bench

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"slipway/internal/router"
)

const (
	// roleVar makes a process of this test's binary a part of the comparison.
	roleVar = "SLIPWAY_BENCH_ROLE"
	toVar   = "SLIPWAY_BENCH_TO" // the dyno's address, for the router

	wrkSeconds = 3
)

// TestRouter compares our router with Caddy's reverse proxy: the same dyno, the
// same load by wrk, one after the other in each round, each in a process of its
// own. Ours writes the line of each request besides; Caddy logs nothing.
func TestRouter(t *testing.T) {
	for _, peer := range []string{"caddy", "wrk"} {
		if _, err := exec.LookPath(peer); err != nil {
			t.Fatalf("%v: install it with make bench, or apt-get install %s", err, peer)
		}
	}
	dyno := spawn(t, exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestRole$"), roleVar+"=dyno")
	ours := spawn(t, exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestRole$"), roleVar+"=router", toVar+"="+dyno)
	theirs := caddy(t, dyno)

	var rows []row
	for _, connections := range []int{16, 256} {
		var mine, peers load
		for n := range *rounds + 1 { // the first warms up
			m, p := attack(t, ours, connections), attack(t, theirs, connections)
			if n > 0 {
				mine.add(m)
				peers.add(p)
			}
		}
		name := fmt.Sprintf("router, %d connections: ", connections)
		rows = append(rows,
			against(name+"time a request / Caddy", median(mine.each), median(peers.each), "us", 1),
			against(name+"99th percentile / Caddy", median(mine.p99), median(peers.p99), "ms", 1),
		)
	}
	report(t, rows)
}

// load is what wrk measured, a round each.
type load struct{ each, p99 []float64 }

func (l *load) add(m load) {
	l.each = append(l.each, m.each...)
	l.p99 = append(l.p99, m.p99...)
}

var (
	rate     = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	slowest  = regexp.MustCompile(`99%\s+([\d.]+)(us|ms|s)`)
	badReply = regexp.MustCompile(`(?m)^\s*(Non-2xx|Socket errors).*`)
)

// attack measures one proxy for a while.
func attack(t *testing.T, addr string, connections int) load {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "wrk", "-t1", "-c"+strconv.Itoa(connections), fmt.Sprintf("-d%ds", wrkSeconds),
		"--latency", "-H", "Host: hello.localhost", "http://"+addr+"/path?query=1").CombinedOutput()
	if err != nil || badReply.Match(out) {
		t.Fatalf("wrk %s: %v\n%s", addr, err, out)
	}
	r, s := rate.FindSubmatch(out), slowest.FindSubmatch(out)
	if r == nil || s == nil {
		t.Fatalf("wrk did not say what it measured:\n%s", out)
	}
	a, err := strconv.ParseFloat(string(r[1]), 64)
	if err != nil || a == 0 {
		t.Fatalf("wrk made no requests:\n%s", out)
	}
	p, err := time.ParseDuration(string(s[1]) + string(s[2]))
	if err != nil {
		t.Fatal(err)
	}
	return load{each: []float64{1e6 / a}, p99: []float64{p.Seconds() * 1000}}
}

// caddy starts Caddy before the dyno, and returns its address.
func caddy(t *testing.T, dyno string) string {
	t.Helper()
	addr := freeAddress(t)
	file := filepath.Join(t.TempDir(), "Caddyfile")
	_, port, _ := strings.Cut(addr, ":")
	text := "{\n\tadmin off\n\tauto_https off\n}\nhttp://:" + port + " {\n\tbind 127.0.0.1\n\treverse_proxy " + dyno + "\n}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "caddy", "run", "--config", file, "--adapter", "caddyfile")
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	stopAfter(t, cmd)
	listens(t, addr, &said)
	return addr
}

// listens waits until a peer takes connections.
func listens(t *testing.T, addr string, said fmt.Stringer) {
	t.Helper()
	late := time.NewTimer(20 * time.Second)
	defer late.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		var d net.Dialer
		if c, err := d.DialContext(t.Context(), "tcp", addr); err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-again.C:
		case <-late.C:
			t.Fatalf("nobody answers at %s:\n%s", addr, said)
		}
	}
}

// freeAddress is one of loopback that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	return ln.Addr().String()
}

// spawn starts a role, and returns the address that it prints.
func spawn(t *testing.T, cmd *exec.Cmd, env ...string) string {
	t.Helper()
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	stopAfter(t, cmd)
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s %v did not start: %v", cmd.Args, env, err)
	}
	return strings.TrimSpace(addr)
}

func stopAfter(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// TestRole is no test: it is what the processes of TestRouter run, until they
// are killed.
func TestRole(t *testing.T) {
	role := os.Getenv(roleVar)
	var h http.Handler
	switch role {
	case "":
		t.Skip("only a part of TestRouter")
	case "dyno":
		h = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			fmt.Fprint(w, "hello, world")
		})
	case "router":
		rt := router.New(router.Config{Apps: oneDyno(os.Getenv(toVar)), Domain: "localhost", Log: func(string, string) {}})
		defer rt.Close()
		h = rt
	}
	srv := httptest.NewServer(h)
	defer srv.Close()
	fmt.Println(srv.Listener.Addr())
	<-t.Context().Done()
}

// oneDyno is an app with one dyno, at an address.
type oneDyno string

var _ router.Apps = oneDyno("")

func (oneDyno) Find(_ context.Context, host string) (string, bool) {
	return "hello", host == "hello.localhost"
}

func (d oneDyno) Upstream(context.Context, string) (router.Upstream, func(), error) {
	return router.Upstream{Name: "web.1", Key: "web.1", Dial: func(ctx context.Context) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "tcp", string(d))
	}}, func() {}, nil
}

func (oneDyno) Failed(string, router.Upstream) {}
