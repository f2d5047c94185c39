package router_test

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"

	"slipway/internal/router"
)

// TestLine holds the line to Heroku's form, byte for byte.
func TestLine(t *testing.T) {
	t.Parallel()
	const id = "0123456789-0123456789"
	long := strings.Repeat("x", 3000)
	for _, c := range []struct {
		name, method, uri, fwd string
		err                    error
		secure                 bool
		want                   string
	}{
		{
			"no web", "GET", "/", "", router.ErrNoWeb, true,
			`at=error code=H14 desc="No web processes running" method=GET path="/" host=hello.localhost request_id=` + id +
				` fwd="192.0.2.1" dyno= connect= service= status=503 bytes= protocol=https`,
		},
		{
			"blank", "POST", "/a?b=c", "", router.ErrBlank, false,
			`at=info code=H81 desc="Blank app" method=POST path="/a?b=c" host=hello.localhost request_id=` + id +
				` fwd="192.0.2.1" dyno= connect= service= status=502 bytes= protocol=http`,
		},
		{
			"quotes and control bytes", "GET", "/\"x\\\x1b\u202e\xffé", "a\"b", router.ErrCrashed, false,
			`at=error code=H10 desc="App crashed" method=GET path="/\"x\\\x1b\u202e\xffé" host=hello.localhost request_id=` + id +
				` fwd="a\"b, 192.0.2.1" dyno= connect= service= status=503 bytes= protocol=http`,
		},
		{
			"long", strings.Repeat("M", 99), "/" + long, "", router.ErrQuota, false,
			`at=info code=H82 desc="Free dyno hours quota exhausted" method=` + strings.Repeat("M", 32) + ` path="/` + long[:2047] +
				`..." host=hello.localhost request_id=` + id + ` fwd="192.0.2.1" dyno= connect= service= status=503 bytes= protocol=http`,
		},
		{
			"long, cut between runes", "GET", "/" + strings.Repeat("é", 2000), "", router.ErrBacklog, false,
			`at=error code=H11 desc="Backlog too deep" method=GET path="/` + strings.Repeat("é", 1023) +
				`..." host=hello.localhost request_id=` + id + ` fwd="192.0.2.1" dyno= connect= service= status=503 bytes= protocol=http`,
		},
	} {
		var got string
		rt := router.New(router.Config{
			Apps: &apps{err: c.err}, Domain: "localhost", Log: func(_, line string) { got = line },
		})
		r := &http.Request{
			Method: c.method, RequestURI: c.uri, Host: "hello.localhost", RemoteAddr: "192.0.2.1:1234",
			Header: http.Header{"X-Request-Id": {id}},
		}
		if c.fwd != "" {
			r.Header.Set("X-Forwarded-For", c.fwd)
		}
		if c.secure {
			r.TLS = &tls.ConnectionState{}
		}
		rt.ServeHTTP(nowhere{http.Header{}}, r.WithContext(t.Context()))
		rt.Close()
		if got != c.want {
			t.Errorf("%s: line is\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}
