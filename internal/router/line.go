package router

import (
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// maxLogged is how much of a path or an address list a line shows, in bytes.
const maxLogged = 2048

// A line is what the app's log says of one request.
type line struct {
	failure  *failure // nil if all went well
	method   string
	path     string // with the query
	host     string
	id       string
	fwd      string
	dyno     string // "" if none was reached
	connect  time.Duration
	service  time.Duration
	status   int
	bytes    int64 // of the body
	protocol string
}

var lines = sync.Pool{New: func() any { b := make([]byte, 0, 512); return &b }}

// String is the line in Heroku's form.
func (l *line) String() string {
	buf, ok := lines.Get().(*[]byte)
	if !ok {
		buf = new([]byte)
	}
	*buf = l.append((*buf)[:0])
	s := string(*buf)
	lines.Put(buf)
	return s
}

func (l *line) append(b []byte) []byte {
	b = append(b, "at="...)
	if l.failure == nil {
		b = append(b, "info"...)
	} else {
		b = append(b, orString(l.failure.level, "error")...)
		b = append(b, " code="...)
		b = append(b, l.failure.code...)
		b = append(b, ` desc="`...)
		b = append(b, l.failure.desc...)
		b = append(b, '"')
	}
	b = append(b, " method="...)
	b = append(b, l.method[:min(len(l.method), 32)]...)
	b = append(b, " path="...)
	b = appendQuoted(b, l.path)
	b = append(b, " host="...)
	b = append(b, l.host...)
	b = append(b, " request_id="...)
	b = append(b, l.id...)
	b = append(b, " fwd="...)
	b = appendQuoted(b, l.fwd)
	b = append(b, " dyno="...)
	b = append(b, l.dyno...)
	b = append(b, " connect="...)
	if l.dyno != "" {
		b = append(strconv.AppendInt(b, l.connect.Milliseconds(), 10), "ms"...)
	}
	b = append(b, " service="...)
	if l.dyno != "" {
		b = append(strconv.AppendInt(b, l.service.Milliseconds(), 10), "ms"...)
	}
	b = append(b, " status="...)
	b = strconv.AppendInt(b, int64(l.status), 10)
	b = append(b, " bytes="...)
	if l.dyno != "" {
		b = strconv.AppendInt(b, l.bytes, 10)
	}
	b = append(b, " protocol="...)
	b = append(b, l.protocol...)
	if l.failure != nil && l.failure.sock != "" {
		b = append(b, " sock="...)
		b = append(b, l.failure.sock...)
	}
	return b
}

// appendQuoted quotes what came from outside, so that it can neither end the
// line nor the quotes, nor reach a terminal as anything but text.
func appendQuoted(b []byte, s string) []byte {
	more := ""
	if len(s) > maxLogged {
		cut := maxLogged
		for cut > maxLogged-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s, more = s[:cut], "..."
	}
	plain := strings.IndexFunc(s, func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }) < 0
	if !plain {
		b = strconv.AppendQuote(b, s)
		return append(append(b[:len(b)-1], more...), '"')
	}
	b = append(append(b, '"'), s...)
	return append(append(b, more...), '"')
}
