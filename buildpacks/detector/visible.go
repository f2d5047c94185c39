package detector

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Visible shows a line that comes from buildpacks or apps: what a terminal would
// obey or hide, and bytes that are no text, become escapes.
func Visible(s string) string { return visible(s) }

func visible(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case r == '\t':
			b.WriteString("    ")
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		s = s[size:]
	}
	return b.String()
}

// outputLines are the lines of an output, made visible, without empty ones at
// both ends.
func outputLines(output []byte) []string {
	var lines []string
	for line := range bytes.Lines(bytes.Trim(output, "\r\n")) {
		lines = append(lines, strings.TrimRight(visible(string(bytes.TrimRight(line, "\r\n"))), " "))
	}
	return lines
}

// columns is how many columns of a terminal a visible text takes.
func columns(s string) int { return uniseg.StringWidth(s) }

// fit cuts a visible text to so many columns.
func fit(s string, most int) string {
	if columns(s) <= most {
		return s
	}
	return strings.TrimRight(head(s, most-1), " ") + "…"
}

// head is as much of a text as fits into so many columns.
func head(s string, most int) string {
	taken, rest, state := 0, s, -1
	for len(rest) > 0 {
		_, next, width, newState := uniseg.FirstGraphemeClusterInString(rest, state)
		if taken+width > most {
			break
		}
		taken, rest, state = taken+width, next, newState
	}
	return s[:len(s)-len(rest)]
}

// wrap breaks a visible text at spaces into lines of so many columns; a word
// that is longer than a line is broken too.
func wrap(s string, most int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(s) {
		for {
			part := head(word, most) // to measure a long word whole each time takes long
			if part == "" || part == word {
				break // not even a character fits, or all
			}
			if line != "" {
				lines, line = append(lines, line), ""
			}
			lines, word = append(lines, part), word[len(part):]
		}
		switch {
		case line == "":
			line = word
		case columns(line)+1+columns(word) <= most:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	if line != "" || len(lines) == 0 {
		lines = append(lines, line)
	}
	return lines
}

// pad fills a visible text with spaces to so many columns.
func pad(s string, to int) string {
	return s + strings.Repeat(" ", max(0, to-columns(s)))
}
