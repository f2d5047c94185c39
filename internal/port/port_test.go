package port_test

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
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"slipway/internal/ca"
	"slipway/internal/port"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// limit is after how long a test gives up.
const limit = 20 * time.Second

// A served port has an HTTP server behind it that says what it sees.
type served struct {
	addr  string
	roots *x509.CertPool
	web   *http.Server
}

// serve starts a port; its words are answered with "hello WORD".
func serve(t *testing.T, cfg port.Config) *served {
	t.Helper()
	authority, err := ca.Open(ca.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: authority.Certificate}
	if cfg.Talk == nil {
		cfg.Talk = func(_ context.Context, conn net.Conn, word string) {
			defer func() { _ = conn.Close() }()
			rest, _ := bufio.NewReader(conn).ReadString('\n')
			fmt.Fprintf(conn, "hello %s, you said %q", word, rest)
		}
	}
	ln := port.New(tcp, cfg)
	s := &served{addr: tcp.Addr().String(), roots: x509.NewCertPool()}
	s.roots.AppendCertsFromPEM(authority.PEM())
	s.web = &http.Server{
		ReadHeaderTimeout: limit, ConnContext: port.ConnContext,
		Handler: port.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s tls=%t %s", r.Proto, r.TLS != nil, body)
		})),
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context())) // the clean-up ends it
	var running sync.WaitGroup
	running.Go(func() {
		if err := ln.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	running.Go(func() {
		if err := s.web.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(func() {
		if err := s.web.Close(); err != nil {
			t.Error(err)
		}
		cancel()
		running.Wait()
	})
	return s
}

// dial connects without a word.
func (s *served) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// secure makes TLS of a connection, with the protocols that the client offers.
func (s *served) secure(t *testing.T, conn net.Conn, protocols ...string) *tls.Conn {
	t.Helper()
	secured := tls.Client(conn, &tls.Config{RootCAs: s.roots, ServerName: "127.0.0.1", NextProtos: protocols})
	if err := secured.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return secured
}

// ask sends text and reads until the server closes.
func ask(t *testing.T, conn net.Conn, text string) string {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatalf("after %q: %v", text, err)
	}
	return string(answer)
}

const request = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody"

func TestOnePortSpeaksAll(t *testing.T) {
	t.Parallel()
	s := serve(t, port.Config{})
	for name, c := range map[string]struct {
		tls       bool
		protocols []string
		text      string
		want      string
	}{
		"plain HTTP":                      {false, nil, request, "HTTP/1.1 tls=false body"},
		"TLS, HTTP/1.1 by ALPN":           {true, []string{"http/1.1"}, request, "HTTP/1.1 tls=true body"},
		"TLS without ALPN":                {true, nil, request, "HTTP/1.1 tls=true body"},
		"TLS, a long request line":        {true, nil, strings.Replace(request, "/", "/"+strings.Repeat("x", 5000), 1), "HTTP/1.1 tls=true body"},
		"a word":                          {true, nil, "SECRET\r\nmore\n", `hello SECRET, you said "more\n"`},
		"a word with a bare line feed":    {true, nil, "SECRET\nmore\n", `hello SECRET, you said "more\n"`},
		"a word is not heard without TLS": {false, nil, "SECRET\r\n\r\n", "400 Bad Request"},
		"nor behind HTTP's name":          {true, []string{"http/1.1"}, "SECRET\r\n\r\n", "400 Bad Request"},
		"nor if it is too long":           {true, nil, strings.Repeat("x", 200) + "\r\n\r\n", "400 Bad Request"},
		"garbage":                         {false, nil, "\x00\xff\x80\r\n\r\n", "400 Bad Request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := s.dial(t)
			if c.tls {
				conn = s.secure(t, conn, c.protocols...)
			}
			if got := ask(t, conn, c.text); !strings.Contains(got, c.want) {
				t.Errorf("answer = %q, want %q in it", got, c.want)
			}
		})
	}
}

func TestHTTP2(t *testing.T) {
	t.Parallel()
	s := serve(t, port.Config{})
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.roots}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+s.addr+"/", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if got, err := io.ReadAll(resp.Body); err != nil || string(got) != "HTTP/2.0 tls=true body" {
		t.Errorf("answer = %q, %v", got, err)
	}
}

// A word may come byte by byte, and what follows it is not lost.
func TestAWordInPieces(t *testing.T) {
	t.Parallel()
	s := serve(t, port.Config{})
	conn := s.secure(t, s.dial(t))
	for _, b := range []byte("SECRET\r\nmo") {
		if _, err := conn.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := ask(t, conn, "re\n"), `hello SECRET, you said "more\n"`; got != want {
		t.Errorf("answer = %q, want %q", got, want)
	}
}

func TestOnlyTLS(t *testing.T) {
	t.Parallel()
	s := serve(t, port.Config{Only: true})
	if got := ask(t, s.dial(t), request); !strings.HasPrefix(got, "HTTP/1.0 400 ") || !strings.Contains(got, "https://") {
		t.Errorf("without TLS the answer is %q, want 400 and https://", got)
	}
	if got := ask(t, s.secure(t, s.dial(t)), request); !strings.Contains(got, "tls=true") {
		t.Errorf("with TLS the answer is %q", got)
	}
}

// closed waits until the server has closed a connection.
func closed(t *testing.T, conn net.Conn) {
	t.Helper()
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection stays open")
	}
}

func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	s := serve(t, port.Config{Patience: 200 * time.Millisecond})
	for name, begin := range map[string]func(net.Conn) net.Conn{
		"silence":               func(conn net.Conn) net.Conn { return conn },
		"half a handshake":      func(conn net.Conn) net.Conn { _, _ = conn.Write([]byte{0x16, 3, 1}); return conn },
		"silence behind TLS":    func(conn net.Conn) net.Conn { return s.secure(t, conn) },
		"half a line, drip-fed": drip(t, s),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := begin(s.dial(t))
			closed(t, conn)
		})
	}
}

// drip sends a byte at a time for ever: each is progress, and yet none may make
// the patience longer.
func drip(t *testing.T, s *served) func(net.Conn) net.Conn {
	t.Helper()
	return func(conn net.Conn) net.Conn {
		secured := s.secure(t, conn)
		done := make(chan struct{})
		go func() {
			defer close(done)
			tick := time.NewTicker(50 * time.Millisecond)
			defer tick.Stop()
			for range 100 {
				if _, err := secured.Write([]byte("x")); err != nil {
					return
				}
				<-tick.C
			}
			t.Error("a client that drips is heard for 5 s")
		}()
		t.Cleanup(func() { <-done })
		return secured
	}
}

func TestTheLongestSilentGoes(t *testing.T) {
	t.Parallel()
	s := serve(t, port.Config{MaxSilent: 3})
	first := s.dial(t)
	for range 3 {
		s.dial(t)
	}
	closed(t, first)
	if got := ask(t, s.dial(t), request); !strings.Contains(got, "HTTP/1.1 200") {
		t.Errorf("beside silent ones the answer is %q", got)
	}
}

func TestCloseEndsTheSilent(t *testing.T) {
	t.Parallel()
	s := serve(t, port.Config{})
	silent, half := s.dial(t), s.secure(t, s.dial(t))
	ask(t, s.dial(t), request) // by now the others were accepted
	if err := s.web.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	closed(t, silent)
	closed(t, half)
}

func TestRunWaitsForTalk(t *testing.T) {
	t.Parallel()
	started, ended := make(chan struct{}), make(chan struct{})
	s := serve(t, port.Config{Talk: func(ctx context.Context, conn net.Conn, _ string) {
		defer func() { _ = conn.Close() }()
		close(started)
		<-ctx.Done()
		close(ended)
	}})
	t.Cleanup(func() { // before serve's own clean-up
		select {
		case <-ended:
			t.Error("a talk ends before Run's context")
		default:
		}
	})
	conn := s.secure(t, s.dial(t))
	if _, err := io.WriteString(conn, "SECRET\r\n"); err != nil {
		t.Fatal(err)
	}
	<-started
	if err := s.web.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}
