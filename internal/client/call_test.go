package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"slipway/internal/client"
	"slipway/internal/wire"
)

// serve starts a server, and returns a client of it.
func serve(t *testing.T, handle http.HandlerFunc) *client.Client {
	t.Helper()
	srv := httptest.NewServer(handle)
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		srv.Close()
	})
	return &client.Client{URL: srv.URL, Token: "a-token", Agent: "slipway/test"}
}

// page answers with apps, and says where the next ones begin.
func page(t *testing.T, w http.ResponseWriter, next string, names ...string) {
	t.Helper()
	apps := []wire.App{}
	for _, name := range names {
		apps = append(apps, wire.App{Name: name})
	}
	if next != "" {
		w.Header().Set("Next-Range", next)
		w.WriteHeader(http.StatusPartialContent)
	}
	if err := json.NewEncoder(w).Encode(apps); err != nil {
		t.Error(err)
	}
}

func TestListsAreReadPageByPage(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch within := r.Header.Get("Range"); within {
		case "name ..; max=1000":
			page(t, w, "name ]b..; max=2", "a", "b")
		case "name ]b..; max=2":
			page(t, w, "name ]d..; max=2", "c", "d")
		case "name ]d..; max=2":
			page(t, w, "", "e")
		default:
			t.Errorf("the client asks for the range %q", within)
		}
	})
	apps, err := c.Apps(t.Context())
	var names strings.Builder
	for _, app := range apps {
		names.WriteString(app.Name)
	}
	if err != nil || names.String() != "abcde" {
		t.Errorf("Apps = %q, %v; want abcde", names.String(), err)
	}
}

func TestListWithoutEndIsNotReadForEver(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { page(t, w, "name ]a..", "a") })
	if _, err := c.Apps(t.Context()); err == nil || !strings.Contains(err.Error(), "does not end") {
		t.Errorf("Apps of a list without end = %v", err)
	}
}

func TestReleasesAreTheNewestFirst(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Range"); got != "version ..; order=desc,max=2" {
			t.Errorf("Releases asks for the range %q", got)
		}
		// More are to be had, but were not asked for.
		w.Header().Set("Next-Range", "version ]1..; order=desc,max=2")
		w.WriteHeader(http.StatusPartialContent)
		fmt.Fprint(w, `[{"version":1},{"version":2}]`)
	})
	all, err := c.Releases(t.Context(), "shop", 2)
	if err != nil || len(all) != 2 || all[0].Version != 2 {
		t.Errorf("Releases = %+v, %v; want v2 and v1", all, err)
	}
}

func TestBusyServerIsAskedAgain(t *testing.T) {
	t.Parallel()
	const busy = `{"id":"rate_limit","message":"Your account reached the API rate limit"}`
	for _, c := range []struct {
		name         string
		failures     int32
		wantAsked    int32
		wantID       string
		change, late bool
	}{
		{name: "a question is asked again", failures: 2, wantAsked: 3},
		{name: "but not for ever", failures: 99, wantAsked: 4, wantID: "rate_limit"},
		{name: "a change is not", failures: 1, wantAsked: 1, wantID: "rate_limit", change: true},
		{name: "nor is there a wait beyond the caller's time", failures: 1, wantAsked: 1, wantID: "rate_limit", late: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			cl := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if asked.Add(1) > c.failures {
					fmt.Fprint(w, `{"name":"shop"}`)
					return
				}
				w.Header().Set("Retry-After", map[bool]string{false: "0", true: "3600"}[c.late])
				w.WriteHeader(http.StatusTooManyRequests)
				fmt.Fprint(w, busy)
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if c.late {
				ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
			}
			defer cancel()
			var err error
			if c.change {
				_, err = cl.CreateApp(ctx, "shop")
			} else {
				_, err = cl.App(ctx, "shop")
			}
			answer, failed := errors.AsType[*client.Error](err)
			if failed != (c.wantID != "") || (failed && answer.Body.ID != c.wantID) || asked.Load() != c.wantAsked {
				t.Errorf("err = %v after %d requests; want %q after %d", err, asked.Load(), c.wantID, c.wantAsked)
			}
		})
	}
}

func TestRequestsCanBeToldOfWithoutSecrets(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("User-Agent"); got != "slipway/test" {
			t.Errorf("the client calls itself %q", got)
		}
		w.Header().Set("Request-Id", "1234-abcd")
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprint(w, `{"id":"invalid_params","message":"no"}`)
	})
	var told bytes.Buffer
	c.Debug = &told
	secret := "hidden"
	_, err := c.SetConfig(t.Context(), "shop", map[string]*string{"A": &secret})
	answer, ok := errors.AsType[*client.Error](err)
	if !ok || answer.Request != "1234-abcd" || answer.Status != http.StatusUnprocessableEntity {
		t.Errorf("SetConfig = %v, want the request's ID in it", err)
	}
	if got := told.String(); !strings.HasPrefix(got, "PATCH /apps/shop/config-vars: 422 ") || !strings.HasSuffix(got, "request 1234-abcd\n") ||
		strings.Contains(got, secret) || strings.Contains(got, c.Token) {
		t.Errorf("Debug is told %q", got)
	}
}

func TestStreamCopiesAnOutput(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/streams/one" || r.URL.RawQuery != "key=2" {
			http.Error(w, `{"id":"not_found","message":"There is no such output."}`, http.StatusNotFound)
			return
		}
		fmt.Fprint(w, "migrated\n")
	})
	// The server may know itself by another name.
	var out bytes.Buffer
	if err := c.Stream(t.Context(), "https://inside.example/streams/one?key=2", &out); err != nil || out.String() != "migrated\n" {
		t.Errorf("Stream = %q, %v; want migrated", out.String(), err)
	}
	if err := c.Stream(t.Context(), "/streams/two", &out); err == nil || err.Error() != "There is no such output." {
		t.Errorf("Stream of none = %v", err)
	}
}
