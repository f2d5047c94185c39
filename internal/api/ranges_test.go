package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/internal/api/apitest"
	"slipway/internal/state"
)

// names lists a property of a list's entries.
func names(t *testing.T, body, property string) []string {
	t.Helper()
	var all []map[string]any
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	var out []string
	for _, one := range all {
		out = append(out, fmt.Sprint(one[property]))
	}
	return out
}

func TestRanges(t *testing.T) {
	srv := apitest.Start(t)
	ann := state.Actor{User: "ann"}
	for v := 1; v < 12; v++ {
		if _, err := srv.Store.AddRelease(t.Context(), ann, state.Release{App: "shop", Created: time.Now()}, v); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"abc", "xyz"} {
		if _, err := srv.Store.CreateApp(t.Context(), ann, state.App{Name: name, Owner: "ann", Created: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := srv.Store.AddDomain(t.Context(), ann, state.Domain{App: "shop", Hostname: "www.example.com", Created: time.Now()}); err != nil {
		t.Fatal(err)
	}
	const releases, apps = "GET /apps/shop/releases", "GET /apps"
	for _, c := range []struct {
		request, header string
		want            string // names or versions
		content, next   string // headers
	}{
		{apps, "", "abc bare shop xyz", "name abc..xyz", ""},
		{apps, "name ..", "abc bare shop xyz", "name abc..xyz", ""},
		{apps, "name ..; max=2", "abc bare", "name abc..bare", "name ]bare..; max=2"},
		{apps, "name ]bare..; max=2", "shop xyz", "name shop..xyz", ""},
		{apps, "name bare..shop", "bare shop", "name bare..shop", ""},
		{apps, "name ..; order=desc,max=3;", "xyz shop bare", "name xyz..bare", "name ]bare..; max=3, order=desc"},
		{apps, "name ]bare..; max=3, order=desc", "abc", "name abc..abc", ""},
		{apps, "name zzz..", "", "", ""},
		{apps, "..; max=1", "abc", "name abc..abc", "name ]abc..; max=1"},
		{releases, "..; max=1, order=desc", "12", "version 12..12", "version ]12..; max=1, order=desc"},
		{releases, "version ..; max=3", "1 2 3", "version 1..3", "version ]3..; max=3"},
		{releases, "version ]3..10; max=6", "4 5 6 7 8 9", "version 4..9", "version ]9..10; max=6"},
		{releases, "version ]9..10; max=6", "10", "version 10..10", ""},
		{releases, "version ..; max=2, order=desc", "12 11", "version 12..11", "version ]11..; max=2, order=desc"},
		{releases, "version ]11..; max=2, order=desc", "10 9", "version 10..9", "version ]9..; max=2, order=desc"},
		{releases, "version ]2..; order=desc", "1", "version 1..1", ""},
		{"GET /apps/shop/domains", "hostname ]shop.host..www.example.com", "www.example.com", "hostname www.example.com..www.example.com", ""},
	} {
		got := ask(t, srv, c.request, "", "Range", c.header)
		property := "name"
		if strings.HasSuffix(c.request, "releases") {
			property = "version"
		} else if strings.HasSuffix(c.request, "domains") {
			property = "hostname"
		}
		status := 200
		if c.next != "" {
			status = 206
		}
		if got.status != status {
			t.Errorf("%s of %q = %d %s, want %d", c.request, c.header, got.status, got.body, status)
			continue
		}
		listed := strings.Join(names(t, got.body, property), " ")
		if listed != c.want || got.header.Get("Content-Range") != c.content || got.header.Get("Next-Range") != c.next {
			t.Errorf("%s of %q = %q, Content-Range %q, Next-Range %q; want %q, %q, %q", c.request, c.header,
				listed, got.header.Get("Content-Range"), got.header.Get("Next-Range"), c.want, c.content, c.next)
		}
	}
	for _, header := range []string{
		"bytes=0-99", "name", "colour ..", "owner ..", "name ..; max=0", "name ..; max=1001", "name ..; max=x", "name ..; order=up", "name ].. ",
		"name ..; wings=2", "version ..x..y", "version ..; max=99999999999999999999", "hostname ..", "name a b..", strings.Repeat("name ..;", 1000),
	} {
		if got := ask(t, srv, releases, "", "Range", header); got.status != 416 || !strings.Contains(got.body, "requested_range_not_satisfiable") {
			t.Errorf("%s of %.40q = %d %.200s, want 416", releases, header, got.status, got.body)
		}
	}
	if got := ask(t, srv, releases, ""); !slices.Contains(strings.Split(got.header.Get("Accept-Ranges"), ", "), "version") {
		t.Errorf("Accept-Ranges = %q, want version among them", got.header.Get("Accept-Ranges"))
	}
}

// Each entry of a list that is followed from page to page comes once.
func TestLongListsComeInPages(t *testing.T) {
	srv := apitest.Start(t)
	ann := state.Actor{User: "ann"}
	for v := range 210 {
		if _, err := srv.Store.AddRelease(t.Context(), ann, state.Release{App: "bare", Created: time.Now()}, v); err != nil {
			t.Fatal(err)
		}
	}
	for _, first := range []string{"", "id ..", "created_at ..; max=90", "version ..; order=desc"} {
		var all []string
		pages, next := 0, first
		for {
			got := ask(t, srv, "GET /apps/bare/releases", "", "Range", next)
			all = append(all, names(t, got.body, "version")...)
			pages++
			if next = got.header.Get("Next-Range"); next == "" {
				break
			}
		}
		slices.Sort(all)
		if n := len(all); n != 210 || len(slices.Compact(all)) != 210 || pages < 2 {
			t.Errorf("from Range %q on, %d releases come in %d pages, want each of the 210 once", first, n, pages)
		}
	}
}
