package repo

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"github.com/go-git/go-git/v5/plumbing"
)

// An ObjectError is what `git fsck` would complain about. It wraps ErrBadObject.
type ObjectError struct {
	Hash Hash
	Type ObjectType
	ID   string // as in git-fsck's list of messages, "treeNotSorted" say
	Text string
}

func (e *ObjectError) Error() string {
	return fmt.Sprintf("error in %s %s: %s: %s", e.Type, e.Hash, e.ID, e.Text)
}

// Unwrap returns ErrBadObject.
func (e *ObjectError) Unwrap() error { return ErrBadObject }

func bad(id, text string) error { return &ObjectError{ID: id, Text: text} }

// A linkFunc is told of every object that an object refers to.
type linkFunc func(h Hash, t ObjectType)

// checkHeaders applies git's verify_headers.
func checkHeaders(b []byte) error {
	head, _, ended := bytes.Cut(b, []byte("\n\n"))
	if i := bytes.IndexByte(head, 0); i >= 0 {
		return bad("nulInHeader", "unterminated header: NUL at offset "+strconv.Itoa(i))
	}
	if !ended && (len(b) == 0 || b[len(b)-1] != '\n') {
		return bad("unterminatedHeader", "unterminated header")
	}
	return nil
}

// checkCommit applies git's fsck_commit.
func checkCommit(b []byte, link linkFunc) error {
	if err := checkHeaders(b); err != nil {
		return err
	}
	whole := b
	b, ok := bytes.CutPrefix(b, []byte("tree "))
	if !ok {
		return bad("missingTree", "invalid format - expected 'tree' line")
	}
	h, b, ok := hexLine(b)
	if !ok {
		return bad("badTreeSha1", "invalid 'tree' line format - bad sha1")
	}
	link(h, plumbing.TreeObject)
	for {
		rest, ok := bytes.CutPrefix(b, []byte("parent "))
		if !ok {
			break
		}
		if h, b, ok = hexLine(rest); !ok {
			return bad("badParentSha1", "invalid 'parent' line format - bad sha1")
		}
		link(h, plumbing.CommitObject)
	}
	authors := 0
	for ; ; authors++ {
		rest, ok := bytes.CutPrefix(b, []byte("author "))
		if !ok {
			break
		}
		var err error
		if b, err = checkIdent(rest); err != nil {
			return err
		}
	}
	switch {
	case authors < 1:
		return bad("missingAuthor", "invalid format - expected 'author' line")
	case authors > 1:
		return bad("multipleAuthors", "invalid format - multiple 'author' lines")
	}
	if b, ok = bytes.CutPrefix(b, []byte("committer ")); !ok {
		return bad("missingCommitter", "invalid format - expected 'committer' line")
	}
	if _, err := checkIdent(b); err != nil {
		return err
	}
	if bytes.IndexByte(whole, 0) >= 0 {
		return bad("nulInCommit", "NUL byte in the commit object body")
	}
	return nil
}

// checkTag applies git's fsck_tag.
func checkTag(b []byte, link linkFunc) error {
	if err := checkHeaders(b); err != nil {
		return err
	}
	b, ok := bytes.CutPrefix(b, []byte("object "))
	if !ok {
		return bad("missingObject", "invalid format - expected 'object' line")
	}
	h, b, ok := hexLine(b)
	if !ok {
		return bad("badObjectSha1", "invalid 'object' line format - bad sha1")
	}
	if b, ok = bytes.CutPrefix(b, []byte("type ")); !ok {
		return bad("missingTypeEntry", "invalid format - expected 'type' line")
	}
	name, b, ok := bytes.Cut(b, []byte{'\n'})
	if !ok {
		return bad("missingType", "invalid format - unexpected end after 'type' line")
	}
	t, ok := parseType(string(name))
	if !ok {
		return bad("badType", "invalid 'type' value")
	}
	link(h, t)
	if b, ok = bytes.CutPrefix(b, []byte("tag ")); !ok {
		return bad("missingTagEntry", "invalid format - expected 'tag' line")
	}
	if _, b, ok = bytes.Cut(b, []byte{'\n'}); !ok {
		return bad("missingTag", "invalid format - unexpected end after 'tag' line")
	}
	// A missing tagger is information only: early tags have none.
	if rest, ok := bytes.CutPrefix(b, []byte("tagger ")); ok {
		_, err := checkIdent(rest)
		return err
	}
	return nil
}

// hexLine reads a hash and the end of its line.
func hexLine(b []byte) (h Hash, rest []byte, ok bool) {
	if len(b) < 2*hashSize+1 || b[2*hashSize] != '\n' {
		return h, b, false
	}
	for i := range h {
		hi, lo := unhex(b[2*i]), unhex(b[2*i+1])
		if hi > 15 || lo > 15 {
			return h, b, false
		}
		h[i] = hi<<4 | lo
	}
	return h, b[2*hashSize+1:], true
}

func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// checkIdent applies git's fsck_ident to "name <email> time zone\n" and
// returns what follows the line.
func checkIdent(b []byte) ([]byte, error) {
	line, rest, ok := bytes.Cut(b, []byte{'\n'})
	if !ok {
		line, rest = b, nil
	}
	i := bytes.IndexAny(line, "<>")
	switch {
	case i == 0 && line[0] == '<':
		return nil, bad("missingNameBeforeEmail", "invalid author/committer line - missing space before email")
	case i >= 0 && line[i] == '>':
		return nil, bad("badName", "invalid author/committer line - bad name")
	case i < 0:
		return nil, bad("missingEmail", "invalid author/committer line - missing email")
	case line[i-1] != ' ':
		return nil, bad("missingSpaceBeforeEmail", "invalid author/committer line - missing space before email")
	}
	line = line[i+1:]
	i = bytes.IndexAny(line, "<>")
	if i < 0 || line[i] != '>' {
		return nil, bad("badEmail", "invalid author/committer line - bad email")
	}
	line = line[i+1:]
	if len(line) == 0 || line[0] != ' ' {
		return nil, bad("missingSpaceBeforeDate", "invalid author/committer line - missing space before date")
	}
	return rest, checkDate(line[1:])
}

// checkDate checks "seconds +hhmm". More white space before the seconds is
// taken, as there are histories that have it.
func checkDate(b []byte) error {
	b = bytes.TrimLeft(b, " \t")
	digits := 0
	for digits < len(b) && isDigit(b[digits]) {
		digits++
	}
	if digits > 1 && b[0] == '0' {
		return bad("zeroPaddedDate", "invalid author/committer line - zero-padded date")
	}
	if digits == 0 || digits == len(b) || b[digits] != ' ' {
		return bad("badDate", "invalid author/committer line - bad date")
	}
	if v, err := strconv.ParseUint(string(b[:digits]), 10, 64); err != nil || v > math.MaxInt64 {
		return bad("badDateOverflow", "invalid author/committer line - date causes integer overflow")
	}
	z := b[digits+1:]
	ok := len(z) == 5 && (z[0] == '+' || z[0] == '-')
	for i := 1; ok && i < 5; i++ {
		ok = isDigit(z[i])
	}
	if !ok {
		return bad("badTimezone", "invalid author/committer line - bad time zone")
	}
	return nil
}
