package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/google/uuid"

	"slipway/gitserver"
	"slipway/internal/api"
)

// doors are what listens behind the one HTTP port.
type doors struct {
	git      *gitserver.Server
	registry http.Handler
	api      http.Handler                    // answers what nobody else does
	watchAPI func(http.Handler) http.Handler // nil for none
	metrics  http.Handler
	ca       []byte // the certificate that clients are to trust, PEM
	ready    *atomic.Bool
}

// handler sends each request to its door.
func (d doors) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", d.watched(d.git.LimitSignIns(d.api, tooMany)))
	// Nobody signs in at these, so that what they are given proves nothing. The
	// form of the sign-in page counts.
	mux.Handle("POST /auth", d.watched(d.api))
	mux.Handle("GET /auth/", d.watched(d.api))
	mux.Handle("POST /auth/browser/", d.watched(api.FormSignIn(d.git.LimitSignIns(d.api, func(w http.ResponseWriter, text string) {
		http.Error(w, text, http.StatusTooManyRequests)
	}))))
	mux.Handle("PUT /sources/", d.watched(d.api))
	mux.Handle("GET /sources/", d.watched(d.api))
	mux.Handle("/v2/", d.git.LimitSignIns(d.registry, tooMany))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !d.ready.Load() {
			http.Error(w, "starting or stopping", http.StatusServiceUnavailable)
			return
		}
		say(w, "ok\n")
	})
	mux.HandleFunc("GET /ca.pem", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-pem-file")
		_, _ = w.Write(d.ca) // a client that has gone away is not told
	})
	mux.Handle("GET /metrics", d.metrics)
	mux.HandleFunc("GET /{$}", welcome)
	git := d.git.HTTP()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.git.MatchHTTP(r) {
			git.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// watched lets tests see what the API answers.
func (d doors) watched(h http.Handler) http.Handler {
	if d.watchAPI == nil {
		return h
	}
	return d.watchAPI(h)
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
	w.Header().Set("Request-Id", uuid.NewString())
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = w.Write(body) // a client that has gone away is not told
}

// say writes an answer. A client that has gone away is not told of.
func say(w io.Writer, format string, a ...any) { fmt.Fprintf(w, format, a...) }

func welcome(w http.ResponseWriter, r *http.Request) {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	say(w, "This is Slipway.\n\nPush an app to it:\n\n    git push %s://%s/APP.git main\n", scheme, strings.TrimSpace(r.Host))
}

// ignoreClosed drops the error by which http.Server.Serve says that it was told
// to stop.
func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
