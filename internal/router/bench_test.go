package router_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"

	"slipway/internal/router"
)

// BenchmarkRouter is the whole way: client, router, and a dyno that answers 12
// bytes, over loopback and kept connections. Only the router's part is more
// than a few lines of parsing, so that profiles show it.
func BenchmarkRouter(b *testing.B) {
	up := script(b, "web.1", func(c net.Conn, br *bufio.Reader) {
		for {
			for {
				line, err := br.ReadSlice('\n')
				if err != nil {
					return
				}
				if len(line) == 2 {
					break
				}
			}
			if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nhello, world"); err != nil {
				return
			}
		}
	})
	rt := start(b, router.Config{Log: func(string, string) {}}, up)
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		var d net.Dialer
		c, err := d.DialContext(b.Context(), "tcp", rt.Listener.Addr().String())
		if err != nil {
			b.Error(err)
			return
		}
		defer c.Close()
		br := bufio.NewReader(c)
		for pb.Next() {
			if _, err := io.WriteString(c, "GET /path?x=1 HTTP/1.1\r\nHost: hello.localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"); err != nil {
				b.Error(err)
				return
			}
			resp, err := http.ReadResponse(br, nil)
			if err != nil {
				b.Error(err)
				return
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				b.Error(err)
				return
			}
			resp.Body.Close()
		}
	})
}
