package local

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxShown is how many characters of a line stand in one row; the rest follows
// in others, which are marked.
const maxShown = 500

// The colours of process types, in turn, and of what is said about them.
var palette = []string{"\x1b[35m", "\x1b[34m", "\x1b[36m", "\x1b[32m", "\x1b[33m", "\x1b[31m"}

const (
	cyan   = "\x1b[36m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	red    = "\x1b[31m"
	reset  = "\x1b[0m"
)

// A console is where everything is printed, a line at a time.
type console struct {
	color  bool
	failed chan struct{} // closed when printing has failed
	width  int           // of the longest name

	mu       sync.Mutex
	broken   bool
	out, err io.Writer
}

func newConsole(c Config) *console {
	return &console{color: c.Color, failed: make(chan struct{}), out: c.Stdout, err: c.Stderr}
}

func (c *console) okay(format string, args ...any) {
	c.print(c.out, c.paint(green, "[OKAY] "+fmt.Sprintf(format, args...)))
}

func (c *console) done(format string, args ...any) {
	c.print(c.out, c.paint(cyan, "[DONE] "+fmt.Sprintf(format, args...)))
}

func (c *console) warn(format string, args ...any) {
	c.print(c.err, c.paint(yellow, "[WARN] "+fmt.Sprintf(format, args...)))
}

// line prints what a process has printed.
func (c *console) line(name string, color int, text string) {
	text = strings.TrimRight(text, "\r")
	if strings.TrimSpace(text) == "" {
		return
	}
	stamp, mark := c.stamp(name), " | "
	for text != "" {
		var row string
		row, text = cut(text, maxShown)
		c.print(c.out, c.paint(palette[color%len(palette)], stamp+mark)+" "+row)
		mark = " | > "
	}
}

// exited says that a process has ended, and how, if not well.
func (c *console) exited(name string, color int, how string) {
	stamp := c.paint(palette[color%len(palette)], c.stamp(name)) + " "
	if how == "" {
		c.print(c.out, stamp+c.paint(cyan, "Exited Successfully"))
		return
	}
	c.print(c.err, stamp+c.paint(red, "Exited with exit code "+how))
}

func (c *console) stamp(name string) string {
	return fmt.Sprintf("%s %-*s", time.Now().Format("3:04:05 PM"), c.width, name)
}

func (c *console) paint(color, text string) string {
	if !c.color {
		return text
	}
	return color + text + reset
}

func (c *console) print(w io.Writer, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := io.WriteString(w, text+"\n"); err != nil && !c.broken {
		c.broken = true
		close(c.failed) // nobody is there to be told
	}
}

// cut splits a text behind n characters.
func cut(text string, n int) (head, tail string) {
	i := 0
	for range n {
		if i == len(text) {
			return text, ""
		}
		_, size := utf8.DecodeRuneInString(text[i:])
		i += size
	}
	return text[:i], text[i:]
}

// printable makes a text from outside harmless to a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, text)
}
