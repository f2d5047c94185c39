package enginetest

import (
	"context"
	"crypto/subtle"
	"io"
	"log" //nolint:depguard // ggcr's registry wants one
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	ggregistry "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const token = "s3cret-of-this-build-0123456789"

// A registry is an image registry on loopback. If it is closed, everything but
// reading slipway/ needs the token.
type registry struct {
	addr string // HOST:PORT
}

func newRegistry(tb testing.TB, closed bool) *registry {
	tb.Helper()
	r := &registry{}
	inner := ggregistry.New(ggregistry.Logger(log.New(io.Discard, "", 0)))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, password, _ := req.BasicAuth()
		read := req.Method == http.MethodGet || req.Method == http.MethodHead
		public := strings.HasPrefix(req.URL.Path, "/v2/slipway/")
		if closed && subtle.ConstantTimeCompare([]byte(password), []byte(token)) == 0 && (!read || !public) {
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

func (r *registry) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", r.addr)
}

func (r *registry) options(tb testing.TB) []remote.Option {
	tb.Helper()
	return []remote.Option{remote.WithContext(tb.Context()), remote.WithAuth(&authn.Basic{Username: "any", Password: token})}
}

func (r *registry) push(tb testing.TB, ref string, img v1.Image) {
	tb.Helper()
	tag, err := name.NewTag(r.addr + "/" + ref)
	if err != nil {
		tb.Fatalf("parse %q: %v", ref, err)
	}
	if err := remote.Write(tag, img, r.options(tb)...); err != nil {
		tb.Fatalf("push %s: %v", ref, err)
	}
}

// image opens an image, by a full reference.
func (r *registry) image(tb testing.TB, ref string) v1.Image {
	tb.Helper()
	parsed, err := name.ParseReference(ref)
	if err != nil {
		tb.Fatalf("parse %q: %v", ref, err)
	}
	img, err := remote.Image(parsed, r.options(tb)...)
	if err != nil {
		tb.Fatalf("pull %s: %v", ref, err)
	}
	return img
}

// has tells whether a tag exists.
func (r *registry) has(tb testing.TB, ref string) bool {
	tb.Helper()
	parsed, err := name.ParseReference(ref)
	if err != nil {
		tb.Fatalf("parse %q: %v", ref, err)
	}
	_, err = remote.Head(parsed, r.options(tb)...)
	return err == nil
}
