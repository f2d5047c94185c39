package repo

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

var errConfig = errors.New("malformed config")

// A configVar is one variable of a git config file. Section and key are in
// lower case.
type configVar struct {
	section, key string
	sub          string
	hasSub       bool
	value        string
	hasValue     bool // "key" alone has none
}

// parseConfig reads a config file by the rules of git's config.c, which differ
// from those of other parsers: what git sees in .gitmodules must be seen here.
// Variables before a malformed line are reported.
func parseConfig(data []byte, each func(configVar) error) error {
	p := &configParser{b: bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))}
	base := ""
	for {
		c, ok := p.next()
		switch {
		case !ok:
			return nil
		case isConfigSpace(c):
		case isComment(c):
			p.line()
		case c == '[':
			s, err := p.section()
			if err != nil {
				return err
			}
			base = s
		case isAlpha(c) && base != "":
			v, err := p.variable(base, c)
			if err != nil {
				return err
			}
			if err := each(v); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%w: unexpected %q", errConfig, c)
		}
	}
}

type configParser struct {
	b []byte
}

// next reads a byte; CRLF reads as LF.
func (p *configParser) next() (byte, bool) {
	if len(p.b) == 0 {
		return '\n', false
	}
	c := p.b[0]
	p.b = p.b[1:]
	if c == '\r' && len(p.b) > 0 && p.b[0] == '\n' {
		c = '\n'
		p.b = p.b[1:]
	}
	return c, true
}

func (p *configParser) line() {
	for {
		if c, ok := p.next(); !ok || c == '\n' {
			return
		}
	}
}

// section reads up to "]" and returns "name" or "name.subsection".
func (p *configParser) section() (string, error) {
	var b strings.Builder
	for {
		c, ok := p.next()
		switch {
		case ok && c == ']':
			return b.String(), nil
		case ok && isConfigSpace(c):
			return p.subsection(&b, c)
		case !ok || !isKeyChar(c) && c != '.':
			return "", fmt.Errorf("%w: section name", errConfig)
		}
		b.WriteByte(lower(c))
	}
}

func (p *configParser) subsection(b *strings.Builder, c byte) (string, error) {
	bad := fmt.Errorf("%w: section name", errConfig)
	ok := true
	for ok && isConfigSpace(c) {
		if c == '\n' {
			return "", bad
		}
		c, ok = p.next()
	}
	if !ok || c != '"' {
		return "", bad
	}
	b.WriteByte('.')
	for {
		if c, ok = p.next(); !ok || c == '\n' {
			return "", bad
		}
		if c == '"' {
			break
		}
		if c == '\\' {
			if c, ok = p.next(); !ok || c == '\n' {
				return "", bad
			}
		}
		b.WriteByte(c)
	}
	if c, ok = p.next(); !ok || c != ']' {
		return "", bad
	}
	return b.String(), nil
}

func (p *configParser) variable(base string, c byte) (configVar, error) {
	key := []byte{lower(c)}
	ok := true
	for {
		if c, ok = p.next(); !ok || !isKeyChar(c) {
			break
		}
		key = append(key, lower(c))
	}
	for ok && (c == ' ' || c == '\t') {
		c, ok = p.next()
	}
	// A section [a.b] and [a "b"] mean the same, up to case.
	v := configVar{section: base, key: string(key)}
	v.section, v.sub, v.hasSub = strings.Cut(base, ".")
	if !ok || c == '\n' {
		return v, nil
	}
	if c != '=' {
		return v, fmt.Errorf("%w: no = behind %q", errConfig, key)
	}
	s, err := p.value()
	v.value, v.hasValue = s, true
	return v, err
}

func (p *configParser) value() (string, error) {
	var out []byte
	quote, space := false, 0
	for {
		c, ok := p.next()
		if c == '\n' || !ok {
			if quote {
				return "", fmt.Errorf("%w: open quote", errConfig)
			}
			return string(out), nil
		}
		if !quote && isComment(c) {
			p.line()
			return string(out), nil
		}
		if isConfigSpace(c) && !quote {
			space++
			continue
		}
		if len(out) == 0 {
			space = 0
		}
		out = append(out, strings.Repeat(" ", space)...)
		space = 0
		switch c {
		case '"':
			quote = !quote
		case '\\':
			e, add, err := p.escape()
			if err != nil {
				return "", err
			}
			if add {
				out = append(out, e)
			}
		default:
			out = append(out, c)
		}
	}
}

// escape reads what follows a backslash; a line that goes on adds nothing.
func (p *configParser) escape() (c byte, add bool, err error) {
	c, ok := p.next()
	switch {
	case !ok || c == '\n':
		return 0, false, nil
	case c == 't':
		return '\t', true, nil
	case c == 'b':
		return '\b', true, nil
	case c == 'n':
		return '\n', true, nil
	case c == '\\' || c == '"':
		return c, true, nil
	}
	return 0, false, fmt.Errorf("%w: unknown escape", errConfig)
}

func isConfigSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f'
}

func isComment(c byte) bool { return c == '#' || c == ';' }

func isAlpha(c byte) bool { c |= 0x20; return c >= 'a' && c <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isKeyChar(c byte) bool { return isAlpha(c) || isDigit(c) || c == '-' }

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 0x20
	}
	return c
}
