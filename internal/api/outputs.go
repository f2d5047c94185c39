package api

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"slipway/internal/outputs"
	"slipway/internal/state"
)

// outputLife is for how long an address of an output is good at least; twice as
// long at most. One address for all that time lets answers keep their tags.
const outputLife = 12 * time.Hour

// newKey makes a key that only this process has.
func newKey() []byte {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	return key
}

// outputURL is where an output is read by whoever has the address: "builds" and
// a build's ID, or "releases" and "v3".
func (a *api) outputURL(r *http.Request, app, kind, name string) string {
	until := stamp().Truncate(outputLife).Add(2 * outputLife)
	return a.self(r) + "/apps/" + app + "/" + kind + "/" + name + "/output/" + a.outputToken(app, name, until.Unix())
}

// outputToken proves that an address was given out by this process.
func (a *api) outputToken(app, name string, until int64) string {
	mac := hmac.New(sha256.New, a.outputKey)
	_, _ = fmt.Fprintf(mac, "%s/%s/%d", app, name, until) // never fails
	return strconv.FormatInt(until, 36) + "-" + strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)))
}

func (a *api) validOutputToken(app, name, token string) bool {
	text, _, _ := strings.Cut(token, "-")
	until, err := strconv.ParseInt(text, 36, 64)
	return err == nil && stamp().Unix() < until && hmac.Equal([]byte(token), []byte(a.outputToken(app, name, until)))
}

// releaseOutput is where the output of a release's command is; nil if it has none.
func (a *api) releaseOutput(r *http.Request, app state.App, rel state.Release) *string {
	if a.Outputs == nil || !a.Outputs.Exists(app.Name, rel.Tag()) {
		return nil
	}
	address := a.outputURL(r, app.Name, "releases", rel.Tag())
	return &address
}

// streamOutput shows an output to who has its address, as it comes.
func (a *api) streamOutput(w http.ResponseWriter, r *http.Request) {
	app, name := r.PathValue("app"), r.PathValue("name")
	if !a.validOutputToken(app, name, r.PathValue("token")) {
		a.fail(w, r, &wordsError{text: "there is no output at this address, or no more: ask for the build or the release again, which has another", kind: state.ErrNotFound})
		return
	}
	size, whole, err := a.Outputs.Size(app, name)
	if errors.Is(err, outputs.ErrNotFound) {
		a.fail(w, r, &wordsError{text: "this output is not kept any more: only the newest ones of an app are", kind: state.ErrNotFound})
		return
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if wantsEvents(r) {
		events := newEventWriter(w, r)
		a.copyOutput(w, r, app, name, events.at, events)
		events.end()
		return
	}
	from, status := outputRange(w.Header(), r.Header.Get("Range"), size, whole)
	if status == http.StatusRequestedRangeNotSatisfiable {
		a.fail(w, r, &wordsError{text: fmt.Sprintf("the output has ended with byte %d: there is nothing to resume", size-1), kind: errRange})
		return
	}
	streamHeader(w, "text/plain; charset=utf-8")
	w.Header().Set("Accept-Ranges", "bytes")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		a.copyOutput(w, r, app, name, from, w)
	}
}

// streamHeader begins an answer that comes bit by bit.
func streamHeader(w http.ResponseWriter, kind string) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", noStore)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold it back
}

// endless is the last byte of an output that is not whole (RFC 8673, section 3.1).
const endless = 1<<53 - 1

// outputRange is from which byte on somebody wants an output: "bytes=100-".
func outputRange(h http.Header, asked string, size int64, whole bool) (from int64, status int) {
	text, ok := strings.CutPrefix(asked, "bytes=")
	text, open := strings.CutSuffix(text, "-")
	from, err := strconv.ParseInt(text, 10, 64)
	switch {
	case !ok || !open || err != nil || from < 0:
		return 0, http.StatusOK // another kind of range, which may be ignored
	case from >= size && whole:
		h.Set("Content-Range", fmt.Sprintf("bytes */%d", size))
		return 0, http.StatusRequestedRangeNotSatisfiable
	case whole:
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, size-1, size))
	default:
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/*", from, endless))
	}
	return from, http.StatusPartialContent
}

// copyOutput writes an output to out, which writes to w.
func (a *api) copyOutput(w http.ResponseWriter, r *http.Request, app, name string, from int64, out io.Writer) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	if a.Stopping != nil {
		watched := make(chan struct{})
		defer func() { <-watched }()
		defer cancel()
		go func() {
			defer close(watched)
			select {
			case <-a.Stopping:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	rc := http.NewResponseController(w)
	_ = rc.Flush() // what it can be: the reader learns that it is there
	for chunk, err := range a.Outputs.Follow(ctx, app, name, from) {
		if err != nil {
			a.log.Error("output not read", zap.String("app", app), zap.Error(err))
			return
		}
		_ = rc.SetWriteDeadline(time.Now().Add(slowest)) // not every writer has deadlines
		if _, err := out.Write(chunk); err != nil {
			return // the client is gone
		}
		if rc.Flush() != nil {
			return
		}
	}
}
