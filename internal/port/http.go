package port

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
)

// stateKey is under what a connection's context has its TLS.
type stateKey struct{}

// ConnContext belongs into the HTTP server, for [Handler].
func ConnContext(ctx context.Context, conn net.Conn) context.Context {
	c, ok := conn.(*unnamed)
	if !ok {
		return ctx
	}
	state := c.ConnectionState()
	return context.WithValue(ctx, stateKey{}, &state)
}

// Handler tells requests that came over TLS so. An HTTP server knows it by
// itself only of a [tls.Conn].
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if state, ok := r.Context().Value(stateKey{}).(*tls.ConnectionState); ok && r.TLS == nil {
			r = r.WithContext(r.Context()) // a handler may not change what it is given
			r.TLS = state
		}
		next.ServeHTTP(w, r)
	})
}
