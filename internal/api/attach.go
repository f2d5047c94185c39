package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"slipway/internal/dyno"
	"slipway/internal/wire"
)

// linger is how long a client may take to read the last output.
const linger = 10 * time.Minute

// attach makes a WebSocket of the request and joins it to a one-off dyno.
func (a *api) attach(w http.ResponseWriter, r *http.Request) {
	by, err := a.signIn(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if a.Dynos == nil {
		a.fail(w, r, errMissing)
		return
	}
	if err := a.count(w, r, by); err != nil {
		a.fail(w, r, err)
		return
	}
	admitted, err := a.admit(r, by)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	app, d, err := a.findDyno(admitted)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		a.fail(w, r, errUpgrade)
		return
	}
	if !sameOrigin(r) {
		a.fail(w, r, errOrigin)
		return
	}
	a.attached.Add(1)
	defer a.attached.Done()
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // the client was told
	}
	defer func() { _ = conn.CloseNow() }() // closed already, if all went well
	a.join(r, conn, app.Name, d.Name)
}

// reason cuts words to what a close frame holds (RFC 6455, section 5.5).
func reason(text string) string {
	const most, more = 123, "…"
	text = strings.ToValidUTF8(text, "?")
	if len(text) <= most {
		return text
	}
	end := most - len(more)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + more
}

var errGone = errors.New("the client has gone")

// join copies between a client and a dyno until the dyno has ended. When the
// client goes away, the dyno is stopped.
func (a *api) join(r *http.Request, conn *websocket.Conn, app, name string) {
	conn.SetReadLimit(wire.MaxMessage)
	present, gone := context.WithCancelCause(r.Context())
	stdin, feed := io.Pipe()
	resize := make(chan dyno.Size, 1)
	send := func(ch wire.Channel, payload []byte) error {
		return conn.Write(present, websocket.MessageBinary, wire.AppendFrame(nil, ch, payload))
	}
	var copying sync.WaitGroup
	defer copying.Wait()
	defer gone(nil)
	copying.Go(func() {
		receive(present, conn, feed, resize)
		gone(errGone)
	})
	copying.Go(func() {
		keepAlive(present, send)
		gone(errGone)
	})
	exit, err := a.Dynos.Attach(present, app, name, dyno.Terminal{
		Stdin: stdin, Stdout: channelWriter{wire.Stdout, send}, Stderr: channelWriter{wire.Stderr, send}, Resize: resize,
	})
	_ = stdin.Close() // receive does not wait for a reader any more
	switch {
	case present.Err() != nil: // Attach has stopped the dyno
	case err != nil:
		_, body := a.explain(r, err)
		_ = conn.Close(websocket.StatusInternalError, reason(body.Message)) // the client is told, if it is there
	default:
		sayExit(present, gone, send, exit)
	}
}

// sayExit sends a dyno's exit code, and waits for the client to leave: it may be
// slow to show what came before.
func sayExit(present context.Context, gone context.CancelCauseFunc, send func(wire.Channel, []byte) error, exit dyno.Exit) {
	status, err := json.Marshal(wire.ExitStatus{Code: exit.Code})
	if err != nil || send(wire.Exit, status) != nil {
		return // it has left
	}
	late := time.AfterFunc(linger, func() { gone(errGone) })
	defer late.Stop()
	<-present.Done()
}

// receive takes the client's messages until it has gone.
func receive(ctx context.Context, conn *websocket.Conn, feed *io.PipeWriter, resize chan dyno.Size) {
	defer func() { _ = feed.Close() }()
	for {
		ch, payload, err := next(ctx, conn)
		if err != nil {
			return
		}
		switch ch {
		case wire.Stdin:
			_, _ = feed.Write(payload) // what the process does not read any more is dropped
		case wire.StdinClosed:
			_ = feed.Close()
		case wire.Resize:
			size, err := wire.ParseSize(payload)
			if err != nil {
				return
			}
			latest(resize, dyno.Size{Columns: size.Columns, Rows: size.Rows})
		case wire.Alive:
		case wire.Stdout, wire.Stderr, wire.Exit:
			return // a client that mistakes itself for a server
		}
	}
}

// next reads one message. A client that sends none for long has gone.
func next(ctx context.Context, conn *websocket.Conn) (wire.Channel, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, wire.AliveWithin)
	defer cancel()
	kind, message, err := conn.Read(ctx)
	if err != nil {
		return 0, nil, err
	}
	if kind != websocket.MessageBinary {
		return 0, nil, errGone
	}
	return wire.ParseFrame(message)
}

// latest puts a size into the channel, in place of one that nobody took.
func latest(resize chan dyno.Size, size dyno.Size) {
	select {
	case <-resize:
	default:
	}
	resize <- size // there is room: nobody else sends
}

func keepAlive(ctx context.Context, send func(wire.Channel, []byte) error) {
	tick := time.NewTicker(wire.AliveEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if send(wire.Alive, nil) != nil {
				return
			}
		}
	}
}

// A channelWriter sends what is written as messages of one channel.
type channelWriter struct {
	ch   wire.Channel
	send func(wire.Channel, []byte) error
}

func (w channelWriter) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		part := p[written:min(len(p), written+wire.MaxPayload)]
		if err := w.send(w.ch, part); err != nil {
			return written, err
		}
		written += len(part)
	}
	return written, nil
}
