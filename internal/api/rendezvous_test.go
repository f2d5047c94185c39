package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/apitest"
	"slipway/internal/dyno"
	"slipway/internal/wire"
)

// meetable starts a server that gives out secrets.
func meetable(t *testing.T) *apitest.Server {
	t.Helper()
	return apitest.Start(t, func(cfg *api.Config) { cfg.Rendezvous, cfg.URL = true, "https://example.com" })
}

// secretOf makes a dyno to attach to, and returns the secret in its address. The
// body goes on after the command.
func secretOf(t *testing.T, srv *apitest.Server, body string) string {
	t.Helper()
	var d wire.Dyno
	want(t, srv, 201, "POST /apps/shop/dynos", `{"command": "cat", "attach": true`+body+`}`, &d)
	secret, ok := strings.CutPrefix(*d.AttachURL, "rendezvous://example.com:443/")
	if !ok || len(secret) < 20 {
		t.Fatalf("attach_url = %q, want rendezvous://example.com:443/SECRET", *d.AttachURL)
	}
	return secret
}

// visit has a client meet a dyno, and returns its end of the connection and what
// is closed when the server is done with it. The first line was read.
func visit(ctx context.Context, t *testing.T, srv *apitest.Server, secret string) (client net.Conn, done chan struct{}) {
	t.Helper()
	client, server := net.Pipe()
	done = make(chan struct{})
	go func() {
		defer close(done)
		srv.Handler.Rendezvous(ctx, server, secret)
	}()
	if first := message(t, client); first != "rendezvous\r\n" {
		t.Errorf("first message = %q, want rendezvous", first)
	}
	return client, done
}

// message is what the server has written at once.
func message(t *testing.T, conn net.Conn) string {
	t.Helper()
	buf := make([]byte, 64<<10)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatalf("read from the server: %v", err)
	}
	return string(buf[:n])
}

func TestRendezvousJoinsStreams(t *testing.T) {
	srv := meetable(t)
	srv.Dynos.Running = func(_ context.Context, term dyno.Terminal) (dyno.Exit, error) {
		fmt.Fprint(term.Stderr, "ready")
		buf := make([]byte, 5)
		_, err := io.ReadFull(term.Stdin, buf)
		fmt.Fprintf(term.Stdout, "got %s", buf)
		return dyno.Exit{Code: 7}, err
	}
	secret := secretOf(t, srv, `, "env": {"TERM": "xterm", "COLUMNS": 100, "LINES": 30}`)
	client, done := visit(t.Context(), t, srv, secret)
	if got := message(t, client); got != "ready" {
		t.Errorf("what the dyno writes comes as %q", got)
	}
	if _, err := io.WriteString(client, "a\x03\x04bc"); err != nil {
		t.Fatal(err)
	}
	if got := message(t, client); got != "got a\x03\x04bc" {
		t.Errorf("what is typed comes as %q", got)
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	<-done
	one := srv.Dynos.OneOffs()[0]
	if !one.TTY || one.Size != (dyno.Size{Columns: 100, Rows: 30}) || fmt.Sprint(one.Env) != "map[TERM:xterm]" {
		t.Errorf("the dyno is %+v, want a terminal of 100 to 30, and TERM alone", one)
	}

	// The secret is used up.
	client, done = visit(t.Context(), t, srv, secret)
	if got := message(t, client); !strings.Contains(got, "used before") {
		t.Errorf("a second time the server says %q", got)
	}
	_ = client.Close()
	<-done
}

func TestRendezvousSaysWhatFails(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("the dyno: %w", dyno.ErrQuota), dyno.ErrQuota.Error()},
		{errors.New("a secret of the machine"), " !     internal error: the server's log says more\r\n"},
	} {
		srv := meetable(t)
		srv.Dynos.Running = func(context.Context, dyno.Terminal) (dyno.Exit, error) { return dyno.Exit{}, c.err }
		client, done := visit(t.Context(), t, srv, secretOf(t, srv, ""))
		if got := message(t, client); !strings.Contains(got, c.want) {
			t.Errorf("after %v the server says %q, want %q", c.err, got, c.want)
		}
		_ = client.Close()
		<-done
	}
}

func TestOldSecretsAreWorthless(t *testing.T) {
	srv := meetable(t)
	secret := secretOf(t, srv, "")
	synctest.Test(t, func(t *testing.T) {
		<-time.After(100 * 365 * 24 * time.Hour) // the bubble's clock begins in 2000
		client, done := visit(t.Context(), t, srv, secret)
		if got := message(t, client); !strings.Contains(got, "older than a minute: run the command again") {
			t.Errorf("for an old secret the server says %q", got)
		}
		_ = client.Close()
		<-done
	})
}

// A halfOpen connection is one whose client has closed its own side, when in is
// at its end.
type halfOpen struct {
	net.Conn
	in io.Reader
}

func (c halfOpen) Read(p []byte) (int, error) { return c.in.Read(p) }

func TestAClientThatSendsNoMore(t *testing.T) {
	srv := meetable(t)
	for name, c := range map[string]struct {
		pauses  []time.Duration // before each line that the dyno writes
		stopped bool
	}{
		"hears a dyno that goes on to its end":  {[]time.Duration{4 * time.Second, 4 * time.Second, 4 * time.Second}, false},
		"and has gone, if that falls silent":    {[]time.Duration{4 * time.Second, 6 * time.Second}, true},
		"and does not wait, if that ends early": {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			secret := secretOf(t, srv, `, "force_no_tty": true`)
			synctest.Test(t, func(t *testing.T) {
				stopped := false
				srv.Dynos.Running = func(ctx context.Context, term dyno.Terminal) (dyno.Exit, error) {
					if in, err := io.ReadAll(term.Stdin); string(in) != "input" || err != nil {
						t.Errorf("input = %q, %v", in, err)
					}
					for _, pause := range c.pauses {
						select {
						case <-time.After(pause):
							fmt.Fprintln(term.Stdout, "a line")
						case <-ctx.Done():
							stopped = true
							return dyno.Exit{Code: 143}, nil
						}
					}
					return dyno.Exit{}, nil
				}
				client, server := net.Pipe()
				defer func() { _ = client.Close() }()
				go func() { _, _ = io.Copy(io.Discard, client) }()
				start := time.Now()
				srv.Handler.Rendezvous(t.Context(), halfOpen{server, strings.NewReader("input")}, secret)
				if stopped != c.stopped {
					t.Errorf("the dyno was stopped: %t, want %t", stopped, c.stopped)
				}
				if took := time.Since(start); c.pauses == nil && took != 0 {
					t.Errorf("it takes %s, want nothing", took)
				}
			})
		})
	}
}

func TestDynoIsStoppedWhenItsVisitorIsLost(t *testing.T) {
	srv := meetable(t)
	srv.Dynos.Running = func(ctx context.Context, term dyno.Terminal) (dyno.Exit, error) {
		if in, err := io.ReadAll(term.Stdin); string(in) != "ls\n" || err != nil {
			t.Errorf("input = %q, %v", in, err)
		}
		<-ctx.Done()
		return dyno.Exit{Code: 143}, nil
	}
	secret := secretOf(t, srv, "")
	client, server := net.Pipe()
	broken := io.MultiReader(strings.NewReader("ls\n"), readError{errors.New("connection reset")})
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Handler.Rendezvous(t.Context(), halfOpen{server, broken}, secret)
	}()
	message(t, client)
	<-done
}

type readError struct{ err error }

func (r readError) Read([]byte) (int, error) { return 0, r.err }

func TestAStopFreesWhoWaitsForASlowClient(t *testing.T) {
	srv := meetable(t)
	secret := secretOf(t, srv, "")
	synctest.Test(t, func(t *testing.T) {
		srv.Dynos.Running = func(_ context.Context, term dyno.Terminal) (dyno.Exit, error) {
			_, err := term.Stdout.Write(make([]byte, 1<<20))
			return dyno.Exit{}, err
		}
		ctx, cancel := context.WithCancel(t.Context())
		_, done := visit(ctx, t, srv, secret)
		synctest.Wait() // the dyno waits for the client
		cancel()
		<-done
	})
}

func TestEndOfInputWithoutATerminal(t *testing.T) {
	srv := meetable(t)
	secret := secretOf(t, srv, `, "force_no_tty": true`)
	synctest.Test(t, func(t *testing.T) {
		srv.Dynos.Running = func(_ context.Context, term dyno.Terminal) (dyno.Exit, error) {
			in, err := io.ReadAll(term.Stdin)
			fmt.Fprintf(term.Stdout, "%q", in)
			return dyno.Exit{}, err
		}
		client, done := visit(t.Context(), t, srv, secret)
		for _, part := range []string{"a\x04b", "\x04", "c\x04", "\x04", "d", "e\x04"} {
			if _, err := io.WriteString(client, part); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := message(t, client), fmt.Sprintf("%q", "a\x04b\x04c\x04\x04de"); got != want {
			t.Errorf("input = %s, want %s: an end of file counts at the end only", got, want)
		}
		_ = client.Close()
		<-done
	})
}

const status = "\uFFFF heroku-command-exit-status: "

func TestMessagesOfTheDyno(t *testing.T) {
	srv := meetable(t)
	long := strings.Repeat("0123456789abcde\n", 2<<10)
	for name, c := range map[string]struct {
		env    string
		writes []string
		want   []string
	}{
		"as they are written":              {"", []string{"a", "b\r", "\nc"}, []string{"a", "b\r", "\nc"}},
		"an exit status alone":             {"", []string{"abc" + status + "12\r\nd"}, []string{"abc", status + "12\r\n", "d"}},
		"an exit status in pieces":         {"", []string{"abc\xef", "\xbf", status[2:], "1", "2\n"}, []string{"abc", status + "12\n"}},
		"what only begins like one":        {"", []string{"abc\xef", "\xbd\xb1", status[:9], "x"}, []string{"abc", "\xef\xbd\xb1", status[:9] + "x"}},
		"what only looks like one":         {"", []string{status + strings.Repeat("9", 20)}, []string{status, strings.Repeat("9", 20)}},
		"a status that nobody ends":        {"", []string{"abc" + status + "1"}, []string{"abc", status + "1"}},
		"long output":                      {"", []string{long}, []string{long[:16<<10], long[16<<10:]}},
		"line ends, where no terminal is":  {`"TERM": "dumb"`, []string{"a", "b\r", "\nc\r"}, []string{"a", "b", "\r\nc", "\r"}},
		"and over the end of long output":  {`"TERM": "dumb"`, []string{long[1:16<<10] + "\r\nx"}, []string{long[1 : 16<<10], "\r\nx"}},
		"line ends, where a terminal is":   {`"COLUMNS": 80`, []string{"a\r", "\nb"}, []string{"a\r", "\nb"}},
		"nothing of a dyno that is silent": {"", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			srv.Dynos.Running = func(_ context.Context, term dyno.Terminal) (dyno.Exit, error) {
				for _, text := range c.writes {
					if _, err := io.WriteString(term.Stdout, text); err != nil {
						return dyno.Exit{}, err
					}
				}
				return dyno.Exit{}, nil
			}
			env := c.env
			if env == "" {
				env = `"COLUMNS": "80"`
			}
			client, done := visit(t.Context(), t, srv, secretOf(t, srv, `, "env": {`+env+`}`))
			var got []string
			for range c.want {
				got = append(got, message(t, client))
			}
			_ = client.Close()
			<-done
			if !slices.Equal(got, c.want) {
				t.Errorf("messages of %.80q = %.300q, want %.300q", c.writes, got, c.want)
			}
		})
	}
}

func TestOutputIsWhole(t *testing.T) {
	srv := meetable(t)
	long := bytes.Repeat([]byte("\uFFFF heroku\r\n"), 1<<16)
	srv.Dynos.Running = func(_ context.Context, term dyno.Terminal) (dyno.Exit, error) {
		for rest := long; len(rest) > 0; {
			n := min(len(rest), 1000)
			if _, err := term.Stdout.Write(rest[:n]); err != nil {
				return dyno.Exit{}, err
			}
			rest = rest[n:]
		}
		return dyno.Exit{}, nil
	}
	client, done := visit(t.Context(), t, srv, secretOf(t, srv, ""))
	got := make([]byte, len(long))
	if _, err := io.ReadFull(client, got); err != nil || !bytes.Equal(got, long) {
		t.Errorf("%d bytes come changed, %v", len(long), err)
	}
	_ = client.Close()
	<-done
}

func TestAttachURLs(t *testing.T) {
	for _, c := range []struct{ url, body, want string }{
		{"https://example.com/", "", "rendezvous://example.com:443/"},
		{"http://example.com", "", "rendezvous://example.com:80/"},
		{"http://127.0.0.1:5000", "", "rendezvous://127.0.0.1:5000/"},
		{"https://[::1]", "", "rendezvous://[::1]:443/"},
		{"https://example.com/", `, "attach_by": "websocket"`, "wss://example.com/apps/shop/dynos/run.1000/attach"},
	} {
		srv := apitest.Start(t, func(cfg *api.Config) { cfg.Rendezvous, cfg.URL = true, c.url })
		var d wire.Dyno
		want(t, srv, 201, "POST /apps/shop/dynos", `{"command": "cat", "attach": true`+c.body+`}`, &d)
		if d.AttachURL == nil || !strings.HasPrefix(*d.AttachURL, c.want) {
			t.Errorf("attach_url at %s = %v, want %s", c.url, *d.AttachURL, c.want)
		}
	}
	srv := apitest.Start(t)
	var problem wire.Error
	want(t, srv, 422, "POST /apps/shop/dynos", `{"command": "cat", "attach": true, "attach_by": "pigeon"}`, &problem)
	want(t, srv, 422, "POST /apps/shop/dynos", `{"command": "cat", "env": {"A": ["b"]}}`, &problem)
}
