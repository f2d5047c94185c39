package dynotest

import (
	"context"
	"fmt"
	"io"
	"log" //nolint:depguard // ggcr's registry wants one
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	ggregistry "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"slipway/internal/dyno"
)

// A registry is an image registry on loopback, each of whose tokens is good for
// one app and until it is revoked.
type registry struct {
	addr string // HOST:PORT

	mu     sync.Mutex
	open   bool              // to the test itself, which pushes
	tokens map[string]string // apps
	asked  map[string]int    // tokens made, by app
}

func newRegistry(tb testing.TB) *registry {
	tb.Helper()
	r := &registry{tokens: make(map[string]string), asked: make(map[string]int)}
	inner := ggregistry.New(ggregistry.Logger(log.New(io.Discard, "", 0)))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !r.admit(req) {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			http.Error(w, "sign in", http.StatusUnauthorized)
			return
		}
		inner.ServeHTTP(w, req)
	}))
	tb.Cleanup(srv.Close)
	r.addr = strings.TrimPrefix(srv.URL, "http://")
	return r
}

func (r *registry) admit(req *http.Request) bool {
	_, password, _ := req.BasicAuth()
	app, _, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/v2/"), "/")
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open {
		return true
	}
	owner, ok := r.tokens[password]
	return ok && (owner == app || app == "")
}

func (r *registry) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", r.addr)
}

// token is Config.Token of a backend.
func (r *registry) token(app string) (string, func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked[app]++
	token := fmt.Sprintf("s3cret-of-%s-%d", app, r.asked[app])
	r.tokens[token] = app
	return token, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.tokens, token)
	}
}

// live is how many tokens were not revoked.
func (r *registry) live() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.tokens)
}

// pulls is how many tokens were made for an app: one a pull.
func (r *registry) pulls(app string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked[app]
}

// push makes a slug of an image.
func (r *registry) push(tb testing.TB, app string, img v1.Image) dyno.Slug {
	tb.Helper()
	r.mu.Lock()
	r.open = true
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.open = false
		r.mu.Unlock()
	}()
	tag, err := name.NewTag(r.addr + "/" + app + ":v1")
	if err != nil {
		tb.Fatalf("parse name: %v", err)
	}
	if err := remote.Write(tag, img, remote.WithContext(tb.Context())); err != nil {
		tb.Fatalf("push %s: %v", app, err)
	}
	digest, err := img.Digest()
	if err != nil {
		tb.Fatalf("digest of %s: %v", app, err)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	remote.DefaultTransport.(*http.Transport).CloseIdleConnections()
	return dyno.Slug{App: app, Digest: digest.String()}
}
