package project

import "fmt"

// An Error is what is wrong with what an app says, in words for the person who
// pushed it.
type Error struct {
	File string // "project.toml" or ".slugignore"; "" for a name that was given elsewhere
	Line int    // from 1; 0 if no line is to blame
	Text string // one or more sentences, without the place
}

// Error is the text behind the place.
func (e *Error) Error() string {
	switch {
	case e.File == "":
		return e.Text
	case e.Line == 0:
		return e.File + ": " + e.Text
	}
	return fmt.Sprintf("%s, line %d: %s", e.File, e.Line, e.Text)
}

func bad(file string, line int, format string, args ...any) error {
	return &Error{File: file, Line: line, Text: fmt.Sprintf(format, args...)}
}
