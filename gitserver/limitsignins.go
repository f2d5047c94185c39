package gitserver

import (
	"io"
	"net/http"
	"strconv"
)

// LimitSignIns puts a handler that signs its requests in by the same tokens
// under the same limit of failed sign-ins. What it answers says how it went: 401
// that the token is wrong, 2xx that it is right. refuse writes status 429 and the
// text as the handler's clients read it; plainly if nil.
func (s *Server) LimitSignIns(next http.Handler, refuse func(w http.ResponseWriter, text string)) http.Handler {
	if refuse == nil {
		refuse = func(w http.ResponseWriter, text string) { http.Error(w, text, http.StatusTooManyRequests) }
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, err := tokenOf(r.Header.Get("Authorization"))
		if err != nil { // nobody tries to sign in
			next.ServeHTTP(w, r)
			return
		}
		if wait := s.signIns.wait(r.RemoteAddr, token); wait > 0 {
			err := tooManyFailures(wait)
			w.Header().Set("Retry-After", strconv.Itoa(err.seconds()))
			refuse(w, err.text)
			return
		}
		// Noted as soon as it is known: an answer may be a stream without an end.
		next.ServeHTTP(&statusWriter{ResponseWriter: w, note: func(status int) {
			switch {
			case status == http.StatusUnauthorized:
				s.signIns.failed(r.RemoteAddr)
			case status >= 200 && status < 300:
				s.signIns.succeeded(r.RemoteAddr, token)
			}
		}}, r)
	})
}

// A statusWriter tells of the status of an answer, once.
type statusWriter struct {
	http.ResponseWriter
	note  func(status int)
	noted bool
}

func (w *statusWriter) tell(status int) {
	if !w.noted && status >= 200 {
		w.noted = true
		w.note(status)
	}
}

// WriteHeader tells of the first final status.
func (w *statusWriter) WriteHeader(status int) {
	w.tell(status)
	w.ResponseWriter.WriteHeader(status)
}

// Write stands for status 200 if nothing came before.
func (w *statusWriter) Write(p []byte) (int, error) {
	w.tell(http.StatusOK)
	return w.ResponseWriter.Write(p)
}

// ReadFrom keeps the kernel's way from file to socket open.
func (w *statusWriter) ReadFrom(r io.Reader) (int64, error) {
	w.tell(http.StatusOK)
	return io.Copy(w.ResponseWriter, r)
}

// Unwrap is for [http.ResponseController].
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
