package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"slipway/internal/api"
	"slipway/internal/api/apitest"
	"slipway/internal/client"
	"slipway/internal/dyno"
	"slipway/internal/logs"
	"slipway/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newClient(srv *apitest.Server) *client.Client {
	return &client.Client{URL: srv.URL + "/", Token: apitest.Token}
}

// attach makes a one-off dyno and connects to it.
func attach(t *testing.T, c *client.Client) *client.Attachment {
	t.Helper()
	yes := true
	d, err := c.RunDyno(t.Context(), "shop", wire.DynoCreate{Command: "cat", Attach: &yes})
	if err != nil {
		t.Fatal(err)
	}
	a, err := c.Attach(t.Context(), "shop", d.Name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestRunCopiesUntilTheDynoEnds(t *testing.T) {
	srv := apitest.Start(t)
	srv.Dynos.Running = func(_ context.Context, term dyno.Terminal) (dyno.Exit, error) {
		_, err := io.Copy(term.Stdout, term.Stdin)
		size := <-term.Resize
		fmt.Fprintf(term.Stderr, "%dx%d", size.Columns, size.Rows)
		return dyno.Exit{Code: 3}, err
	}
	input := strings.Repeat("0123456789abcdef", 1<<14)
	resize := make(chan wire.TerminalSize, 1)
	resize <- wire.TerminalSize{Columns: 100, Rows: 30}
	var out, errs bytes.Buffer
	code, err := attach(t, newClient(srv)).Run(t.Context(), client.Terminal{
		Stdin: strings.NewReader(input), Stdout: &out, Stderr: &errs, Resize: resize,
	})
	if code != 3 || err != nil || out.String() != input || errs.String() != "100x30" {
		t.Errorf("Run = %d, %v with %d bytes and %q; want 3 with %d bytes and 100x30", code, err, out.Len(), errs.String(), len(input))
	}
}

func TestRunDoesNotWaitForInput(t *testing.T) {
	srv := apitest.Start(t)
	srv.Dynos.Running = func(context.Context, dyno.Terminal) (dyno.Exit, error) { return dyno.Exit{}, nil }
	stdin, feed := io.Pipe()
	t.Cleanup(func() { _ = feed.Close() })
	code, err := attach(t, newClient(srv)).Run(t.Context(), client.Terminal{Stdin: stdin, Stdout: io.Discard, Stderr: io.Discard})
	if code != 0 || err != nil {
		t.Errorf("Run = %d, %v; want 0", code, err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	srv := apitest.Start(t)
	stopped := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	srv.Dynos.Running = func(ctx context.Context, _ dyno.Terminal) (dyno.Exit, error) {
		cancel()
		<-ctx.Done()
		close(stopped)
		return dyno.Exit{Code: 137}, nil
	}
	_, err := attach(t, newClient(srv)).Run(ctx, client.Terminal{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v, want context canceled", err)
	}
	select {
	case <-stopped:
	case <-time.After(10 * time.Second):
		t.Error("the dyno goes on without its client")
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestRunFailsWhenOutputCannotBeShown(t *testing.T) {
	srv := apitest.Start(t)
	srv.Dynos.Running = func(ctx context.Context, term dyno.Terminal) (dyno.Exit, error) {
		fmt.Fprint(term.Stdout, "hello")
		<-ctx.Done()
		return dyno.Exit{}, ctx.Err()
	}
	_, err := attach(t, newClient(srv)).Run(t.Context(), client.Terminal{Stdin: strings.NewReader(""), Stdout: brokenWriter{}, Stderr: io.Discard})
	if !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Run = %v, want closed pipe", err)
	}
}

func TestAttachSaysWhatTheServerSays(t *testing.T) {
	srv := apitest.Start(t)
	c := newClient(srv)
	_, err := c.Attach(t.Context(), "shop", "run.1")
	if answer := (*client.Error)(nil); !errors.As(err, &answer) || answer.Body.ID != "not_found" {
		t.Errorf("Attach to a missing dyno = %v, want not_found", err)
	}
	srv.Dynos.Running = func(context.Context, dyno.Terminal) (dyno.Exit, error) { return dyno.Exit{}, dyno.ErrQuota }
	_, err = attach(t, c).Run(t.Context(), client.Terminal{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard})
	if err == nil || err.Error() != dyno.ErrQuota.Error() {
		t.Errorf("Run of a dyno without hours = %v, want %v", err, dyno.ErrQuota)
	}
}

func TestLogs(t *testing.T) {
	// The server knows itself by another name than the client does.
	srv := apitest.Start(t, func(cfg *api.Config) { cfg.URL = "http://inside.example" })
	srv.Logs.Append(logs.Line{Source: "app", Dyno: "web.1", Text: "one"}, logs.Line{Source: "app", Dyno: "web.1", Text: "data: two"})
	var got []string
	for line, err := range newClient(srv).Logs(t.Context(), "shop", wire.LogSessionCreate{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, line[strings.Index(line, "app"):])
	}
	if fmt.Sprint(got) != "[app[web.1]: one app[web.1]: data: two]" {
		t.Errorf("Logs = %q", got)
	}
}

func TestTailEndsWithItsContextOrTheServer(t *testing.T) {
	srv := apitest.Start(t)
	srv.Logs.Append(logs.Line{Source: "app", Dyno: "web.1", Text: "one"})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, err := range newClient(srv).Logs(ctx, "shop", wire.LogSessionCreate{Tail: true}) {
		if err != nil {
			t.Errorf("a tail that the client ends = %v, want no error", err)
		}
		cancel()
	}
	n := 0
	var last error
	for _, err := range newClient(srv).Logs(t.Context(), "shop", wire.LogSessionCreate{Tail: true}) {
		n++
		last = err
		srv.Stop()
	}
	if n != 2 || last == nil || !strings.Contains(last.Error(), "run it again") {
		t.Errorf("a tail that the server ends has %d lines and ends with %v, want 2 and an error", n, last)
	}
}

func TestUnreachedServerIsNamedWithoutSecrets(t *testing.T) {
	c := &client.Client{URL: "http://127.0.0.1:1", Token: "secret-token"}
	for _, err := range []error{
		func() error {
			_, err := c.RemoveDrain(t.Context(), "shop", "https://user:secret@example.com")
			return err
		}(),
		func() error { _, err := c.Attach(t.Context(), "shop", "run.1"); return err }(),
	} {
		if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "reach the server at http://127.0.0.1:1: ") {
			t.Errorf("a server that is not there = %v", err)
		}
	}
}
