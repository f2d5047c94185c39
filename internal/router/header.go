package router

import (
	"bufio"
	"iter"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

const via = "1.1 slipway"

// forwardedFor is X-Forwarded-For: what the client sent, and its address.
func forwardedFor(r *http.Request) string {
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = r.RemoteAddr
	}
	prior := r.Header["X-Forwarded-For"]
	if len(prior) == 0 {
		return ip
	}
	return strings.Join(prior, ", ") + ", " + ip
}

// dropped are the header fields of one connection (RFC 9110, 7.6.1), and those
// that the router writes itself.
func dropped(name string) bool {
	switch name {
	case "Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Http2-Settings":
		return true
	case "Host", "Content-Length", "Expect", "Via",
		"X-Request-Id", "X-Request-Start", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port":
		return true
	}
	return false
}

// disguised tells whether a name with underscores stands for one that the
// router writes: CGI and WSGI make the same variable of both.
func disguised(name string) bool {
	return strings.IndexByte(name, '_') >= 0 && dropped(http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-")))
}

// named tells whether a Connection header names a field.
func named(connection []string, name string) bool {
	return len(connection) > 0 && httpguts.HeaderValuesContainsToken(connection, name)
}

// writeHead writes the request line and the header fields for the dyno. Errors
// stay in bw until it is flushed.
func (x *exchange) writeHead(bw *bufio.Writer) {
	r := x.r
	writeStrings(bw, r.Method, " ", target(r), " HTTP/1.1\r\nHost: ", r.Host, "\r\n")
	connection := r.Header["Connection"]
	for name, values := range r.Header {
		if dropped(name) || disguised(name) || named(connection, name) {
			continue
		}
		for _, v := range values {
			writeStrings(bw, name, ": ", v, "\r\n")
		}
	}
	x.writeConnection(bw)
	x.writeForwarded(bw)
	x.writeBodyHeader(bw)
	_, _ = bw.WriteString("\r\n")
}

func (x *exchange) writeConnection(bw *bufio.Writer) {
	if x.upgrade != "" {
		writeStrings(bw, "Connection: Upgrade\r\nUpgrade: ", x.upgrade, "\r\n")
	}
	if httpguts.HeaderValuesContainsToken(x.r.Header["Te"], "trailers") {
		_, _ = bw.WriteString("Te: trailers\r\n")
	}
}

func (x *exchange) writeForwarded(bw *bufio.Writer) {
	proto, port := x.rt.cfg.Proto, x.rt.cfg.Port
	if x.r.TLS != nil {
		proto, port = "https", x.rt.cfg.TLSPort
	}
	writeStrings(bw,
		"X-Request-Id: ", x.id,
		"\r\nX-Forwarded-For: ", x.fwd,
		"\r\nX-Forwarded-Proto: ", proto,
		"\r\nX-Forwarded-Port: ", port,
		"\r\nX-Request-Start: ", strconv.FormatInt(x.started.UnixMilli(), 10),
		"\r\nVia: ",
	)
	for _, v := range x.r.Header["Via"] {
		writeStrings(bw, v, ", ")
	}
	writeStrings(bw, via, "\r\n")
}

// target is what the client asked for, byte for byte where it can be.
func target(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") || r.RequestURI == "*" {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

// size is about how much a request's header fields take.
func size(h http.Header) int {
	n := 0
	for name, values := range h {
		for _, v := range values {
			n += len(name) + len(v) + len(": \r\n")
		}
	}
	return n
}

// upgradeOf is the protocol that a request or an answer changes to, "" for
// none. A change to HTTP/2 would hide requests from the router.
func upgradeOf(h http.Header) string {
	if len(h["Upgrade"]) == 0 || !httpguts.HeaderValuesContainsToken(h["Connection"], "upgrade") {
		return ""
	}
	protocol := strings.Join(h["Upgrade"], ", ")
	if strings.Contains(strings.ToLower(protocol), "h2c") {
		return ""
	}
	return protocol
}

func writeStrings(bw *bufio.Writer, parts ...string) {
	for _, s := range parts {
		_, _ = bw.WriteString(s) // bw keeps the error for Flush
	}
}

// tokens are the words of a list field.
func tokens(list string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for token := range strings.SplitSeq(list, ",") {
			if !yield(textproto.TrimString(token)) {
				return
			}
		}
	}
}
