package api

import (
	"cmp"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
)

// A part is what of a list is sent at once.
type part struct {
	span
	items       any      // a slice
	attributes  []string // that the list can be asked for by
	first, last string   // of what is in it, by the span's property
	more        bool     // comes after it
}

// header says what of its list a part is, and returns the status.
func (p part) header(h http.Header) int {
	if len(p.attributes) > 0 {
		h.Set("Accept-Ranges", strings.Join(p.attributes, ", "))
	}
	if p.first != "" {
		h.Set("Content-Range", p.by+" "+p.first+".."+p.last)
	}
	if !p.more {
		return http.StatusOK
	}
	h.Set("Next-Range", p.rest(p.last))
	return http.StatusPartialContent
}

// cut makes a part of a list that a handler has read as a whole; ok is false if
// the body is none. Short lists that nobody asked a part of come whole and in
// the handler's order, and so do those of which ?limit= says how long they are.
func cut(r *http.Request, body any) (p part, ok bool, err error) {
	if p, ok = body.(part); ok {
		return p, true, nil
	}
	list := reflect.ValueOf(body)
	if reading := r.Method == http.MethodGet || r.Method == http.MethodHead; !reading || list.Kind() != reflect.Slice {
		return part{}, false, nil
	}
	s, err := spanOf(r)
	if err != nil {
		return part{}, true, err
	}
	all, err := entriesOf(list)
	if err != nil {
		return part{}, true, err
	}
	p.attributes = attributesOf(all)
	if whole := len(all) <= s.max || r.URL.Query().Has("limit"); len(p.attributes) == 0 || (!s.asked && whole) {
		p.items = rawOf(all)
		return p, true, nil
	}
	if s.by == "" {
		s.by = p.attributes[0]
		s.desc = s.desc || (!s.asked && compare(all[0].value(s.by), all[len(all)-1].value(s.by)) > 0)
	}
	if !slices.Contains(p.attributes, s.by) {
		return part{}, true, badRange("this list is not sorted by %s, but by %s", s.by, strings.Join(p.attributes, ", "))
	}
	p.span = s
	p.take(all)
	return p, true, nil
}

// take fills a part with what of the entries is in its span.
func (p *part) take(all []entry) {
	way := 1
	if p.desc {
		way = -1
	}
	slices.SortStableFunc(all, func(x, y entry) int { return way * compare(x.value(p.by), y.value(p.by)) })
	all = slices.DeleteFunc(all, func(e entry) bool {
		v := e.value(p.by)
		from, to := way*compare(v, p.from), way*compare(v, p.to)
		return (p.from != "" && (from < 0 || (p.after && from == 0))) || (p.to != "" && to > 0)
	})
	n := min(p.max, len(all))
	// The next part begins after a value, so this one ends with all that have it.
	for n > 0 && n < len(all) && compare(all[n].value(p.by), all[n-1].value(p.by)) == 0 {
		n++
	}
	p.items, p.more = rawOf(all[:n]), n < len(all)
	if n > 0 {
		p.first, p.last = all[0].value(p.by), all[n-1].value(p.by)
	}
}

// An entry of a list, and its properties.
type entry struct {
	raw        json.RawMessage
	properties map[string]json.RawMessage
}

func entriesOf(list reflect.Value) ([]entry, error) {
	all := make([]entry, list.Len())
	for i := range all {
		raw, err := json.Marshal(list.Index(i).Interface())
		if err != nil {
			return nil, err
		}
		all[i].raw = raw
		if json.Unmarshal(raw, &all[i].properties) != nil {
			all[i].properties = nil // it is no object, and is not sorted
		}
	}
	return all, nil
}

func rawOf(all []entry) []json.RawMessage {
	raw := make([]json.RawMessage, 0, len(all))
	for _, e := range all {
		raw = append(raw, e.raw)
	}
	return raw
}

// attributesOf lists what all entries have that can be sorted by.
func attributesOf(all []entry) []string {
	var have []string
	for _, name := range sortable {
		missing := func(e entry) bool { return e.value(name) == "" }
		if len(all) > 0 && !slices.ContainsFunc(all, missing) {
			have = append(have, name)
		}
	}
	return have
}

// value is a property as a header shows it; "" if it is no text and no number.
func (e entry) value(name string) string {
	raw := e.properties[name]
	if len(raw) == 0 || strings.ContainsRune("{[ntf", rune(raw[0])) {
		return ""
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return string(raw)
	}
	return text
}

// compare orders times and numbers by what they say, other texts by their bytes.
func compare(x, y string) int {
	if m, ok := number(x); ok {
		if n, ok := number(y); ok {
			return cmp.Compare(m, n)
		}
	}
	if s, err := time.Parse(time.RFC3339, x); err == nil {
		if t, err := time.Parse(time.RFC3339, y); err == nil {
			return s.Compare(t)
		}
	}
	return strings.Compare(x, y)
}

func number(text string) (n int64, ok bool) {
	err := json.Unmarshal([]byte(text), &n)
	return n, err == nil
}
