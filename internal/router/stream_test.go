package router_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"slipway/internal/router"
)

func TestAnswerIsStreamed(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{"events": "Content-Type: text/event-stream\r\n", "length": "Content-Length: 15\r\n", "to the end": ""} {
		next := make(chan struct{})
		b := start(t, router.Config{}, script(t, "web.1", func(c net.Conn, br *bufio.Reader) {
			readRequest(br)
			io.WriteString(c, "HTTP/1.1 200 OK\r\n"+header+"\r\n")
			for n := range 3 {
				<-next
				fmt.Fprintf(c, "part%d", n)
			}
		}))
		resp, err := b.Client().Do(b.request(t, "GET", "/", nil)) // the header comes before any part
		if err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			next <- struct{}{}
			buf := make([]byte, 5)
			if _, err := io.ReadFull(resp.Body, buf); err != nil || string(buf) != fmt.Sprintf("part%d", n) {
				t.Fatalf("%s: part %d = %q, %v, want it before the next one is sent", name, n, buf, err)
			}
		}
		if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 {
			t.Errorf("%s: rest = %q, %v, want none", name, rest, err)
		}
		resp.Body.Close()
	}
}

func TestBothWaysAtOnce(t *testing.T) {
	t.Parallel()
	dyno := serve(t, "web.1", func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		if err := rc.EnableFullDuplex(); err != nil {
			panic(err)
		}
		buf := make([]byte, 5)
		for {
			n, err := io.ReadFull(r.Body, buf)
			if err != nil {
				return
			}
			w.Write(bytes.ToUpper(buf[:n]))
			rc.Flush()
		}
	})
	b := start(t, router.Config{}, dyno)
	body, pen := io.Pipe()
	first := make(chan error, 1)
	go func() {
		_, err := io.WriteString(pen, "first")
		first <- err
	}()
	resp, err := b.Client().Do(b.request(t, "POST", "/", body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	<-first
	for _, want := range []string{"FIRST", "AGAIN", "AFTER"} {
		buf := make([]byte, 5)
		if _, err := io.ReadFull(resp.Body, buf); err != nil || string(buf) != want {
			t.Fatalf("read %q, %v, want %q", buf, err, want)
		}
		if want != "AFTER" {
			next := map[string]string{"FIRST": "again", "AGAIN": "after"}[want]
			if _, err := io.WriteString(pen, next); err != nil {
				t.Fatal(err)
			}
		}
	}
	pen.Close()
	if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 {
		t.Errorf("rest = %q, %v, want none", rest, err)
	}
}

func TestUploadKeepsAnswerAlive(t *testing.T) {
	t.Parallel()
	const idle = 200 * time.Millisecond
	dyno := script(t, "web.1", func(c net.Conn, br *bufio.Reader) {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nbegun ") // and then silence, while the client sends
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(c, "%d", n)
	})
	b := start(t, router.Config{Idle: idle, FirstByte: idle}, dyno)
	body, pen := io.Pipe()
	go func() {
		defer pen.Close()
		tick := time.NewTicker(idle / 4)
		defer tick.Stop()
		for range 8 {
			<-tick.C
			io.WriteString(pen, "x")
		}
	}()
	resp, text := b.do(t, b.request(t, "POST", "/", body))
	if resp.StatusCode != 200 || text != "begun 8" {
		t.Errorf("POST = %d %q, want the whole answer: bytes went the other way", resp.StatusCode, text)
	}
}

func TestAnswerKeepsUploadAlive(t *testing.T) {
	t.Parallel()
	const idle = 200 * time.Millisecond
	dyno := script(t, "web.1", func(c net.Conn, br *bufio.Reader) {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		tick := time.NewTicker(idle / 4)
		defer tick.Stop()
		for range 8 {
			<-tick.C
			io.WriteString(c, "x")
		}
		io.WriteString(c, ";")
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(c, "%s %v", body, err)
	})
	b := start(t, router.Config{Idle: idle, FirstByte: idle}, dyno)
	body, pen := io.Pipe()
	resp, err := b.Client().Do(b.request(t, "POST", "/", body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	br := bufio.NewReader(resp.Body)
	if got, err := br.ReadString(';'); got != "xxxxxxxx;" {
		t.Fatalf("answer is %q, %v, want eight bytes in twice the time that a client may be silent", got, err)
	}
	go func() {
		io.WriteString(pen, "still here")
		pen.Close()
	}()
	if rest, err := io.ReadAll(br); string(rest) != "still here <nil>" {
		t.Errorf("rest is %q, %v, want what the client sent at last", rest, err)
	}
}

func TestEarlyAnswerToUpload(t *testing.T) {
	t.Parallel()
	dyno := script(t, "web.1", func(c net.Conn, br *bufio.Reader) {
		if _, err := http.ReadRequest(br); err == nil {
			io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno\n")
		}
		hang(c, br)
	})
	b := start(t, router.Config{}, dyno)
	body, pen := io.Pipe()
	defer pen.Close()
	resp, text := b.do(t, b.request(t, "POST", "/", body))
	if resp.StatusCode != 413 || text != "no\n" {
		t.Errorf("POST = %d %q, want the dyno's 413 before the body has ended", resp.StatusCode, text)
	}
	if line := b.line(t, 0); !strings.HasPrefix(line, "hello: at=info ") {
		t.Errorf("line is %s, want at=info", line)
	}
}

func TestExpectContinue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		continues bool
		behave    func(c net.Conn, br *bufio.Reader)
		want      string
	}{
		{"asks for it", true, func(c net.Conn, br *bufio.Reader) {
			r, _ := http.ReadRequest(br)
			io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
			body, _ := io.ReadAll(r.Body)
			io.WriteString(c, ok(r.Header.Get("Expect")+" "+string(body)))
		}, "HTTP/1.1 200 OK"},
		{"does not know it", true, answer(ok("got it")), "HTTP/1.1 200 OK"},
		{"refuses", false, func(c net.Conn, br *bufio.Reader) {
			http.ReadRequest(br)
			io.WriteString(c, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
		}, "HTTP/1.1 401 Unauthorized"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := start(t, router.Config{}, script(t, "web.1", c.behave))
			conn := b.dial(t)
			io.WriteString(conn, "POST / HTTP/1.1\r\nHost: hello.localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
			br := bufio.NewReader(conn)
			status, err := br.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if c.continues {
				if status != "HTTP/1.1 100 Continue\r\n" {
					t.Fatalf("first answer is %q, want 100 before the body is sent", status)
				}
				br.ReadString('\n')
				io.WriteString(conn, "hello")
				status, _ = br.ReadString('\n')
			}
			if strings.TrimSpace(status) != c.want {
				t.Errorf("answer is %q, want %q", status, c.want)
			}
		})
	}
}

func TestEarlyHints(t *testing.T) {
	t.Parallel()
	b := start(t, router.Config{}, script(t, "web.1",
		answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"+ok("done"))))
	var hints []string
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		hints = append(hints, fmt.Sprint(code, h.Get("Link")))
		return nil
	}})
	resp, body := b.do(t, b.request(t, "GET", "/", nil).WithContext(ctx))
	if len(hints) != 1 || hints[0] != "103</a.css>" || body != "done" || resp.Header.Get("Link") != "" {
		t.Errorf("GET = %v, then %q with Link %q, want one 103 and the answer without its fields", hints, body, resp.Header.Get("Link"))
	}
}

func TestAnswerForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, method, answer string
		status               int
		body, header, value  string
	}{
		{"head", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", 200, "", "Content-Length", "500"},
		{"not modified", "GET", "HTTP/1.1 304 Not Modified\r\nEtag: x\r\n\r\n", 304, "", "Etag", "x"},
		{"no content", "GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", "Content-Length", ""},
		{"no type", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", 200, "<html>", "Content-Type", ""},
		{"trailer", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n", 200, "hi", "", ""},
		{"hop by hop", "GET", "HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: 1\r\nContent-Length: 0\r\n\r\n", 200, "", "X-Hop", ""},
		{"old", "GET", "HTTP/1.0 200 OK\r\n\r\nto the end", 200, "to the end", "Via", "1.1 slipway"},
	} {
		b := start(t, router.Config{}, script(t, "web.1", func(conn net.Conn, br *bufio.Reader) {
			readRequest(br)
			io.WriteString(conn, c.answer)
		}))
		resp, body := b.do(t, b.request(t, c.method, "/", nil))
		if resp.StatusCode != c.status || body != c.body || resp.Header.Get(c.header) != c.value {
			t.Errorf("%s: %s = %d %q with %s: %q, want %d %q with %q", c.name, c.method, resp.StatusCode, body, c.header, resp.Header.Get(c.header), c.status, c.body, c.value)
		}
		if c.name == "trailer" && resp.Trailer.Get("X-Sum") != "7" {
			t.Errorf("trailer = %v, want X-Sum: 7", resp.Trailer)
		}
	}
}

func TestWebSocket(t *testing.T) {
	t.Parallel()
	dyno := serve(t, "web.1", func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"chat"}})
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, text, err := c.Read(r.Context())
			if err != nil {
				return
			}
			if err := c.Write(r.Context(), kind, bytes.ToUpper(text)); err != nil {
				return
			}
		}
	})
	b := start(t, router.Config{}, dyno)
	c, resp, err := websocket.Dial(t.Context(), b.URL, &websocket.DialOptions{ //nolint:bodyclose // it is the connection
		Host: "hello.localhost", Subprotocols: []string{"chat"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if c.Subprotocol() != "chat" || resp.Header.Get("Via") != "1.1 slipway" {
		t.Errorf("handshake = %v, want the dyno's subprotocol, and Via", resp.Header)
	}
	for n := range 3 {
		if err := c.Write(t.Context(), websocket.MessageText, fmt.Appendf(nil, "hello %d", n)); err != nil {
			t.Fatal(err)
		}
		if _, text, err := c.Read(t.Context()); err != nil || string(text) != fmt.Sprintf("HELLO %d", n) {
			t.Fatalf("Read = %q, %v, want HELLO %d", text, err, n)
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		t.Errorf("Close = %v, want <nil>", err)
	}
	line := b.line(t, 0)
	if !strings.HasPrefix(line, "hello: at=info ") || field(line, "status") != "101" || field(line, "bytes") == "0" {
		t.Errorf("line is %s, want at=info, status=101 and bytes", line)
	}
}

const handshake = "GET / HTTP/1.1\r\nHost: hello.localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: %s\r\n\r\n"

// echo agrees to the upgrade and says something at once, then repeats.
func echo(c net.Conn, br *bufio.Reader) {
	r, _, err := readRequest(br)
	if err != nil {
		return
	}
	fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\nearly;", r.Header.Get("Upgrade"))
	io.Copy(c, br)
	io.WriteString(c, "late;")
}

func TestTunnel(t *testing.T) {
	t.Parallel()
	b := start(t, router.Config{}, script(t, "web.1", echo))
	c := b.dial(t)
	fmt.Fprintf(c, handshake+"at once;", "echo")
	br := bufio.NewReader(c)
	begun, err := br.ReadString(';') // before that, an end is taken for the client's own
	if err != nil {
		t.Fatal(err)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(br)
	answer = append([]byte(begun), answer...)
	_, said, _ := strings.Cut(string(answer), "\r\n\r\n")
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 101 ") || said != "early;at once;late;" {
		t.Errorf("answer is %q, %v, want 101 and all that both said", answer, err)
	}
	if line := b.line(t, 0); field(line, "bytes") != "19" {
		t.Errorf("line is %s, want bytes=19", line)
	}
}

func TestTunnelIdles(t *testing.T) {
	t.Parallel()
	b := start(t, router.Config{Idle: 100 * time.Millisecond}, script(t, "web.1", echo))
	if got := b.raw(t, fmt.Sprintf(handshake, "echo")); !strings.HasSuffix(got, "early;") {
		t.Errorf("answer is %q, want it cut after the first word", got)
	}
	if line := b.line(t, 0); field(line, "code") != "H15" || field(line, "status") != "101" {
		t.Errorf("line is %s, want code=H15 status=101", line)
	}
}

func TestUpgradeRefused(t *testing.T) {
	t.Parallel()
	b := start(t, router.Config{}, script(t, "web.1", answer("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno")))
	if got := b.raw(t, strings.Replace(fmt.Sprintf(handshake, "websocket"), "keep-alive", "close", 1)); !strings.HasPrefix(got, "HTTP/1.1 426 ") {
		t.Errorf("answer is %q, want the dyno's 426", got)
	}
	// A change to HTTP/2 would hide requests from the router.
	b = start(t, router.Config{}, serve(t, "web.1", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "[%s%s]", r.Header.Get("Upgrade"), r.Header.Get("Http2-Settings"))
	}))
	text := "GET / HTTP/1.1\r\nHost: hello.localhost\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n"
	if got := b.raw(t, text); !strings.HasSuffix(got, "[]") {
		t.Errorf("answer is %q, want a dyno that was not asked for h2c", got)
	}
}

func TestCloseEndsTunnels(t *testing.T) {
	t.Parallel()
	b := start(t, router.Config{}, script(t, "web.1", echo))
	c := b.dial(t)
	fmt.Fprintf(c, handshake, "echo")
	br := bufio.NewReader(c)
	if _, err := br.ReadString(';'); err != nil {
		t.Fatal(err)
	}
	b.router.Close()
	if rest, err := io.ReadAll(br); len(rest) > 0 {
		t.Errorf("after Close = %q, %v, want the end", rest, err)
	}
}

func TestCancelWhileWaiting(t *testing.T) {
	t.Parallel()
	b := start(t, router.Config{})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if resp, err := b.Client().Do(b.request(t, "GET", "/", nil).WithContext(ctx)); err == nil {
		resp.Body.Close()
		t.Error("GET = <nil>, want the client's own time-out")
	}
	if line := b.line(t, 0); field(line, "code") != "H27" || field(line, "dyno") != "" {
		t.Errorf("line is %s, want code=H27 without a dyno", line)
	}
}
