package build

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"
)

func TestPlainText(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"text":                    {"-----> Grüße, 世界 🐍\t✓\r\n", "-----> Grüße, 世界 🐍\t✓\r\n"},
		"controls":                {"a\x00\x07b\b\v\fc\x0e\x0f\x7fd", "abcd"},
		"a colour":                {"\x1b[1;31mred\x1b[0m.", "red."},
		"a cleared screen":        {"a\x1b[2J\x1b[Hb\x1bcc", "abc"},
		"a title":                 {"a\x1b]0;owned\x07b\x1b]2;owned\x1b\\c", "abc"},
		"a clipboard":             {"a\x1b]52;c;cm0gLXJmCg==\x07b", "ab"},
		"a link":                  {"\x1b]8;;http://x/\x1b\\here\x1b]8;;\x1b\\.", "here."},
		"a title in UTF-8":        {"a\x1b]0;✓世\x07b", "ab"},
		"a device control string": {"a\x1bP+q544e\x1b\\b\x1b_G\x1b\\c\x1b^x\x1b\\d\x1bXx\x1b\\e", "abcde"},
		"a character set":         {"a\x1b(0b\x1b#8c\x1b%Gd", "abcd"},
		"a set of a bracket":      {"a\x1b([b", "ab"},
		"C1 bytes":                {"a\x9bb\x85c\x9dd\x80e", "abcde"},
		"C1 characters":           {"a\u009b31mb\u0085c\u009d0;x\u009cd\u0090x\ae", "abcde"},
		"Latin-1":                 {"caf\xe9 na\xefve", "caf\uFFFD na\uFFFDve"},
		"C1 made of pieces":       {"a\xc2\x1b[m\x9b31mb", "a\uFFFD31mb"},
		"an end that never comes": {"a\x1b]0;x\nb\x1b[1\nc\x1b\nd", "a\nb\nc\nd"},
		"a sequence in another":   {"a\x1b]0;x\x1b[31mb\x1b[3\x1b[1mc", "abc"},
		"a sequence given up":     {"a\x1b]0;x\x18b\x1b[3\x18c\x1b[3世d", "abc世d"},
		"cut off":                 {"a\xe4\xb8", "a\uFFFD"},
		"bad, then cut off":       {"a\xe4\xb8\xe4b", "a\uFFFD\uFFFD\uFFFDb"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := plain(c.in); got != c.want {
				t.Errorf("plain(%q) = %q, want %q", c.in, got, c.want)
			}
			var p plainText
			var got []byte
			for i := range len(c.in) {
				got = p.add(got, []byte{c.in[i]})
			}
			if got = p.end(got); string(got) != c.want {
				t.Errorf("byte by byte, %q became %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func FuzzPlainText(f *testing.F) {
	f.Add("a\x1b[31mb\x1b]0;x\x07\u009b\xc2\x9b")
	f.Fuzz(func(t *testing.T, s string) {
		got := plain(s)
		bad := func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\r\n", r) }
		if !utf8.ValidString(got) || strings.ContainsFunc(got, bad) {
			t.Errorf("plain(%q) = %q", s, got)
		}
		if again := plain(got); again != got {
			t.Errorf("plain(%q) = %q, want it unchanged", got, again)
		}
		if strings.Count(got, "\n") != strings.Count(s, "\n") {
			t.Errorf("plain(%q) = %q, want as many lines", s, got)
		}
	})
}

// What is shown of a line before its end is plain, too.
func TestPartialLinesArePlain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		tr := newTranscript(&b, false)
		tr.enter(phaseBuild)
		w := newLineWriter(tr, 1)
		for _, s := range []string{"a\x1b", "]0;ow", "ned\x1b", "\\b\xe4", "\xb8\x96\x1b[3", "1mc\x07\n", "d\xe4"} {
			_, _ = w.Write([]byte(s))
			time.Sleep(time.Second)
			synctest.Wait()
		}
		_ = w.Close()
		if want := "ab世c\nd\uFFFD\n"; b.String() != want {
			t.Errorf("transcript is %q, want %q", b.String(), want)
		}
	})
}
