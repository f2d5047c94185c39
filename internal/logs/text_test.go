package logs_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"slipway/internal/logs"
)

func TestTextIsCleanedAndSplit(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", logs.MaxLine)
	wide := strings.Repeat("é", logs.MaxLine/2)
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"plain":                   {"a b\tc ~", []string{"a b\tc ~"}},
		"empty":                   {"", []string{""}},
		"lines":                   {"a\nb\r\n\nc\n", []string{"a", "b", "", "c"}},
		"a carriage return":       {"10%\r20%\r", []string{"10% 20%"}},
		"control bytes":           {"a\x00\x07\b\x7fb\u0085\u009bc", []string{"abc"}},
		"colours":                 {"\x1b[1;31mred\x1b[0m \x1b[m", []string{"\x1b[1;31mred\x1b[0m \x1b[m"}},
		"other escapes":           {"\x1b]0;title\x07\x1b[2J\x1b", []string{"]0;title[2J"}},
		"not UTF-8":               {"a\xffb\xc3", []string{"a\ufffdb\ufffd"}},
		"a record in a text":      {"x\n2026-11-25T01:02:03.456789+00:00 slipway[api]: y", []string{"x", "2026-11-25T01:02:03.456789+00:00 slipway[api]: y"}},
		"as long as may be":       {long, []string{long}},
		"longer":                  {long + "y", []string{long, "y"}},
		"longer, at a line end":   {long + "\ny", []string{long, "y"}},
		"longer, of two bytes":    {"z" + wide, []string{"z" + wide[:logs.MaxLine-2], "é"}},
		"longer, once it is UTF8": {strings.Repeat("\xff", 3334), []string{strings.Repeat("\ufffd", 3333), "\ufffd"}},
	} {
		s := open(t, t.TempDir())
		s.Append(app, web("%s", c.text))
		wantTexts(t, name, past(t, s, logs.Options{Num: logs.MaxNum}), c.want...)
	}
}

func TestNamesCannotLookLikeOthers(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	s.Append(app, logs.Line{Source: "app[api]: \n", Dyno: strings.Repeat("d]", 99), Text: "x"})
	got := past(t, s, logs.Options{Num: 9})
	if len(got) != 1 || got[0].Source != "app-api-:--" || got[0].Dyno != strings.Repeat("d-", 32) || got[0].Text != "x" {
		t.Errorf("Tail() = %q, want one line with harmless names", got)
	}
}

func TestImpossibleAppsAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	for _, name := range []string{"", ".", "..", "../x", "a/b", "A", "a.b", "é", "a\x00", strings.Repeat("a", 65)} {
		s.Append(name, web("x"))
		for _, err := range s.Tail(t.Context(), name, logs.Options{Num: 1}) {
			if err == nil {
				t.Errorf("Tail(%q) = a line, want an error", name)
			}
		}
		if err := s.Remove(name); err == nil {
			t.Errorf("Remove(%q) = nil, want an error", name)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("a\x1b[31mb\x1b]0;t\x07\r\nc\xff\xc3")
	f.Add(strings.Repeat("é\xff", logs.MaxLine))
	f.Fuzz(func(t *testing.T, text string) {
		s := open(t, t.TempDir())
		s.Append(app, web("%s", text))
		lines := past(t, s, logs.Options{Num: logs.MaxNum})
		for _, l := range lines {
			bad := func(r rune) bool { return unicode.IsControl(r) && r != '\t' && r != 0x1b }
			if len(l.Text) > logs.MaxLine || !utf8.ValidString(l.Text) || strings.ContainsFunc(l.Text, bad) {
				t.Errorf("Append(%.200q) stored %.200q of %d bytes", text, l.Text, len(l.Text))
			}
		}
		if n := strings.Count(strings.TrimSuffix(text, "\n"), "\n") + 1; len(lines) < min(n, logs.MaxNum) {
			t.Errorf("Append(%.200q) stored %d lines, want %d at least", text, len(lines), n)
		}
	})
}
