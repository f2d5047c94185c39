//go:build bench

package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"slipway/internal/client"
	"slipway/internal/testkit"
	"slipway/internal/testkit/dockerd"
	"slipway/internal/wire"
)

// patience bounds each wait for something that takes seconds at most.
const patience = time.Minute

// TestRun compares what people wait for while an app runs with docker run of
// the same image, one after the other in each round.
func TestRun(t *testing.T) {
	daemon := dockerd.Start(t)
	hello := pushed(t, serve(t), "python-hello", "hello")
	docker := newDocker(t, daemon, hello)
	rows := []row{
		compareWakes(t, hello, docker),
		compareScales(t, hello, docker),
	}
	report(t, rows)
}

// serve starts a server with the embedded engine, on a package index of its own.
func serve(t *testing.T, more ...string) *testkit.Server {
	t.Helper()
	index := testkit.ServePackages(t)
	args := []string{
		"--engine", "embedded", "--bundled-builder", testkit.Builder(t), "--build-reach", index.Addr, "--build-env", "PIP_INDEX_URL=" + index.URL,
	}
	return testkit.StartServer(t, filepath.Join(testkit.Root(t), "bin", "slipway"), t.TempDir(), append(args, more...)...)
}

// An app is one that was pushed to a server.
type app struct {
	srv  *testkit.Server
	name string
	api  *client.Client
}

// pushed pushes a sample app under a name.
func pushed(t *testing.T, srv *testkit.Server, sample, name string) *app {
	t.Helper()
	dir := workTree(t, sample)
	change(t, dir, 0)
	push(t, dir, srv, name)
	return of(srv, name)
}

// of finds an app that was pushed before.
func of(srv *testkit.Server, name string) *app {
	return &app{srv: srv, name: name, api: &client.Client{URL: "http://" + srv.HTTP, Token: srv.Token}}
}

// image is what docker run is given.
func (a *app) image() string { return a.srv.HTTP + "/" + a.name + ":latest" }

// visit asks the router for the app's page.
func (a *app) visit(ctx context.Context) error { return visit(ctx, a.srv.HTTP, a.name+".localhost") }

// sleepAfter sets how long the app may go without a request.
func (a *app) sleepAfter(t *testing.T, idle string) {
	t.Helper()
	if _, err := a.api.UpdateApp(t.Context(), a.name, wire.AppUpdate{IdleTimeout: &idle}); err != nil {
		t.Fatalf("set idle timeout: %v", err)
	}
}

// scale wants n web dynos.
func (a *app) scale(t *testing.T, n int) {
	t.Helper()
	_, err := a.api.Scale(t.Context(), a.name, []wire.FormationUpdate{{Type: "web", Quantity: &wire.Quantity{N: n}}})
	if err != nil {
		t.Fatalf("scale: %v", err)
	}
}

// inState counts the app's dynos in a state.
func (a *app) inState(t *testing.T, state string) int {
	t.Helper()
	all, err := a.api.Dynos(t.Context(), a.name)
	if err != nil {
		t.Fatalf("list dynos: %v", err)
	}
	n := 0
	for _, d := range all {
		if d.State == state {
			n++
		}
	}
	return n
}

// containers counts what runs on a server, and what is not taken away yet.
func containers(t *testing.T, srv *testkit.Server) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(srv.Data, "dynos", "containers", "run", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

// visitor opens a connection for each request, as curl does.
var visitor = http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}

// visit asks an address for the first page of a host, and reads it.
func visit(ctx context.Context, address, host string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return err
	}
	req.Host = host
	resp, err := visitor.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", host, resp.Status)
	}
	return nil
}

// until asks again and again whether something is done.
func until(t *testing.T, what string, every time.Duration, done func() bool) {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	again := time.NewTicker(every)
	defer again.Stop()
	for !done() {
		select {
		case <-again.C:
		case <-late.C:
			t.Fatalf("after %s, this is still not so: %s", patience, what)
		}
	}
}
