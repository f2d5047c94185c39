package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"slipway/internal/wire"
)

// A Terminal is the client's end of a one-off dyno.
type Terminal struct {
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Resize <-chan wire.TerminalSize // may be nil
}

// An Attachment is a connection to a one-off dyno.
type Attachment struct {
	conn *websocket.Conn
}

// Attach connects to a one-off dyno, which starts by this. Call Run next.
func (c *Client) Attach(ctx context.Context, app, dyno string) (*Attachment, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	address := "ws" + strings.TrimPrefix(c.base(), "http") + appPath(app, "dynos", dyno, "attach")
	//nolint:bodyclose // the package closes it, and lets what was read of it be read
	conn, resp, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: c.web(), HTTPHeader: c.header()})
	if err != nil && resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
		raw, _ := io.ReadAll(io.LimitReader(resp.Body, maxBody)) // what is there of it is shown
		return nil, failure(resp, raw)
	}
	if err != nil {
		return nil, c.unreached(err)
	}
	conn.SetReadLimit(wire.MaxMessage)
	return &Attachment{conn: conn}, nil
}

// Run copies between the terminal and the dyno until the dyno has ended, and
// returns its exit code. When ctx is done, the dyno is stopped. A read of
// t.Stdin may still be waiting when Run returns; what it reads is lost.
func (a *Attachment) Run(ctx context.Context, t Terminal) (code int, err error) {
	defer func() { _ = a.conn.CloseNow() }() // closed already, if all went well
	ctx, cancel := context.WithCancel(ctx)
	var sending sync.WaitGroup
	defer sending.Wait()
	defer cancel()
	sending.Go(func() { a.tell(ctx, t.Resize) })
	go a.sendInput(ctx, t.Stdin) // not waited for: nothing can wake a reader of a terminal
	for {
		ch, payload, err := a.next(ctx)
		if err != nil {
			return 0, err
		}
		switch ch {
		case wire.Stdout:
			_, err = t.Stdout.Write(payload)
		case wire.Stderr:
			_, err = t.Stderr.Write(payload)
		case wire.Exit:
			status, err := wire.ParseExit(payload)
			if err == nil {
				_ = a.conn.Close(websocket.StatusNormalClosure, "") // both sides are done
			}
			return status.Code, err
		case wire.Alive:
		case wire.Stdin, wire.Resize, wire.StdinClosed:
			err = errors.New("the server sends what only clients send: is it newer than this client?")
		}
		if err != nil {
			return 0, fmt.Errorf("show output of the dyno: %w", err)
		}
	}
}

// next reads a message; a server that sends none for long is gone.
func (a *Attachment) next(ctx context.Context) (wire.Channel, []byte, error) {
	within, cancel := context.WithTimeout(ctx, wire.AliveWithin)
	defer cancel()
	_, message, err := a.conn.Read(within)
	if ctx.Err() != nil {
		return 0, nil, fmt.Errorf("stopped before the dyno had ended: %w", ctx.Err())
	}
	if closed, ok := errors.AsType[websocket.CloseError](err); ok && closed.Reason != "" {
		return 0, nil, errors.New(closed.Reason)
	}
	if err != nil {
		return 0, nil, fmt.Errorf("the connection to the dyno is lost, and the dyno is stopped: %w", err)
	}
	return wire.ParseFrame(message)
}

// tell sends the terminal's size when it changes, and that the client is there.
func (a *Attachment) tell(ctx context.Context, resize <-chan wire.TerminalSize) {
	tick := time.NewTicker(wire.AliveEvery)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			err = a.send(ctx, wire.Alive, nil)
		case size := <-resize:
			var payload []byte
			if payload, err = json.Marshal(size); err == nil {
				err = a.send(ctx, wire.Resize, payload)
			}
		}
		if err != nil {
			return // the reader finds out too, and says so
		}
	}
}

func (a *Attachment) sendInput(ctx context.Context, stdin io.Reader) {
	buf := make([]byte, wire.MaxPayload)
	for {
		n, err := stdin.Read(buf)
		if n > 0 && a.send(ctx, wire.Stdin, buf[:n]) != nil {
			return
		}
		if err != nil {
			_ = a.send(ctx, wire.StdinClosed, nil) // the reader finds out too, and says so
			return
		}
	}
}

func (a *Attachment) send(ctx context.Context, ch wire.Channel, payload []byte) error {
	return a.conn.Write(ctx, websocket.MessageBinary, wire.AppendFrame(nil, ch, payload))
}
