package buildpacks

import "errors"

// ErrNoLanguage says that nothing recognises a tree. The [*DetectError] that
// Detect returns then matches it.
var ErrNoLanguage = errors.New("no default language could be detected")

// A DetectError is why a tree cannot be built, in words for the person who
// pushed it.
type DetectError struct {
	ID    string   // as Heroku names it, "python-version::eol"; "" if nothing recognises the tree
	Lines []string // Lines[0] is the title, "Error: …"; none has a prefix
	File  string   // the file to change, "" if none
	Line  int      // the line to change, 0 if none

	cause error
}

// Error returns the title.
func (e *DetectError) Error() string {
	if len(e.Lines) == 0 {
		return e.ID
	}
	return e.Lines[0]
}

// Unwrap returns ErrNoLanguage, or what kept a file from being read, or nil.
func (e *DetectError) Unwrap() error { return e.cause }

// Text returns the block as Heroku shows it: a blank line, each line behind
// " !     ", a blank line.
func (e *DetectError) Text() string { return Block(e.Lines) }

// Text returns the block as Heroku shows it; see [DetectError.Text].
func (w Warning) Text() string { return Block(w.Lines) }
