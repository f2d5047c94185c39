package logs_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"slipway/internal/logs"
)

// runDrains sends until the test ends or stop is called.
func runDrains(t *testing.T, s *logs.Store, cfg logs.DrainsConfig) (d *logs.Drains, stop func()) {
	t.Helper()
	cfg.Retry, cfg.MaxRetry = time.Millisecond, 20*time.Millisecond
	d = logs.NewDrains(s, cfg)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() {
		done <- d.Run(ctx)
		close(done)
	}()
	stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run() = %v, want nil", err)
		}
	}
	t.Cleanup(stop)
	return d, stop
}

func set(t *testing.T, d *logs.Drains, drains ...logs.Drain) {
	t.Helper()
	if err := d.Set(app, drains); err != nil {
		t.Fatalf("Set() = %v, want nil", err)
	}
}

// readFrame reads a frame with octet counting.
func readFrame(r *bufio.Reader) (string, error) {
	length, err := r.ReadString(' ')
	if err != nil {
		return "", err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, " "))
	if err != nil {
		return "", err
	}
	frame := make([]byte, n)
	if _, err := io.ReadFull(r, frame); err != nil {
		return "", fmt.Errorf("frame of %d bytes: %w", n, err)
	}
	return string(frame), nil
}

// A receiver is a syslog server.
type receiver struct {
	t      *testing.T
	ln     net.Listener
	quiet  bool // whether clients may go away in the middle
	frames chan string
	ends   func()
}

func listen(t *testing.T, addr string) *receiver {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return receive(t, ln, false)
}

func receive(t *testing.T, ln net.Listener, quiet bool) *receiver {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &receiver{t: t, ln: ln, quiet: quiet, frames: make(chan string)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			r.read(ctx, conn)
		}
	}()
	r.ends = func() {
		cancel()
		ln.Close()
		<-done
	}
	t.Cleanup(r.ends)
	return r
}

func (r *receiver) read(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	for in := bufio.NewReader(conn); ; {
		frame, err := readFrame(in)
		if err != nil {
			if ctx.Err() == nil && !errors.Is(err, io.EOF) && !r.quiet {
				r.t.Errorf("receiver: %v", err)
			}
			return
		}
		select {
		case r.frames <- frame:
		case <-ctx.Done():
			return
		}
	}
}

// until returns the frames up to one that has a text.
func (r *receiver) until(text string) (frames []string) {
	r.t.Helper()
	late := time.After(10 * time.Second)
	for {
		select {
		case f := <-r.frames:
			frames = append(frames, f)
			if strings.Contains(f, text) {
				return frames
			}
		case <-late:
			r.t.Fatalf("no frame with %q came within 10s; got %d others", text, len(frames))
		}
	}
}

var at = time.Date(2026, 11, 25, 1, 2, 3, 456789000, time.UTC)

func TestSyslogDrain(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	r := listen(t, "127.0.0.1:0")
	d, _ := runDrains(t, s, logs.DrainsConfig{})
	s.Append(app, web("before"))
	set(t, d, logs.Drain{ID: "1", URL: "syslog://" + r.ln.Addr().String(), Token: "d.7 7"})
	for _, c := range []struct {
		line logs.Line
		want string
	}{
		{logs.Line{Source: "app", Dyno: "web.1", Text: "hé [x]"}, "<190>1 2026-11-25T01:02:03.456789+00:00 d.7-7 app web.1 - - hé [x]\n"},
		{logs.Line{Source: "slipway", Dyno: "router"}, "<158>1 2026-11-25T01:02:03.456789+00:00 d.7-7 slipway router - - \n"},
		{logs.Line{Source: "slipway", Dyno: "web.1", Text: "x"}, "<45>1 2026-11-25T01:02:03.456789+00:00 d.7-7 slipway web.1 - - x\n"},
		{logs.Line{Source: "app", Text: "x"}, "<190>1 2026-11-25T01:02:03.456789+00:00 d.7-7 app - - - x\n"},
	} {
		c.line.At = at
		s.Append(app, c.line)
		if got := r.until("2026"); got[0] != c.want {
			t.Errorf("frame of %v = %q, want %q", c.line, got[0], c.want)
		}
	}
}

func TestSyslogDrainOverTLS(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	ln, pool := tlsServer(t)
	r := receive(t, ln, false)
	d, _ := runDrains(t, s, logs.DrainsConfig{RootCAs: pool})
	set(t, d, logs.Drain{ID: "1", URL: "syslog+tls://" + r.ln.Addr().String(), Token: "t"})
	s.Append(app, web("secret"))
	r.until("secret")
}

func TestCertificatesAreChecked(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	ln, _ := tlsServer(t)
	addr := receive(t, ln, true).ln.Addr().String()
	d, _ := runDrains(t, s, logs.DrainsConfig{Grace: time.Millisecond})
	tail := follow(t.Context(), t, s, logs.Options{Num: 9, Source: logs.SourceSlipway})
	set(t, d, logs.Drain{ID: "mine", URL: "syslog+tls://user:hunter2@" + addr, Token: "t"})
	s.Append(app, web("secret"))
	got := tail.next().Text
	if !strings.HasPrefix(got, "Error L13 (delivery error): drain mine at "+addr) || !strings.Contains(got, "certificate") || strings.Contains(got, "hunter2") {
		t.Errorf("line = %q, want one about the certificate, without the password", got)
	}
}

func TestDrainReconnects(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	r := listen(t, "127.0.0.1:0")
	addr := r.ln.Addr().String()
	d, _ := runDrains(t, s, logs.DrainsConfig{})
	tail := follow(t.Context(), t, s, logs.Options{Num: 9, Dyno: "logs"})
	set(t, d, logs.Drain{ID: "1", URL: "syslog://" + addr, Token: "t"})
	s.Append(app, web("one"))
	r.until("one")
	r.ends()
	// Once it was noticed that the receiver is gone, nothing is lost. A line that
	// the socket still took tells nobody: then it is the next that does.
	for noticed := false; !noticed; {
		s.Append(app, web("maybe lost"))
		select {
		case l := <-tail.lines:
			noticed = strings.Contains(l.Text, "L13")
		case <-time.After(10 * time.Millisecond):
		}
	}
	s.Append(app, web("two"))
	r = listen(t, addr)
	s.Append(app, web("three"))
	var got []string
	for _, f := range r.until("three") {
		if !strings.Contains(f, "lost") && !strings.Contains(f, "L13") {
			got = append(got, f[strings.LastIndex(f, " ")+1:])
		}
	}
	if strings.Join(got, "") != "two\nthree\n" {
		t.Errorf("frames after the receiver came back = %q, want two and three", got)
	}
}

func TestSlowReceiverIsToldWhatItMissed(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	r := listen(t, "127.0.0.1:0") // reads a frame when the test takes one
	d, _ := runDrains(t, s, logs.DrainsConfig{})
	set(t, d, logs.Drain{ID: "1", URL: "syslog://" + r.ln.Addr().String(), Token: "t"})
	const lines = 4000
	filler := strings.Repeat("x", 5000) // 20 MB in all, more than sockets hold
	for i := range lines {
		s.Append(app, web("%d %s", i, filler))
	}
	s.Append(app, web("the end"))
	past(t, s, logs.Options{Num: 1}) // all of it is on disk, or gone again
	got, missed := 0, 0
	notice := regexp.MustCompile(`^<172>1 .* slipway logs - - Error L10 \(drain buffer overflow\): (\d+) messages dropped since 20.*\.\n$`)
	for _, f := range r.until("the end") {
		if m := notice.FindStringSubmatch(f); m != nil {
			n, _ := strconv.Atoi(m[1])
			missed += n
		} else {
			got++
		}
	}
	if missed == 0 || got+missed != lines+1 {
		t.Errorf("the receiver got %d lines and was told of %d, want some missing and %d in all", got, missed, lines+1)
	}
}

func TestWhatIsLeftIsSentAtTheEnd(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	r := listen(t, "127.0.0.1:0")
	d, stop := runDrains(t, s, logs.DrainsConfig{})
	set(t, d, logs.Drain{ID: "1", URL: "syslog://" + r.ln.Addr().String(), Token: "t"})
	s.Append(app, web("first"))
	r.until("first")
	s.Append(app, web("last"))
	stop()
	r.until("last")
}

func TestStuckReceiverDoesNotHoldTheEnd(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	d, stop := runDrains(t, s, logs.DrainsConfig{Grace: 50 * time.Millisecond, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	set(t, d, logs.Drain{ID: "1", URL: "syslog://127.0.0.1:1", Token: "t"}, logs.Drain{ID: "2", URL: "https://127.0.0.1:1", Token: "t"})
	s.Append(app, web("x"))
	stop() // the test's own deadline fails it
}

func TestSetStopsAndKeepsDrains(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	a, b := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	one := logs.Drain{ID: "1", URL: "syslog://" + a.ln.Addr().String(), Token: "a"}
	two := logs.Drain{ID: "2", URL: "syslog://" + b.ln.Addr().String(), Token: "b"}
	d, _ := runDrains(t, s, logs.DrainsConfig{})
	set(t, d, one)
	s.Append(app, web("x1"))
	a.until("x1")
	if err := d.Set(app, []logs.Drain{one, two, {ID: "3", URL: "ftp://u:hunter2@h"}}); !errors.Is(err, logs.ErrDrain) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Set() with a bad drain = %v, want %v", err, logs.ErrDrain)
	}
	s.Append(app, web("x2"))
	if got := append(a.until("x2"), b.until("x2")...); len(got) != 2 {
		t.Errorf("frames = %q, want x2 at both", got)
	}
	set(t, d, two)
	s.Append(app, web("x3"))
	b.until("x3")
	select {
	case f := <-a.frames:
		t.Errorf("a removed drain sent %q", f)
	default:
	}
	set(t, d)
}

// A post is what an HTTPS drain received.
type post struct {
	header http.Header
	frames []string
}

func TestHTTPSDrain(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	posts := make(chan post)
	status := make(chan int, 4)
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := post{header: r.Header}
		p.header.Set("path", r.Method+" "+r.RequestURI)
		for in := bufio.NewReader(r.Body); ; {
			f, err := readFrame(in)
			if err != nil {
				break
			}
			p.frames = append(p.frames, f)
		}
		posts <- p
		w.WriteHeader(<-status)
	}))
	t.Cleanup(srv.Close)
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	d, _ := runDrains(t, s, logs.DrainsConfig{RootCAs: pool})
	set(t, d, logs.Drain{ID: "1", URL: strings.Replace(srv.URL, "https://", "https://user:hunter2@", 1) + "/in?k=v", Token: "d.77"})

	s.Append(app, logs.Line{At: at, Source: "app", Dyno: "web.1", Text: "one"})
	first := <-posts
	if want := "<190>1 2026-11-25T01:02:03.456789+00:00 host app web.1 - one\n"; len(first.frames) != 1 || first.frames[0] != want {
		t.Errorf("frames = %q, want %q", first.frames, want)
	}
	for key, want := range map[string]string{
		"Content-Type": "application/logplex-1", "Logplex-Msg-Count": "1", "Logplex-Drain-Token": "d.77",
		"Authorization": "Basic dXNlcjpodW50ZXIy", "path": "POST /in?k=v",
	} {
		if got := first.header.Get(key); got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
	status <- http.StatusServiceUnavailable
	again := <-posts
	if id := first.header.Get("Logplex-Frame-Id"); id == "" || again.header.Get("Logplex-Frame-Id") != id || len(again.frames) != 1 {
		t.Errorf("the second try = %v, want the same as %v", again, first)
	}
	tail := past(t, s, logs.Options{Num: 1, Dyno: "logs"})
	if len(tail) != 1 || !strings.Contains(tail[0].Text, ": answered 503 Service Unavailable;") || strings.Contains(tail[0].Text, "hunter2") {
		t.Errorf("line about it = %q, want an L13 without the password", texts(tail))
	}
	status <- http.StatusOK
	<-posts // the L13
	s.Append(app, web("two"), web("three"))
	status <- http.StatusBadRequest
	status <- http.StatusNoContent
	if p := <-posts; len(p.frames) != 2 || p.header.Get("Logplex-Msg-Count") != "2" {
		t.Errorf("frames = %q of %s, want what came meanwhile at once", p.frames, p.header.Get("Logplex-Msg-Count"))
	}
}

func TestCheckDrain(t *testing.T) {
	t.Parallel()
	for url, ok := range map[string]bool{
		"syslog://logs.example.com": true, "syslog://h:1": true, "syslog+tls://h": true, "https://u:p@h/x?y": true,
		"http://h": false, "": false, "h:1": false, "syslog://": false, "https://:443": false, "file:///etc": false, "https://u:p@h:x": false, "\x00": false,
	} {
		if err := logs.CheckDrain(url); (err == nil) != ok || err != nil && !errors.Is(err, logs.ErrDrain) {
			t.Errorf("CheckDrain(%q) = %v, want ok: %v", url, err, ok)
		}
	}
}

// tlsServer listens with a certificate that only pool trusts.
func tlsServer(t *testing.T) (net.Listener, *x509.CertPool) {
	t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	srv.StartTLS()
	cfg := srv.TLS.Clone()
	cfg.NextProtos = nil
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	srv.Close()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return tls.NewListener(ln, cfg), pool
}
