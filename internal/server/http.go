package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"slipway/gitserver"
)

// doors are what listens behind the one HTTP port.
type doors struct {
	git      *gitserver.Server
	registry http.Handler
	api      http.Handler
	apiPaths []string
	metrics  http.Handler
	ready    *atomic.Bool
}

// handler sends each request to its door.
func (d doors) handler() http.Handler {
	mux := http.NewServeMux()
	for _, path := range d.apiPaths {
		mux.Handle(path, d.git.LimitSignIns(d.api, tooMany))
	}
	mux.Handle("/v2/", d.git.LimitSignIns(d.registry, tooMany))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !d.ready.Load() {
			http.Error(w, "starting or stopping", http.StatusServiceUnavailable)
			return
		}
		say(w, "ok\n")
	})
	mux.Handle("GET /metrics", d.metrics)
	mux.HandleFunc("/", welcome)
	git := d.git.HTTP()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.git.MatchHTTP(r) {
			git.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// tooMany refuses a sign-in so that clients of the API and of the registry can
// both read it.
func tooMany(w http.ResponseWriter, text string) {
	body, err := json.Marshal(map[string]any{
		"id": "rate_limit", "message": text,
		"errors": []map[string]string{{"code": "TOOMANYREQUESTS", "message": text}},
	})
	if err != nil { // it is all text
		body = nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = w.Write(body) // a client that has gone away is not told
}

// say writes an answer. A client that has gone away is not told of.
func say(w io.Writer, format string, a ...any) { fmt.Fprintf(w, format, a...) }

func welcome(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		http.Error(w, "There is nothing at this address. Repositories are at /APP.git, images at /v2/.", http.StatusNotFound)
		return
	}
	say(w, "This is Slipway.\n\nPush an app to it:\n\n    git push http://%s/APP.git main\n", strings.TrimSpace(r.Host))
}

// ignoreClosed drops the error by which http.Server.Serve says that it was told
// to stop.
func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
