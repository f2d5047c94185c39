package herokucli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"slipway/internal/testkit"
)

// A Class says how a command fares against Slipway.
type Class string

// The classes. Table says where they are written down.
const (
	Works   Class = "works"
	Script  Class = "script" // works, and a script shows it, because it needs dynos or a terminal
	Refused Class = "refused"
	None    Class = "none" // has no meaning: it asks Slipway for nothing
)

// A Line is what the table says of a command.
type Line struct {
	Class Class
	Args  []string // the command first
	Want  string   // a regular expression for what it prints; "" for anything
}

// ID is the command.
func (l Line) ID() string { return l.Args[0] }

var (
	lineSyntax = regexp.MustCompile(`^(works|script|refused|none) +(\S.*?)(?: +=> +(.*))?$`)
	wordSyntax = regexp.MustCompile(`'[^']*'|\S+`)
)

// Table reads testdata/heroku/commands.txt, which says how each command fares.
func Table(tb testing.TB) []Line {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join(testkit.Root(tb), "testdata", "heroku", "commands.txt"))
	if err != nil {
		tb.Fatal(err)
	}
	var table []Line
	for text := range strings.Lines(string(raw)) {
		text = strings.TrimSpace(text)
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		parts := lineSyntax.FindStringSubmatch(text)
		if parts == nil {
			tb.Fatalf("testdata/heroku/commands.txt has the line %q, want CLASS COMMAND [ARGUMENT...] [=> PATTERN]", text)
		}
		line := Line{Class: Class(parts[1]), Want: parts[3]}
		for _, word := range wordSyntax.FindAllString(parts[2], -1) {
			line.Args = append(line.Args, strings.Trim(word, "'"))
		}
		table = append(table, line)
	}
	return table
}
