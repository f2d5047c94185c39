package api

import (
	"net/http"
	"net/url"
	"strings"

	"go.uber.org/zap"
)

// withSameOrigin refuses what web pages of other hosts send to change something,
// with the credentials that browsers keep.
func (a *api) withSameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	if u, err := url.Parse(a.URL); err == nil && u.Host != "" {
		// Proxies on the way may have named the host otherwise.
		if err := protection.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
			a.log.Warn("web pages of this server may be refused", zap.String("url", a.URL), zap.Error(err))
		}
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.fail(w, r, errOrigin) }))
	return protection.Handler(next)
}

// sameOrigin is false for a request that a web page of another host makes, with
// the credentials that its browser keeps.
func sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}
