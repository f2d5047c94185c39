//go:build bench

package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/internal/client"
	"slipway/internal/testkit"
	"slipway/internal/testkit/postgres"
)

// TestMain stops the PostgreSQL that a test has started.
func TestMain(m *testing.M) { os.Exit(postgres.Main{M: m}.Run()) }

const (
	// fewApps and manyApps are how many apps the two servers have.
	fewApps, manyApps = 100, 10_000
	// pageOfApps is how many apps are asked for at once.
	pageOfApps = 100
	// asks is how often in a round something cheap is asked for.
	asks = 20
)

// TestApps compares what people do on a server with many apps with the same on
// one with few, on each database.
func TestApps(t *testing.T) {
	var rows []row
	for _, on := range []struct{ name, database string }{{"SQLite", ""}, {"PostgreSQL", "yes"}} {
		start := func(n int) *crowd {
			args := []string{"--api-rate", "0"}
			if on.database != "" {
				args = append(args, "--database", postgres.Database(t))
			}
			return crowded(t, serve(t, args...), n)
		}
		few, many := start(fewApps), start(manyApps)
		rows = append(rows, compareCrowds(t, on.name, many, few)...)
		few.srv.Stop(t)
		many.srv.Stop(t)
	}
	report(t, rows)
}

// A crowd is a server with a number of apps, one of which runs.
type crowd struct {
	*app
	work string
}

// crowded makes n apps with a release each, and pushes one more.
func crowded(t *testing.T, srv *testkit.Server, n int) *crowd {
	t.Helper()
	api := &client.Client{URL: "http://" + srv.HTTP, Token: srv.Token}
	made, ctx := errgroup.WithContext(t.Context())
	made.SetLimit(4)
	value := "some value"
	for i := range n - 1 {
		made.Go(func() error {
			name := fmt.Sprintf("app-%05d", i)
			if _, err := api.CreateApp(ctx, name); err != nil {
				return err
			}
			_, err := api.SetConfig(ctx, name, map[string]*string{"KEY": &value})
			return err
		})
	}
	if err := made.Wait(); err != nil {
		t.Fatalf("make apps: %v", err)
	}
	c := &crowd{app: of(srv, "hello"), work: workTree(t, "python-hello")}
	change(t, c.work, 0)
	push(t, c.work, srv, c.name)
	until(t, "the app is up", 50*time.Millisecond, func() bool { return c.inState(t, "up") == 1 })
	return c
}

// compareCrowds does the same to both servers, in turns.
func compareCrowds(t *testing.T, database string, many, few *crowd) []row {
	t.Helper()
	what := []struct {
		name  string
		times int // in a round
		do    func(*crowd, int) time.Duration
	}{
		{"a page of apps", asks, func(c *crowd, _ int) time.Duration { return c.ask(t, "/apps", pageOfApps) }},
		{"ps", asks, func(c *crowd, _ int) time.Duration { return c.ask(t, "/apps/hello/dynos", 1) }},
		{"push", 1, func(c *crowd, n int) time.Duration {
			change(t, c.work, n)
			took, _ := push(t, c.work, c.srv, c.name)
			return took
		}},
	}
	var rows []row
	for _, w := range what {
		var ofMany, ofFew []float64
		for n := range (*rounds + 1) * w.times {
			took, with := w.do(many, n+1), w.do(few, n+1)
			if n >= w.times { // the first round warms up
				ofMany, ofFew = append(ofMany, took.Seconds()*1000), append(ofFew, with.Seconds()*1000)
			}
		}
		name := fmt.Sprintf("%s, %s: with %d apps / with %d", database, w.name, manyApps, fewApps)
		rows = append(rows, against(name, median(ofMany), median(ofFew), "ms", 1.2))
	}
	return rows
}

// ask reads a page of a list, which must have want entries.
func (c *crowd) ask(t *testing.T, path string, want int) time.Duration {
	t.Helper()
	started := time.Now()
	body, err := c.get(t.Context(), path)
	took := time.Since(started)
	var entries []json.RawMessage
	if err == nil {
		err = json.Unmarshal(body, &entries)
	}
	if err != nil || len(entries) != want {
		t.Fatalf("%s has %d entries, want %d (%v)", path, len(entries), want, err)
	}
	return took
}

func (c *crowd) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(c.api.URL, "/")+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.api.Token)
	req.Header.Set("Range", fmt.Sprintf("name ..; max=%d", pageOfApps))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}
