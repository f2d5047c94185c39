package api

import (
	"net/http"
	"testing"
)

// What a range leaves over is a range again, of the same list and order.
func FuzzRange(f *testing.F) {
	for _, header := range []string{
		"id ..", "name ]shop..; order=desc, max=10", "version 3..9; max=1000;", "..; max=1", "hostname *.a.b..c.d", "bytes=0-9", "id ]..", "; ; ;", "id ..;max",
	} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		s, err := spanOf(&http.Request{Header: http.Header{"Range": {header}}})
		if err != nil || s.by == "" {
			return
		}
		if s.max < 1 || s.max > maxPage {
			t.Errorf("spanOf(%q).max = %d, want 1 to %d", header, s.max, maxPage)
		}
		want := s
		want.from, want.after = "01234567-89ab-cdef-0123-456789abcdef", true
		if rest, err := spanOf(&http.Request{Header: http.Header{"Range": {s.rest(want.from)}}}); err != nil || rest != want {
			t.Errorf("spanOf(%q) = %+v, %v; want %+v", s.rest(want.from), rest, err, want)
		}
	})
}
