package client

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

const (
	// maxTries is how often a question is asked that the server has no time for.
	maxTries = 4
	// maxPause bounds the wait before a question is asked again.
	maxPause = 30 * time.Second
)

// retryAfter is how long the server wants to be left alone (RFC 9110, section
// 10.2.3: seconds or a date); a second if it doesn't say.
func retryAfter(h http.Header, now time.Time) time.Duration {
	given := h.Get("Retry-After")
	pause := time.Second
	if n, err := strconv.Atoi(given); err == nil {
		pause = time.Duration(min(max(n, 0), int(maxPause/time.Second))) * time.Second
	} else if at, err := http.ParseTime(given); err == nil {
		pause = at.Sub(now)
	}
	return min(max(pause, 0), maxPause)
}

// wait waits for d, or until ctx is done.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
