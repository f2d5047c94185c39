package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"slipway/internal/wire"
)

func (c *Client) call(ctx context.Context, method, path string, body, answer any) error {
	return c.callWithin(ctx, timeout, method, path, body, answer)
}

func (c *Client) callWithin(ctx context.Context, limit time.Duration, method, path string, body, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	_, err := c.exchange(ctx, method, path, "", body, answer)
	return err
}

// exchange makes a call, again where the server asks for patience, and returns
// the header of the answer. The range is that of a list, or "".
func (c *Client) exchange(ctx context.Context, method, path, within string, body, answer any) (http.Header, error) {
	for tries := 1; ; tries++ {
		req, err := c.request(ctx, method, path, body)
		if err != nil {
			return nil, err
		}
		if within != "" {
			req.Header.Set("Range", within)
		}
		resp, raw, err := c.do(req) //nolint:bodyclose // do has read and closed it
		if err != nil {
			return nil, err
		}
		if resp.StatusCode == http.StatusTooManyRequests && method == http.MethodGet && tries < maxTries {
			if err := wait(ctx, retryAfter(resp.Header, time.Now())); err == nil {
				continue
			}
		}
		if resp.StatusCode >= http.StatusMultipleChoices {
			return nil, failure(resp, raw)
		}
		if answer == nil {
			return resp.Header, nil
		}
		if err := json.Unmarshal(raw, answer); err != nil {
			return nil, fmt.Errorf("answer of %s is not Slipway's: %w", c.URL, err)
		}
		return resp.Header, nil
	}
}

// do sends a request and reads the answer to its end.
func (c *Client) do(req *http.Request) (*http.Response, []byte, error) {
	start := time.Now()
	resp, err := c.web().Do(req)
	if err != nil {
		return nil, nil, c.unreached(err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return nil, nil, fmt.Errorf("read answer of %s: %w", c.URL, err)
	}
	c.trace(req, resp, start)
	return resp, raw, nil
}

// trace tells of a call. Its query and body may hold secrets.
func (c *Client) trace(req *http.Request, resp *http.Response, start time.Time) {
	if c.Debug == nil {
		return
	}
	fmt.Fprintf(c.Debug, "%s %s: %s in %s, request %s\n", req.Method, req.URL.Path, resp.Status,
		time.Since(start).Round(time.Millisecond), cmp.Or(resp.Header.Get(requestID), "without an ID"))
}

// request makes a request that is signed in.
func (c *Client) request(ctx context.Context, method, path string, body any) (*http.Request, error) {
	var sent io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
		sent = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base()+path, sent)
	if err != nil {
		return nil, fmt.Errorf("server address %q: %w", c.URL, err)
	}
	req.Header = c.header()
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

func (c *Client) header() http.Header {
	agent := c.Agent
	if agent == "" {
		agent = "slipway"
	}
	return http.Header{"Accept": {wire.Accept}, "Authorization": {"Bearer " + c.Token}, "User-Agent": {agent}}
}

func (c *Client) base() string { return strings.TrimRight(c.URL, "/") }

// unreached says that the server did not answer. What was asked of it is left
// out: a drain's address may hold a password.
func (c *Client) unreached(err error) error {
	if asked, ok := errors.AsType[*url.Error](err); ok {
		err = asked.Err
	}
	return fmt.Errorf("reach the server at %s: %w", c.URL, err)
}

// requestID is the header in which the server names a request.
const requestID = "Request-Id"

func failure(resp *http.Response, raw []byte) error {
	e := &Error{Status: resp.StatusCode, Request: resp.Header.Get(requestID)}
	if json.Unmarshal(raw, &e.Body) != nil || e.Body.Message == "" {
		e.Body.Message = fmt.Sprintf("the server answered %s; is a Slipway server at this address?", resp.Status)
	}
	return e
}
