package api

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"slipway/internal/logs"
	"slipway/internal/state"
	"slipway/internal/wire"
)

// defaultLines is how many past lines are shown to who does not say.
const defaultLines = 100

func (a *api) createLogSession(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	var req wire.LogSessionCreate
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	o := logs.Options{Num: defaultLines, Source: req.Source, Dyno: cmp.Or(req.Dyno, req.DynoName, req.Type), Follow: req.Tail}
	if o.Source == "heroku" {
		o.Source = "slipway"
	}
	if req.Lines != nil {
		if *req.Lines < 0 {
			return 0, nil, invalid("%d is no number of lines: write 0 to %d", *req.Lines, logs.MaxNum)
		}
		o.Num = min(*req.Lines, logs.MaxNum)
	}
	now := stamp()
	token := a.sessions.add(app.Name, o, now)
	return http.StatusCreated, wire.LogSession{
		ID: uuid.NewString(), URL: a.self(r) + "/apps/" + app.Name + "/log-sessions/" + token, CreatedAt: now, UpdatedAt: now,
	}, nil
}

const (
	// slowest is how long a reader may be held up, by a pager say.
	slowest = 10 * time.Minute
	// heartbeat is how often a stream of events that has none says so, for the
	// proxies that would cut it.
	heartbeat = 15 * time.Second
	// readAhead is how many lines may wait for the reader.
	readAhead = 64
)

// streamLogs shows a log to who has a session's token, and to nobody twice.
func (a *api) streamLogs(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet { // HEAD, by who only looks: it would use the session up
		w.Header().Set("Allow", http.MethodGet)
		a.fail(w, r, &wordsError{text: "a log session is read once, by GET", kind: errMethod})
		return
	}
	s, ok := a.sessions.take(r.PathValue("app"), r.PathValue("token"), stamp())
	if !ok {
		a.fail(w, r, &wordsError{text: "there is no such log session: each can be read once, within five minutes; make another", kind: state.ErrNotFound})
		return
	}
	out := newLineWriter(w, r)
	ctx, cancel := context.WithCancel(r.Context())
	lines, failed := make(chan logs.Line, readAhead), make(chan error, 1)
	go func() {
		defer close(lines)
		for line, err := range a.Logs.Tail(ctx, s.app, s.options) {
			if err != nil {
				failed <- err
				return
			}
			select {
			case lines <- line:
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() {
		cancel()
		for range lines { // until the reader above has ended
		}
	}()
	err := out.copy(lines, a.Stopping)
	select {
	case tailErr := <-failed:
		if err != nil || ctx.Err() != nil {
			return // the client has gone: there is no one to tell
		}
		a.log.Error("log not read", zap.String("app", s.app), zap.Error(tailErr))
		out.line(logs.Line{At: stamp(), Source: "slipway", Dyno: "logs", Text: "Error: the log cannot be read further: the server's own log says why"})
		_ = out.flush() // the stream ends here in any case
	default:
	}
}

// A lineWriter writes log lines as text, or as events for a client that asks for
// them (Heroku's does).
type lineWriter struct {
	w      io.Writer
	rc     *http.ResponseController
	events bool
	n      int // lines written
}

func newLineWriter(w http.ResponseWriter, r *http.Request) *lineWriter {
	l := &lineWriter{w: w, rc: http.NewResponseController(w), events: strings.Contains(r.Header.Get("Accept"), "text/event-stream")}
	kind := "text/plain; charset=utf-8"
	if l.events {
		kind = "text/event-stream"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "private, no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold lines back
	return l
}

// copy writes lines as they come until there are no more, the reader has gone,
// or the server stops.
func (l *lineWriter) copy(lines <-chan logs.Line, stopping <-chan struct{}) error {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	if err := l.flush(); err != nil {
		return err
	}
	for {
		select {
		case <-stopping:
			return nil
		case <-tick.C:
			if l.events {
				fmt.Fprint(l.w, ": still here\n\n")
			}
		case line, more := <-lines:
			if !more {
				return nil
			}
			l.line(line)
			if len(lines) > 0 {
				continue // they go out together
			}
		}
		if err := l.flush(); err != nil {
			return err
		}
	}
}

func (l *lineWriter) line(line logs.Line) {
	if !l.events {
		fmt.Fprintf(l.w, "%s\n", line)
		return
	}
	l.n++
	fmt.Fprintf(l.w, "id: %d\ndata: %s\n\n", l.n, line)
}

func (l *lineWriter) flush() error {
	_ = l.rc.SetWriteDeadline(time.Now().Add(slowest)) // not every writer has deadlines
	return l.rc.Flush()
}
