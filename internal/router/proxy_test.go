package router_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"slipway/internal/router"
)

func TestRequestReachesDyno(t *testing.T) {
	t.Parallel()
	var got *http.Request
	up := serve(t, "web.1", func(w http.ResponseWriter, r *http.Request) {
		got = r
		w.Header().Set("X-App", "yes")
		w.Header().Set("Keep-Alive", "timeout=5")
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, "short and stout")
	})
	b := start(t, router.Config{}, up)
	r := b.request(t, "GET", "/a%2Fb/../c?x=%22&y", nil)
	r.Header.Set("X-Request-Id", "0123456789-0123456789")
	r.Header.Set("X-Forwarded-For", "203.0.113.9")
	r.Header.Set("X-Forwarded-Proto", "gopher")
	r.Header["x_forwarded_proto"] = []string{"gopher"}
	r.Header.Set("Via", "1.0 fred")
	r.Header.Set("Connection", "X-Secret-Hop")
	r.Header.Set("X-Secret-Hop", "1")
	r.Header["X_Api_Key"] = []string{"k"}
	resp, body := b.do(t, r)
	if resp.StatusCode != http.StatusTeapot || body != "short and stout" {
		t.Errorf("GET = %d %q, want 418 and the dyno's body", resp.StatusCode, body)
	}
	for name, want := range map[string]string{"X-App": "yes", "Via": "1.1 slipway", "Keep-Alive": ""} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("answer has %s: %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{
		"X-Request-Id":      "0123456789-0123456789",
		"X-Forwarded-For":   "203.0.113.9, 127.0.0.1",
		"X-Forwarded-Proto": "http",
		"X-Forwarded-Port":  "80",
		"X_forwarded_proto": "",
		"Via":               "1.0 fred, 1.1 slipway",
		"X-Secret-Hop":      "",
		"Connection":        "",
		"X_api_key":         "k",
	} {
		if got := got.Header.Get(name); got != want {
			t.Errorf("request has %s: %q, want %q", name, got, want)
		}
	}
	if !regexp.MustCompile(`^\d{13}$`).MatchString(got.Header.Get("X-Request-Start")) {
		t.Errorf("X-Request-Start is %q, want milliseconds", got.Header.Get("X-Request-Start"))
	}
	if got.Host != "hello.localhost" || got.RequestURI != "/a%2Fb/../c?x=%22&y" {
		t.Errorf("dyno was asked for %q at %q, want the request's own", got.RequestURI, got.Host)
	}
	want := `^hello: at=info method=GET path="/a%2Fb/../c\?x=%22&y" host=hello.localhost request_id=0123456789-0123456789 ` +
		`fwd="203.0.113.9, 127.0.0.1" dyno=web.1 connect=\d+ms service=\d+ms status=418 bytes=15 protocol=http$`
	if line := b.line(t, 0); !regexp.MustCompile(want).MatchString(line) {
		t.Errorf("line is %s, want %s", line, want)
	}
}

func TestRequestIDIsMade(t *testing.T) {
	t.Parallel()
	up := serve(t, "web.1", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Header.Get("X-Request-Id")) })
	b := start(t, router.Config{}, up)
	for name, given := range map[string]string{
		"none": "", "short": "abc", "long": strings.Repeat("a", 201), "bad bytes": "0123456789 0123456789",
	} {
		r := b.request(t, "GET", "/", nil)
		r.Header.Set("X-Request-Id", given)
		if _, id := b.do(t, r); len(id) != 36 || id == given {
			t.Errorf("%s: X-Request-Id = %q, want a UUID", name, id)
		}
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	up := serve(t, "web.1", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %d %v %d %v %s", r.Method, r.ContentLength, r.TransferEncoding, len(body), err, r.Trailer.Get("X-Sum"))
	})
	b := start(t, router.Config{}, up)
	for _, c := range []struct {
		name, method string
		body         io.Reader
		trailer      string
		want         string
	}{
		{"no body", "POST", nil, "", "POST 0 [] 0 <nil> "},
		{"small", "POST", strings.NewReader("hello"), "", "POST 5 [] 5 <nil> "},
		{"large", "PUT", strings.NewReader(strings.Repeat("x", 1<<20)), "", "PUT 1048576 [] 1048576 <nil> "},
		{"chunked", "POST", io.MultiReader(strings.NewReader("hel"), strings.NewReader("lo")), "", "POST -1 [chunked] 5 <nil> "},
		{"trailer", "POST", io.MultiReader(strings.NewReader("hello")), "42", "POST -1 [chunked] 5 <nil> 42"},
		{"delete", "DELETE", nil, "", "DELETE 0 [] 0 <nil> "},
	} {
		r := b.request(t, c.method, "/", c.body)
		if c.trailer != "" {
			r.Trailer = http.Header{"X-Sum": {c.trailer}}
		}
		for range 2 { // the second over a kept connection, where there is one
			if _, got := b.do(t, r); got != c.want && !strings.HasSuffix(got, "0 <nil> ") {
				t.Errorf("%s: dyno got %q, want %q", c.name, got, c.want)
			}
			r.Body = http.NoBody
			r.ContentLength = 0
		}
	}
}
