package api

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// withTidyPath takes slashes at the end of addresses away, and dots out of them.
// The mux would redirect, which few clients follow with what they send.
func withTidyPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := r.URL.EscapedPath()
		if tidy := path.Clean("/" + given); tidy != given {
			u := *r.URL
			if plain, err := url.PathUnescape(tidy); err == nil {
				u.Path, u.RawPath = plain, tidy
			}
			r2 := *r
			r2.URL = &u
			r = &r2
		}
		next.ServeHTTP(w, r)
	})
}

// methods are those that an address may have.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// allowed lists the methods that one of the muxes has for a request's address.
func allowed(r *http.Request, muxes ...*http.ServeMux) string {
	var all []string
	for _, method := range methods {
		r2 := *r
		r2.Method = method
		for _, mux := range muxes {
			if _, pattern := mux.Handler(&r2); pattern != "" && pattern != "/" {
				all = append(all, method)
				break
			}
		}
	}
	return strings.Join(all, ", ")
}
