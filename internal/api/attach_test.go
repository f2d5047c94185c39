package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"slipway/internal/api/apitest"
	"slipway/internal/dyno"
	"slipway/internal/wire"
)

// oneOff makes a dyno to attach to.
func oneOff(t *testing.T, srv *apitest.Server) string {
	t.Helper()
	var d wire.Dyno
	want(t, srv, http.StatusCreated, "POST /apps/shop/dynos", `{"command": "cat", "attach": true}`, &d)
	return *d.AttachURL
}

func dial(t *testing.T, address string, header http.Header) (conn *websocket.Conn, status int, err error) {
	t.Helper()
	if header == nil {
		header = http.Header{}
	}
	if header.Get("Authorization") == "" {
		header.Set("Authorization", "Bearer "+apitest.Token)
	}
	conn, resp, err := websocket.Dial(t.Context(), address, &websocket.DialOptions{HTTPHeader: header}) //nolint:bodyclose // the package closes it
	if err == nil {
		conn.SetReadLimit(wire.MaxMessage)
		t.Cleanup(func() { _ = conn.CloseNow() })
	}
	if resp != nil {
		status = resp.StatusCode
	}
	return conn, status, err
}

func join(t *testing.T, srv *apitest.Server) *websocket.Conn {
	t.Helper()
	conn, _, err := dial(t, oneOff(t, srv), nil)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func send(t *testing.T, conn *websocket.Conn, ch wire.Channel, payload string) {
	t.Helper()
	if err := conn.Write(t.Context(), websocket.MessageBinary, wire.AppendFrame(nil, ch, []byte(payload))); err != nil {
		t.Fatal(err)
	}
}

// frames reads messages until the last, "1 hello" say, or the error.
func frames(t *testing.T, conn *websocket.Conn) (all []string, err error) {
	t.Helper()
	for {
		_, message, err := conn.Read(t.Context())
		if err != nil {
			return all, err
		}
		ch, payload, err := wire.ParseFrame(message)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%d %s", ch, payload))
		if ch == wire.Exit {
			return all, nil
		}
	}
}

func TestAttachJoinsStreams(t *testing.T) {
	srv := apitest.Start(t)
	srv.Dynos.Running = func(_ context.Context, term dyno.Terminal) (dyno.Exit, error) {
		size := <-term.Resize
		fmt.Fprintf(term.Stderr, "%dx%d", size.Columns, size.Rows)
		_, err := io.Copy(term.Stdout, term.Stdin)
		return dyno.Exit{Code: 7}, err
	}
	conn := join(t, srv)
	send(t, conn, wire.Resize, `{"columns": 100, "rows": 30}`)
	send(t, conn, wire.Alive, "")
	send(t, conn, wire.Stdin, "hello")
	send(t, conn, wire.StdinClosed, "")
	send(t, conn, wire.Stdin, "more than there is room for")
	got, err := frames(t, conn)
	if want := []string{"2 100x30", "1 hello", `4 {"code":7}`}; err != nil || !slices.Equal(got, want) {
		t.Errorf("messages = %q, %v; want %q", got, err, want)
	}
	if done := srv.Dynos.Done(); len(done) != 0 {
		t.Errorf("a dyno that has ended was told to %q", done)
	}
}

func TestAttachCutsLongOutput(t *testing.T) {
	srv := apitest.Start(t)
	long := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
	srv.Dynos.Running = func(_ context.Context, term dyno.Terminal) (dyno.Exit, error) {
		_, err := term.Stdout.Write(long)
		return dyno.Exit{}, err
	}
	got, err := frames(t, join(t, srv))
	if err != nil || len(got) != len(long)/wire.MaxPayload+1 {
		t.Fatalf("%d bytes come in %d messages, %v", len(long), len(got), err)
	}
	var all strings.Builder
	for _, message := range got[:len(got)-1] {
		all.WriteString(message[2:])
	}
	if all.String() != string(long) {
		t.Error("the output comes changed")
	}
}

func TestDynoIsStoppedWhenItsClientGoes(t *testing.T) {
	say := func(conn *websocket.Conn, ch wire.Channel, payload string) error {
		return conn.Write(t.Context(), websocket.MessageBinary, wire.AppendFrame(nil, ch, []byte(payload)))
	}
	for name, leave := range map[string]func(*websocket.Conn) error{
		"without a word": func(conn *websocket.Conn) error { return conn.CloseNow() },
		"in order":       func(conn *websocket.Conn) error { return conn.Close(websocket.StatusNormalClosure, "") },
		"by text": func(conn *websocket.Conn) error {
			return conn.Write(t.Context(), websocket.MessageText, []byte("\x00ls"))
		},
		"by a channel that is none":     func(conn *websocket.Conn) error { return say(conn, 99, "x") },
		"by a channel of the server's":  func(conn *websocket.Conn) error { return say(conn, wire.Exit, "{}") },
		"by a size that is none":        func(conn *websocket.Conn) error { return say(conn, wire.Resize, "{}") },
		"by a message that is too long": func(conn *websocket.Conn) error { return say(conn, wire.Stdin, strings.Repeat("x", wire.MaxPayload+1)) },
	} {
		t.Run(name, func(t *testing.T) {
			srv := apitest.Start(t)
			started, ended := make(chan struct{}), make(chan error, 1)
			srv.Dynos.Running = func(ctx context.Context, term dyno.Terminal) (dyno.Exit, error) {
				close(started)
				<-ctx.Done()
				_, err := term.Stdin.Read(make([]byte, 1))
				ended <- err
				return dyno.Exit{}, ctx.Err()
			}
			conn := join(t, srv)
			<-started
			_ = leave(conn) // the server may cut in
			if err := <-ended; !errors.Is(err, io.EOF) {
				t.Errorf("the dyno's input ends with %v, want EOF", err)
			}
			if done := srv.Dynos.Done(); len(done) != 0 {
				t.Errorf("done = %q: whoever is attached to need not be stopped by name", done)
			}
		})
	}
}

func TestAttachThatFailsSaysWhy(t *testing.T) {
	srv := apitest.Start(t)
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("dyno %q that waits: %w", "run.1", dyno.ErrNotFound), `dyno "run.1" that waits: not found`},
		{errors.New("/etc/secret: " + strings.Repeat("x", 500)), "internal error, request "},
		{fmt.Errorf("%s: %w", strings.Repeat("ü", 100), dyno.ErrQuota), "üüü"},
	} {
		srv.Dynos.Running = func(context.Context, dyno.Terminal) (dyno.Exit, error) { return dyno.Exit{}, c.err }
		_, err := frames(t, join(t, srv))
		closed, ok := errors.AsType[websocket.CloseError](err)
		if !ok || !strings.HasPrefix(closed.Reason, c.want) || strings.Contains(closed.Reason, "secret") {
			t.Errorf("%.40v closes with %v, want %q", c.err, err, c.want)
		}
	}
}

func TestAttachIsRefused(t *testing.T) {
	srv := apitest.Start(t)
	address := oneOff(t, srv)
	for name, c := range map[string]struct {
		address string
		header  http.Header
		status  int
	}{
		"with a wrong token":      {address, http.Header{"Authorization": {"Bearer wrong"}}, 401},
		"to a missing dyno":       {strings.Replace(address, "run.1000", "run.1", 1), nil, 404},
		"to another app's dyno":   {strings.Replace(address, "/shop/", "/bare/", 1), nil, 404},
		"to a missing app's dyno": {strings.Replace(address, "/shop/", "/shed/", 1), nil, 404},
		"from another web page":   {address, http.Header{"Origin": {"http://evil.example"}}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			if _, status, err := dial(t, c.address, c.header); err == nil || status != c.status {
				t.Fatalf("dial = %d, %v; want %d", status, err, c.status)
			}
		})
	}
	var failed wire.Error
	if status := call(t, srv, "GET", "/apps/shop/dynos/run.1000/attach", "", &failed); status != 426 || failed.ID != "upgrade_required" {
		t.Errorf("GET without an upgrade = %d, want 426", status)
	}
}
