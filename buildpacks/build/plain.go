package build

import "unicode/utf8"

// A plainText makes one stream of output safe for the pusher's terminal: what
// is left are printable characters, tabs, newlines and carriage returns.
// Control characters, and escape sequences with the text inside of them, are
// dropped; bytes that are no UTF-8 become U+FFFD. Sequences and characters may
// come in pieces. A newline ends any sequence, so that one without an end
// hides no more than its line.
type plainText struct {
	state escapeState
	part  []byte // of a character
}

type escapeState int

const (
	ground       escapeState = iota
	escape                   // behind ESC
	intermediate             // in an escape sequence of more than two bytes
	control                  // in a control sequence: a colour, a cursor move
	text                     // in a string for the terminal: a title, a link
)

// Characters that mean something to a terminal. The latter ones are C1, as
// encoded in UTF-8; on their own, such bytes mean nothing.
const (
	bell, cancel, substitute, esc, del = 0x07, 0x18, 0x1a, 0x1b, 0x7f
	firstC1, csi, st, lastC1           = 0x80, 0x9b, 0x9c, 0x9f
	dcs, sos, osc, pm, apc             = 0x90, 0x98, 0x9d, 0x9e, 0x9f
)

// add appends what is left of src to dst.
func (p *plainText) add(dst, src []byte) []byte {
	for _, b := range src {
		if len(p.part) == 0 && b < utf8.RuneSelf {
			dst = p.char(dst, rune(b))
			continue
		}
		p.part = append(p.part, b)
		for len(p.part) > 0 && utf8.FullRune(p.part) {
			r, n := utf8.DecodeRune(p.part)
			bad := r == utf8.RuneError && n == 1
			c1 := bad && p.part[0] <= lastC1
			p.part = p.part[:copy(p.part, p.part[n:])]
			if !c1 {
				// A bad byte that stayed could become good with what follows.
				dst = p.char(dst, r)
			}
		}
	}
	return dst
}

// end is for a character that was cut off.
func (p *plainText) end(dst []byte) []byte {
	if len(p.part) > 0 {
		p.part = p.part[:0]
		dst = p.char(dst, utf8.RuneError)
	}
	return dst
}

func (p *plainText) char(dst []byte, r rune) []byte {
	switch p.state {
	case escape, intermediate:
		return p.escaped(dst, r)
	case control:
		switch {
		case r >= ' ' && r <= '?': // parameters
			return dst
		case r >= '@' && r <= '~':
			p.state = ground
			return dst
		}
	case text:
		switch r {
		case bell, cancel, substitute, st:
			p.state = ground
			return dst
		case esc, '\n':
		default:
			return dst
		}
	case ground:
	}
	return p.plain(dst, r)
}

func (p *plainText) escaped(dst []byte, r rune) []byte {
	switch {
	case r >= ' ' && r <= '/':
		p.state = intermediate
	case r < '0' || r > '~':
		return p.plain(dst, r)
	case p.state == intermediate:
		p.state = ground
	default:
		// ESC and one of these are C1 in two bytes.
		p.begin(r - '@' + firstC1)
	}
	return dst
}

// plain is outside of any sequence, or ends one that is broken.
func (p *plainText) plain(dst []byte, r rune) []byte {
	p.state = ground
	switch {
	case r == esc:
		p.state = escape
	case r == '\n', r == '\r', r == '\t', r >= ' ' && r < del, r > lastC1:
		return utf8.AppendRune(dst, r)
	case r >= firstC1:
		p.begin(r)
	}
	return dst
}

func (p *plainText) begin(c1 rune) {
	switch c1 {
	case csi:
		p.state = control
	case dcs, sos, osc, pm, apc:
		p.state = text
	default:
		p.state = ground
	}
}

// plain is a whole text made safe to show.
func plain(s string) string {
	var p plainText
	return string(p.end(p.add(make([]byte, 0, len(s)), []byte(s))))
}
