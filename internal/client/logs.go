package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"slipway/internal/wire"
)

// maxLine bounds a line of a log with what stands before it, in bytes.
const maxLine = 64 << 10

// errLogEnded says that a log that was followed ends.
var errLogEnded = errors.New("the server has ended the log stream: run it again when the server is back")

// Logs reads an app's log: past lines, and with o.Tail new ones until ctx is
// done, which is no error. A line with an error is the last one.
func (c *Client) Logs(ctx context.Context, app string, o wire.LogSessionCreate) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		err := c.readLogs(ctx, app, o, func(line string) bool { return yield(line, nil) })
		if err != nil && (!o.Tail || ctx.Err() == nil) {
			yield("", err)
		}
	}
}

func (c *Client) readLogs(ctx context.Context, app string, o wire.LogSessionCreate, yield func(string) bool) error {
	var session wire.LogSession
	if err := c.call(ctx, http.MethodPost, appPath(app, "log-sessions"), o, &session); err != nil {
		return err
	}
	body, err := c.openLog(ctx, session)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		// Events; what is no data keeps the connection.
		line, found := strings.CutPrefix(lines.Text(), "data: ")
		if found && !yield(line) {
			return nil
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the log from %s: %w", c.URL, err)
	}
	if o.Tail {
		return errLogEnded
	}
	return nil
}

// openLog opens a session's stream. It is asked of the server that the client
// knows, by whatever name the server knows itself.
func (c *Client) openLog(ctx context.Context, session wire.LogSession) (io.ReadCloser, error) {
	u, err := url.Parse(session.URL)
	if err != nil {
		return nil, fmt.Errorf("answer of %s is not Slipway's: it has no address of a log", c.URL)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base()+u.RequestURI(), nil)
	if err != nil {
		return nil, fmt.Errorf("server address %q: %w", c.URL, err)
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("User-Agent", c.header().Get("User-Agent"))
	resp, err := c.web().Do(req)
	if err != nil {
		return nil, c.unreached(err)
	}
	if resp.StatusCode != http.StatusOK {
		raw, _ := io.ReadAll(io.LimitReader(resp.Body, maxLine)) // what is there of it is shown
		return nil, errors.Join(failure(resp, raw), resp.Body.Close())
	}
	return resp.Body, nil
}
