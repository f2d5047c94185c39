package gitserver

import (
	"io"
	"net/http"
	"strconv"
)

// LimitSignIns puts a handler that signs its requests in by the same tokens
// under the same limit of failed sign-ins. What it answers says how it went: 401
// that the token is wrong, 2xx that it is right.
func (s *Server) LimitSignIns(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, err := tokenOf(r.Header.Get("Authorization"))
		if err != nil { // nobody tries to sign in
			next.ServeHTTP(w, r)
			return
		}
		if wait := s.signIns.wait(r.RemoteAddr, token); wait > 0 {
			err := tooManyFailures(wait)
			w.Header().Set("Retry-After", strconv.Itoa(err.seconds()))
			http.Error(w, err.text, http.StatusTooManyRequests)
			return
		}
		sw := &statusWriter{ResponseWriter: w}
		next.ServeHTTP(sw, r)
		switch {
		case sw.status == http.StatusUnauthorized:
			s.signIns.failed(r.RemoteAddr)
		case sw.status >= 200 && sw.status < 300:
			s.signIns.succeeded(r.RemoteAddr, token)
		}
	})
}

// A statusWriter notes the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the first final status.
func (w *statusWriter) WriteHeader(status int) {
	if w.status < 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write stands for status 200 if nothing came before.
func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status < 200 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// ReadFrom keeps the kernel's way from file to socket open.
func (w *statusWriter) ReadFrom(r io.Reader) (int64, error) {
	if w.status < 200 {
		w.status = http.StatusOK
	}
	return io.Copy(w.ResponseWriter, r)
}

// Unwrap is for [http.ResponseController].
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
