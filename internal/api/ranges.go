package api

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultPage = 200  // entries of a list that come at once
	maxPage     = 1000 // at most
)

// A span is the part of a list that a Range header asks for:
//
//	Range: name ]shop..; order=desc, max=10
//
// It is read from From on, in its order. From itself is left out after "]".
type span struct {
	asked    bool   // there is a header
	by       string // the property that it is sorted by; "" for the list's own
	from, to string // "" for the ends
	after    bool   // leaves from out
	desc     bool
	max      int
}

// sortable are the properties that lists can be asked for by. A list has those
// that its entries have.
var sortable = []string{
	"version", "name", "hostname", "type", "id", "email", "fingerprint", "seq", "number", "created_at", "updated_at", "started_at",
}

// rangeHeader takes "name ]from..to" apart. Two dots in a row are in no value.
var rangeHeader = regexp.MustCompile(`^(?:([a-z_]+) +)?(\]?)([^\s.;,]*(?:\.[^\s.;,]+)*) *\.\. *([^\s.;,]*(?:\.[^\s.;,]+)*)$`)

// spanOf reads the Range header. Without one it is all of the list, as far as
// that goes into a page.
func spanOf(r *http.Request) (span, error) {
	text := strings.TrimSpace(strings.Join(r.Header.Values("Range"), ","))
	if text == "" {
		return span{max: defaultPage}, nil
	}
	what, how, _ := strings.Cut(text, ";")
	found := rangeHeader.FindStringSubmatch(strings.TrimSpace(what))
	if found == nil || (found[1] != "" && !slices.Contains(sortable, found[1])) {
		return span{}, badRange(`%.60q is none`, text)
	}
	s := span{asked: true, by: found[1], after: found[2] != "", from: found[3], to: found[4], max: defaultPage}
	if s.after && s.from == "" {
		return span{}, badRange(`%.60q leaves out what it does not name`, text)
	}
	for option := range strings.FieldsFuncSeq(how, func(c rune) bool { return c == ',' || c == ';' }) {
		if err := s.set(strings.TrimSpace(option)); err != nil {
			return span{}, err
		}
	}
	return s, nil
}

func (s *span) set(option string) error {
	name, value, _ := strings.Cut(option, "=")
	switch strings.TrimSpace(name) {
	case "":
		return nil
	case "order":
		s.desc = value == "desc"
		if !s.desc && value != "asc" {
			return badRange(`order %.20q is neither asc nor desc`, value)
		}
		return nil
	case "max":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > maxPage {
			return badRange(`max %.20q is no number from 1 to %d`, value, maxPage)
		}
		s.max = n
		return nil
	}
	return badRange(`%.20q is no option`, name)
}

func badRange(format string, a ...any) error {
	return &wordsError{text: "range: " + fmt.Sprintf(format, a...) + `: write "name ..; order=desc, max=200" say`, kind: errRange}
}

// rest is the span of what comes after a value.
func (s span) rest(last string) string {
	text := fmt.Sprintf("%s ]%s..%s; max=%d", s.by, last, s.to, s.max)
	if s.desc {
		text += ", order=desc"
	}
	return text
}
