package logs

import (
	"strings"
	"time"
	"unicode/utf8"
)

// On disk a record is the line as people see it, with a line feed after it:
// nothing in a cleaned text can be taken for the end of a record, and grep
// works.
const (
	stampLayout = "2006-01-02T15:04:05.000000-07:00"
	maxName     = 64 // of a source or a dyno, in bytes

	// maxRecord is the longest record there is.
	maxRecord = len(stampLayout) + len(" ") + maxName + len("[") + maxName + len("]: ") + MaxLine + len("\n")
)

// appendPrefix writes what comes before a line's text.
func appendPrefix(dst []byte, at time.Time, source, dyno string) []byte {
	at = at.UTC()
	if year := at.Year(); at.IsZero() || year < 0 || year > 9999 {
		at = time.Now().UTC()
	}
	dst = at.AppendFormat(dst, stampLayout)
	dst = append(dst, ' ')
	dst = appendName(dst, source)
	dst = append(dst, '[')
	dst = appendName(dst, dyno)
	return append(dst, "]: "...)
}

// appendName writes a source or a dyno without what would end it early.
func appendName(dst []byte, name string) []byte {
	for _, b := range []byte(name[:min(len(name), maxName)]) {
		if b <= ' ' || b >= 0x7f || b == '[' || b == ']' {
			b = '-'
		}
		dst = append(dst, b)
	}
	return dst
}

// cut takes one record's worth off a text: up to a line feed, or as many
// characters as fit. More says that there is something left, plain that the
// piece needs no cleaning.
func cut(text string) (piece, rest string, plain, more bool) {
	plain = true
	for i, size := 0, 0; i < len(text); {
		b := text[i]
		if b == '\n' {
			return strings.TrimSuffix(text[:i], "\r"), text[i+1:], plain, i+1 < len(text)
		}
		width, takes := 1, 1
		switch {
		case b >= utf8.RuneSelf:
			var r rune
			r, width = utf8.DecodeRuneInString(text[i:])
			takes = max(width, utf8.RuneLen(r)) // a bad byte becomes three
			plain = plain && r >= 0xa0 && r != utf8.RuneError
		case b < ' ' && b != '\t' || b == 0x7f:
			plain = false
		}
		if size+takes > MaxLine {
			return text[:i], text[i:], plain, true
		}
		i, size = i+width, size+takes
	}
	return strings.TrimSuffix(text, "\r"), "", plain, false
}

// appendClean writes a piece without what could do something to a terminal,
// colours excepted. What is not UTF-8 is replaced.
func appendClean(dst []byte, piece string) []byte {
	for i, r := range piece {
		switch {
		case r == '\r':
			dst = append(dst, ' ') // a progress bar's steps stay apart
		case r == 0x1b && isColour(piece[i:]), r == '\t':
			dst = append(dst, byte(r))
		case r < ' ' || r >= 0x7f && r < 0xa0:
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

// isColour tells whether a text begins with ECMA-48's "select graphic
// rendition".
func isColour(text string) bool {
	rest, found := strings.CutPrefix(text, "\x1b[")
	rest = strings.TrimLeft(rest[:min(len(rest), 32)], "0123456789;:")
	return found && strings.HasPrefix(rest, "m")
}
