package cli

import (
	"io"
	"strings"

	"golang.org/x/term"
)

// A style is a colour of a terminal, or bold (ECMA-48, section 8.3.117).
type style string

const (
	bold   style = "1"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	purple style = "35"
	cyan   style = "36"
)

// colors says whether what is written to w may have colours: it must be a
// terminal that has them, and nobody may have asked for none.
func (c *cli) colors(w io.Writer) bool {
	return !c.noColor && !c.NoColor && c.Term != "dumb" && term.IsTerminal(descriptor(w))
}

// paint gives a text for standard output a style, on a terminal.
func (c *cli) paint(s style, text string) string { return c.paintFor(c.Stdout, s, text) }

func (c *cli) paintFor(w io.Writer, s style, text string) string {
	if text == "" || !c.colors(w) {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// hex names an app as Heroku does.
func (c *cli) hex(app string) string { return c.paint(purple, "⬢ "+app) }

// header prints the line above a list or a table, and an empty one.
func (c *cli) header(text string) { c.printf("%s\n\n", c.paint(bold, "=== "+text)) }

// A field is a line of an object: its name and what it is.
type field struct{ name, value string }

// object prints fields, the values below each other. Those without a value are
// left out.
func (c *cli) object(fields []field) {
	widest := 0
	for _, f := range fields {
		if f.value != "" {
			widest = max(widest, len(f.name))
		}
	}
	for _, f := range fields {
		if f.value == "" {
			continue
		}
		c.printf("%s:%s %s\n", c.paint(bold, f.name), strings.Repeat(" ", widest-len(f.name)), f.value)
	}
}
