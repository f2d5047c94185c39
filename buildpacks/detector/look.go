package detector

import (
	"bytes"
	"strings"
)

// A Look says how reports are shown to a person. Its zero value is plain text.
type Look struct {
	Color   bool // with the colours of a terminal
	Width   int  // columns; 100 if zero, and single lines are then longer
	Verbose bool // whole outputs, and what went well too
}

// Styles of ECMA-48, section 8.3.117.
const (
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (l Look) width() int {
	const usual, narrowest = 100, 24
	if l.Width == 0 {
		return usual
	}
	return max(l.Width, narrowest)
}

// narrow tells whether columns of text do not fit beside each other.
func (l Look) narrow() bool { return l.width() < 60 }

// paint gives a text a style, if there are colours.
func (l Look) paint(style, text string) string {
	if !l.Color || text == "" || style == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// A page is a text being written, in lines.
type page struct {
	Look
	out bytes.Buffer
}

// line writes the parts as a line, without spaces at its end.
func (p *page) line(parts ...string) {
	p.out.WriteString(strings.TrimRight(strings.Join(parts, ""), " "))
	p.out.WriteByte('\n')
}

// hang writes a text that may take several lines, behind a first part of so many
// columns; further lines begin below the text.
func (p *page) hang(first string, indent int, style, text string) {
	for i, line := range wrap(text, max(12, p.width()-indent)) {
		if i > 0 {
			first = strings.Repeat(" ", indent)
		}
		p.line(first, p.paint(style, line))
	}
}

// outcomeStyle is the colour of an outcome.
func outcomeStyle(outcome string) string {
	switch outcome {
	case Pass:
		return green
	case Fail:
		return yellow
	case Skip:
		return faint
	default:
		return red
	}
}
