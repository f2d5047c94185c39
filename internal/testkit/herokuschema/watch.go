package herokuschema

import (
	"bytes"
	"net/http"
	"path"
	"sync/atomic"
)

// A Watcher checks the answers of a handler.
type Watcher struct {
	report  func(error)
	checked atomic.Int64
}

// Watch makes a watcher that reports each answer that is wrong. Report may be
// called by many at once.
func Watch(report func(error)) *Watcher { return &Watcher{report: report} }

// Checked is how many answers were checked.
func (w *Watcher) Checked() int { return int(w.checked.Load()) }

// Handler serves with next, and checks each answer when it is whole. To an
// answer that has taken its connection over, nothing is left to check.
func (w *Watcher) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		seen := &tee{ResponseWriter: out, status: http.StatusOK}
		address := path.Clean("/" + r.URL.EscapedPath()) // as the API takes it
		next.ServeHTTP(seen, r)
		w.checked.Add(1)
		if seen.status == http.StatusSwitchingProtocols {
			return
		}
		schema, err := Load()
		if err == nil {
			err = schema.Check(Answer{
				Method: r.Method, Path: address, Status: seen.status, Header: out.Header(), Body: seen.body.Bytes(),
			})
		}
		if err != nil {
			w.report(err)
		}
	})
}

// most bounds what is kept of an answer, in bytes. More is cut, and then no JSON.
const most = 32 << 20

// A tee keeps what is written.
type tee struct {
	http.ResponseWriter
	status int
	begun  bool
	body   bytes.Buffer
}

// WriteHeader notes the status.
func (t *tee) WriteHeader(status int) {
	if !t.begun && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) {
		t.begun, t.status = true, status
	}
	t.ResponseWriter.WriteHeader(status)
}

// Write keeps what is written.
func (t *tee) Write(p []byte) (int, error) {
	t.begun = true
	if t.body.Len() < most {
		t.body.Write(p)
	}
	return t.ResponseWriter.Write(p)
}

// Unwrap lets handlers flush, and take connections over.
func (t *tee) Unwrap() http.ResponseWriter { return t.ResponseWriter }
