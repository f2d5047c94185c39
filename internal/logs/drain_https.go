package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// errRefused says that a batch will never be taken.
var errRefused = errors.New("the receiver does not take these lines, they are dropped")

// An httpSender posts each batch.
type httpSender struct {
	client *http.Client
	target target
	token  string
}

// httpData is one dash short of RFC 5424, as application/logplex-1 is.
const (
	httpHost = "host"
	httpData = " - "
)

func (s *httpSender) send(ctx context.Context, b batch) error {
	var body []byte
	for _, l := range b.lines {
		body = appendFrame(body, l, httpHost, httpData)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.target.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", withoutURL(err))
	}
	req.Header.Set("Content-Type", "application/logplex-1")
	req.Header.Set("Logplex-Msg-Count", strconv.Itoa(len(b.lines)))
	req.Header.Set("Logplex-Frame-Id", b.id)
	req.Header.Set("Logplex-Drain-Token", s.token)
	req.Header.Set("User-Agent", "slipway")
	if u := s.target.user; u != nil {
		password, _ := u.Password()
		req.SetBasicAuth(u.Username(), password)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return fmt.Errorf("post: %w", withoutURL(err))
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // or the connection is not used again
	return statusError(resp.StatusCode)
}

func statusError(status int) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusBadRequest, status == http.StatusRequestEntityTooLarge, status == http.StatusUnprocessableEntity:
		return fmt.Errorf("answered %d: %w", status, errRefused)
	}
	return fmt.Errorf("answered %d %s", status, http.StatusText(status))
}

// withoutURL takes the URL out of an error: it may hold a secret.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

func (s *httpSender) close() {}
