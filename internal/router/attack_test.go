package router_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"slipway/internal/router"
)

// TestAttacks sends what no browser sends. The dyno repeats how it was asked.
func TestAttacks(t *testing.T) {
	t.Parallel()
	dyno := serve(t, "web.1", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %d %v %q;", r.Method, r.RequestURI, r.Host, r.ContentLength, r.TransferEncoding, body)
	})
	const host = "Host: hello.localhost\r\n"
	for _, c := range []struct {
		name, text string
		status     string
		dyno       string // what it was asked; "" if nothing reached it
	}{
		{"length and chunks", "POST / HTTP/1.1\r\n" + host + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "200", `POST / hello.localhost -1 [chunked] "hi";`},
		{"two lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc", "400", ""},
		{"signed length", "POST / HTTP/1.1\r\n" + host + "Content-Length: +2\r\n\r\nab", "400", ""},
		{"unknown coding", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "501", ""},
		{"two codings", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", "501", ""},
		{"space before the colon", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "400", ""},
		{"bad chunk", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "", ""},
		{"field names the length away", "POST / HTTP/1.1\r\n" + host + "Content-Length: 2\r\nConnection: close, Content-Length, X-Forwarded-For\r\n\r\nhi", "200", `POST / hello.localhost 2 [] "hi";`},
		{"two hosts", "GET / HTTP/1.1\r\n" + host + "Host: www.example.com\r\n\r\n", "400", ""},
		{"no host", "GET / HTTP/1.1\r\n\r\n", "400", ""},
		{"bad host", "GET / HTTP/1.1\r\nHost: hello.localhost/../x\r\n\r\n", "400", ""},
		{"absolute form", "GET http://hello.localhost/x?y HTTP/1.1\r\nHost: other.localhost\r\nConnection: close\r\n\r\n", "200", `GET /x?y hello.localhost 0 [] "";`},
		{"double slash", "GET //evil.example/x HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n", "200", `GET //evil.example/x hello.localhost 0 [] "";`},
		{"star", "OPTIONS * HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n", "200", ""},
		{"connect", "CONNECT hello.localhost:80 HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n", "405", ""},
		{"line in a field", "GET / HTTP/1.1\r\n" + host + "X: a\rb\r\n\r\n", "400", ""},
		{"long address", "GET /" + strings.Repeat("x", 9000) + " HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n", "414", ""},
		{"large field", "GET / HTTP/1.1\r\n" + host + "X: " + strings.Repeat("x", 100_000) + "\r\nConnection: close\r\n\r\n", "431", ""},
		{"many fields", "GET / HTTP/1.1\r\n" + host + strings.Repeat("X: y\r\n", 20_000) + "Connection: close\r\n\r\n", "431", ""},
		{"old", "GET / HTTP/1.0\r\n" + host + "\r\n", "200", `GET / hello.localhost 0 [] "";`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := start(t, router.Config{}, dyno)
			answer := b.raw(t, c.text)
			status, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(answer, "HTTP/1.1 "), "HTTP/1.0 "), " ")
			if status != c.status {
				t.Errorf("answer is %.300s, want status %s", answer, c.status)
			}
			if c.dyno != "" && !strings.Contains(answer, c.dyno) {
				t.Errorf("answer is %.300s, want a dyno that was asked %s", answer, c.dyno)
			}
			if c.dyno == "" && b.apps.asked > 0 && c.status != "" && c.status != "200" {
				t.Errorf("%d dynos were asked for, want none", b.apps.asked)
			}
		})
	}
}

// FuzzLine sends paths and addresses, and reads the line.
func FuzzLine(f *testing.F) {
	for _, seed := range [][2]string{
		{"/", "1.2.3.4"},
		{"/\"quoted\"", "\" at=info"},
		{"/\x1b[31m\r\nhello: at=info", "\n"},
		{"/\xff\u202e\u009b", "\\"},
		{"/" + strings.Repeat("é", 4000), strings.Repeat("\"", 4000)},
	} {
		f.Add(seed[0], seed[1])
	}
	var line string
	rt := router.New(router.Config{
		Apps: &apps{err: router.ErrNoWeb}, Domain: "localhost", Log: func(_, l string) { line = l },
		MaxURL: 1 << 20, MaxHeader: 1 << 20,
	})
	f.Fuzz(func(t *testing.T, path, fwd string) {
		r := &http.Request{
			Method: "GET", Host: "hello.localhost", RequestURI: "/" + path, RemoteAddr: "127.0.0.1:1",
			Header: http.Header{"X-Forwarded-For": {fwd}},
		}
		rt.ServeHTTP(nowhere{http.Header{}}, r.WithContext(t.Context()))
		if len(line) > 32<<10 || !utf8.ValidString(line) || strings.ContainsFunc(line, func(c rune) bool { return !unicode.IsPrint(c) }) {
			t.Fatalf("line is %q, want short and printable text", line)
		}
		// Whatever came from outside is inside of quotes.
		var plain strings.Builder
		quoted := false
		for i := 0; i < len(line); i++ {
			switch {
			case quoted && line[i] == '\\':
				i++
			case line[i] == '"':
				quoted = !quoted
			case !quoted:
				plain.WriteByte(line[i])
			}
		}
		outside := plain.String()
		before, rest, _ := strings.Cut(outside, " request_id=")
		_, after, _ := strings.Cut(rest, " ")
		if quoted || before != "at=error code=H14 desc= method=GET path= host=hello.localhost" ||
			after != "fwd= dyno= connect= service= status=503 bytes= protocol=http" {
			t.Errorf("line is %s, of which %s is outside of quotes", line, outside)
		}
	})
}

// nowhere is a ResponseWriter that nobody reads.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n nowhere) WriteHeader(int)             {}
