package buildpacks_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"slipway/buildpacks"
)

func TestParseProcfileNamesTheLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		line int
		want string
	}{
		"no colon":          {"web: a\n\nworker b\n", 3, "it has no ':'"},
		"no command":        {"# x\nweb:  \t\n", 2, "it has no command"},
		"space in type":     {"my worker: b", 1, "has the character ' '"},
		"other alphabet":    {"wéb: b", 1, "has the character 'é'"},
		"dash at the end":   {"web-: b", 1, "begins or ends with '-'"},
		"no type":           {" : b", 1, "it has no process type"},
		"carriage return":   {"web: a\rworker: b\r", 1, "a lone carriage return"},
		"one of a comment":  {"# ours\rweb: a\n", 1, "a lone carriage return"},
		"at the very end":   {"web: a\nworker: b\r", 2, "a lone carriage return"},
		"Kelvin's K":        {"wor\u212Aer: b", 1, "has the character '\u212A'"},
		"space at the end":  {"web : a", 1, "has the character ' '"},
		"quoted type":       {"'web': a", 1, "has the character '\\''"},
		"list":              {"- web: a", 1, "begins or ends with '-'"},
		"NUL":               {"web: a\x00", 1, "a NUL"},
		"escape codes":      {"\x1b[1mweb: a", 1, "\uFFFD[1mweb: a"},
		"BOM":               {"\uFEFFweb: a", 0, "UTF-8 (with BOM)"},
		"UTF-16":            {"\xff\xfew\x00e\x00b\x00", 0, "UTF-16, little-endian"},
		"Latin-1":           {"web: caf\xe9", 0, "ISO-8859 text"},
		"only comments":     {"# none\n\n# yet\n", 3, "no line before it declares a process"},
		"only blank lines":  {"\n \n", 2, "no line before it declares a process"},
		"blanks at the end": {"web: a\n  ", 2, "blanks only"},
		"too many":          {manyTypes(300), 201, "more than 200 process types"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := buildpacks.ParseProcfile([]byte(c.text))
			var bad *buildpacks.DetectError
			if !errors.As(err, &bad) {
				t.Fatalf("ParseProcfile(%.40q) = %v, want a DetectError", c.text, err)
			}
			if _, text := failure(t, err); bad.Line != c.line || !strings.Contains(text, c.want) {
				t.Errorf("ParseProcfile(%.40q) = line %d, want %d and %q:\n%s", c.text, bad.Line, c.line, c.want, text)
			}
		})
	}
}

func manyTypes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "p%d: x\n", i)
	}
	return b.String()
}

func TestParseProcfileKeepsTheLastOfTwo(t *testing.T) {
	t.Parallel()
	p, err := buildpacks.ParseProcfile([]byte("web: a\r\nMy_Worker: b\r\nweb: c \r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Processes) != 2 || p.Processes[0].Command != "c " || p.Processes[0].Line != 3 || !p.Processes[0].Default ||
		p.Processes[1].Type != "my-worker" || p.Processes[1].Default {
		t.Errorf("processes = %+v", p.Processes)
	}
	if len(p.Warnings) != 2 || p.Warnings[0].ID != "procfile::corrected" || p.Warnings[1].ID != "procfile::duplicate" {
		t.Errorf("warnings = %+v", p.Warnings)
	}
}
