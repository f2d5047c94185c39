package logs

import (
	"strconv"
)

// Priorities as of RFC 5424, 6.2.1: what Logplex uses, so that receivers made
// for it tell the lines apart.
const (
	priApp      = 190 // local7, informational
	priRouter   = 158 // local3, informational
	priPlatform = 45  // syslog, notice
	priLogs     = 172 // local5, warning
)

func priority(l Line) int {
	switch {
	case l.Source == SourceApp:
		return priApp
	case l.Dyno == "router":
		return priRouter
	case l.Dyno == "logs":
		return priLogs
	}
	return priPlatform
}

// appendFrame writes a line as a syslog message (RFC 5424), with its length
// before it (RFC 6587, 3.4.1). Host is what the receiver takes for the sender's
// name, data what is between the process and the text.
func appendFrame(dst []byte, l Line, host, data string) []byte {
	body := make([]byte, 0, 128+len(l.Text))
	body = append(body, '<')
	body = strconv.AppendInt(body, int64(priority(l)), 10)
	body = append(body, ">1 "...)
	body = l.At.UTC().AppendFormat(body, stampLayout)
	for _, field := range []string{host, l.Source, l.Dyno} {
		body = append(body, ' ')
		body = appendField(body, field)
	}
	body = append(body, data...)
	body = append(body, l.Text...)
	body = append(body, '\n')
	dst = strconv.AppendInt(dst, int64(len(body)), 10)
	dst = append(dst, ' ')
	return append(dst, body...)
}

// appendField writes a field of the header: RFC 5424, 6 allows no space in it.
func appendField(dst []byte, field string) []byte {
	if field == "" {
		return append(dst, '-')
	}
	for _, b := range []byte(field[:min(len(field), 128)]) {
		if b <= ' ' || b >= 0x7f {
			b = '-'
		}
		dst = append(dst, b)
	}
	return dst
}
