package herokuschema

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// A link is an address of the schema, and where the schema says what it answers.
type link struct {
	method   string
	href     string   // as the schema has it, for people
	segments []string // of the path; "" for what is filled in
	entry    string   // a pointer into the schema
	target   string   // a pointer too
	list     bool     // it is said of one, and a list of such comes
}

// A Link is an address of the schema.
type Link struct {
	Method string
	Path   string // with {} for what is filled in
	Rel    string
	Fields []string // that the body of a request may have
}

var filledIn = regexp.MustCompile(`\{[^}]*\}`)

// Links lists all addresses of the schema, in its order.
func (s *Schema) Links() []Link {
	all := make([]Link, 0, len(s.links))
	for _, l := range s.links {
		entry := s.at(l.entry)
		rel, _ := entry["rel"].(string)
		body, _ := entry["schema"].(map[string]any)
		fields, _ := body["properties"].(map[string]any)
		all = append(all, Link{l.method, filledIn.ReplaceAllString(l.href, "{}"), rel, slices.Sorted(maps.Keys(fields))})
	}
	return all
}

// readLinks lists the links of all definitions and of the schema itself.
func (s *Schema) readLinks() error {
	definitions, _ := s.root["definitions"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(definitions)) {
		if err := s.readLinksOf("#/definitions/" + name); err != nil {
			return err
		}
	}
	s.links = append(s.links, link{method: "GET", href: "/schema", segments: []string{"schema"}, entry: "#/links/1", target: "#/links/1/targetSchema"})
	if len(s.links) < 300 {
		return fmt.Errorf("heroku's schema has %d links, want 300 at least", len(s.links))
	}
	return nil
}

func (s *Schema) readLinksOf(pointer string) error {
	all, _ := s.at(pointer)["links"].([]any)
	for i, entry := range all {
		one, _ := entry.(map[string]any)
		method, _ := one["method"].(string)
		href, _ := one["href"].(string)
		if method == "" || href == "" {
			return fmt.Errorf("link %d of %s in Heroku's schema has no method or no address", i, pointer)
		}
		l := link{method: method, href: href, segments: segments(href), entry: fmt.Sprintf("%s/links/%d", pointer, i), target: pointer}
		if _, said := one["targetSchema"].(map[string]any); said {
			l.target = l.entry + "/targetSchema"
		} else if one["rel"] == "instances" {
			l.list = true
		}
		s.links = append(s.links, l)
	}
	return nil
}

// segments splits a path at its slashes. What is filled in has none: the schema
// writes them as %2F there, and so do requests.
func segments(path string) []string {
	all := strings.Split(strings.Trim(path, "/"), "/")
	for i, s := range all {
		if strings.HasPrefix(s, "{") {
			all[i] = ""
		}
	}
	return all
}

// fits says whether a path has the segments, and how many of them word by word.
func fits(pattern, path []string) (same int, ok bool) {
	if len(pattern) != len(path) {
		return 0, false
	}
	for i, s := range pattern {
		if s == "" {
			continue
		}
		if s != path[i] {
			return 0, false
		}
		same++
	}
	return same, true
}

// find returns the links of a request, which are of one address: the one that
// names most of the path word by word.
func (s *Schema) find(method, path string) []link {
	var found []link
	most := -1
	for _, l := range s.links {
		same, ok := fits(l.segments, segments(path))
		switch {
		case !ok || l.method != method || same < most:
		case same > most:
			most, found = same, []link{l}
		default:
			found = append(found, l)
		}
	}
	return found
}
