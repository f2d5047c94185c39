package static

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	staticJSON = "static.json"
	staticFile = "Staticfile"
)

// Settings are how a site is served. The zero value serves the site as it is.
type Settings struct {
	Root          string // directory, below the app; found out if empty
	CleanURLs     bool   // /about is about.html, and the other way round
	HTTPSOnly     bool   // plain HTTP is redirected
	HSTS          bool   // browsers are told to come by HTTPS alone
	CanonicalHost string // other hosts are redirected to it
	ErrorPage     string // of 404; 404.html if empty and there
	Quiet         bool   // requests are not logged
	Routes        []Pair // pattern of a path to the file that answers it; the first wins
	Redirects     []Redirect
	Headers       []Header
}

// A Pair is a pattern and what it stands for.
type Pair struct{ Pattern, Value string }

// A Redirect sends a path elsewhere.
type Redirect struct {
	Pattern, URL string
	Status       int
}

// A Header sets a header of the answers to a path.
type Header struct{ Pattern, Name, Value string }

// A settingsError says what is wrong with a file of settings.
type settingsError struct {
	file, what string
	line       int
}

func (e *settingsError) Error() string {
	if e.line > 0 {
		return fmt.Sprintf("line %d of %s: %s", e.line, e.file, e.what)
	}
	return fmt.Sprintf("%s: %s", e.file, e.what)
}

// members is a JSON object in the order of its text, which decides among routes.
type members []member

type member struct {
	name  string
	value json.RawMessage
}

// UnmarshalJSON reads an object.
func (m *members) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil {
		return err
	} else if t != json.Delim('{') {
		return errors.New("it must be an object, as { }")
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		one := member{name: name.(string)} //nolint:forcetypeassert // names of JSON are strings
		if err := d.Decode(&one.value); err != nil {
			return err
		}
		*m = append(*m, one)
	}
	return nil
}

// parseJSON reads a static.json, as Heroku's buildpack for static sites has it.
// What it does not know it gives back, to be warned of.
func parseJSON(data []byte) (s Settings, unknown []string, err error) {
	var all members
	if err := json.Unmarshal(data, &all); err != nil {
		bad := &settingsError{file: staticJSON, what: "it isn't valid JSON: " + err.Error()}
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			bad.line = 1 + bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n"))
		}
		return s, nil, bad
	}
	for _, m := range all {
		known, err := s.set(m)
		if err != nil {
			return s, nil, &settingsError{
				file: staticJSON, what: fmt.Sprintf("%q can't be understood: %v", m.name, err), line: lineOf(data, m.name),
			}
		}
		if !known {
			unknown = append(unknown, m.name)
		}
	}
	return s, unknown, nil
}

// lineOf is the line where a name first is, 0 if that is not known.
func lineOf(data []byte, name string) int {
	quoted, err := json.Marshal(name)
	if err != nil {
		return 0
	}
	if before, _, ok := bytes.Cut(data, quoted); ok {
		return 1 + bytes.Count(before, []byte("\n"))
	}
	return 0
}

func (s *Settings) set(m member) (known bool, err error) {
	switch m.name {
	case "root":
		err = json.Unmarshal(m.value, &s.Root)
	case "clean_urls":
		err = json.Unmarshal(m.value, &s.CleanURLs)
	case "https_only":
		err = json.Unmarshal(m.value, &s.HTTPSOnly)
	case "canonical_host":
		err = json.Unmarshal(m.value, &s.CanonicalHost)
	case "error_page":
		err = json.Unmarshal(m.value, &s.ErrorPage)
	case "routes":
		err = s.setRoutes(m.value)
	case "redirects":
		err = s.setRedirects(m.value)
	case "headers":
		err = s.setHeaders(m.value)
	case "logging":
		err = s.setLogging(m.value)
	case "basic_auth", "basic_auth_htpasswd_path":
		err = refuseAuth(m.value)
	default:
		return false, nil
	}
	return true, err
}

func (s *Settings) setRoutes(data []byte) error {
	var all members
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	for _, m := range all {
		p := Pair{Pattern: m.name}
		if err := json.Unmarshal(m.value, &p.Value); err != nil {
			return fmt.Errorf("%q: %w", m.name, err)
		}
		s.Routes = append(s.Routes, p)
	}
	return nil
}

func (s *Settings) setRedirects(data []byte) error {
	var all members
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	for _, m := range all {
		to := struct {
			URL    string `json:"url"`
			Status int    `json:"status"`
		}{Status: 301}
		if err := json.Unmarshal(m.value, &to); err != nil {
			return fmt.Errorf("%q: %w", m.name, err)
		}
		if to.URL == "" || !slices.Contains([]int{301, 302, 303, 307, 308}, to.Status) {
			return fmt.Errorf("%q: it needs a \"url\", and its \"status\" must be 301, 302, 303, 307 or 308", m.name)
		}
		s.Redirects = append(s.Redirects, Redirect{m.name, to.URL, to.Status})
	}
	return nil
}

func (s *Settings) setHeaders(data []byte) error {
	var all members
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	for _, m := range all {
		var of members
		if err := json.Unmarshal(m.value, &of); err != nil {
			return fmt.Errorf("%q: %w", m.name, err)
		}
		for _, one := range of {
			h := Header{Pattern: m.name, Name: one.name}
			if err := json.Unmarshal(one.value, &h.Value); err != nil {
				return fmt.Errorf("%q: %q: %w", m.name, one.name, err)
			}
			if strings.ContainsAny(h.Name+h.Value, "\r\n") || h.Name == "" {
				return fmt.Errorf("%q: %q: a header is one line", m.name, one.name)
			}
			s.Headers = append(s.Headers, h)
		}
	}
	return nil
}

func (s *Settings) setLogging(data []byte) error {
	var logging struct {
		Access *bool `json:"access"`
	}
	err := json.Unmarshal(data, &logging)
	s.Quiet = logging.Access != nil && !*logging.Access
	return err
}

var errAuth = errors.New("asking for a password isn't supported, and without it everybody could see the site. " +
	"Remove the setting, or serve the site by a server of your own in the Procfile")

// refuseAuth refuses what would leave a site open that is meant to be closed.
func refuseAuth(value []byte) error {
	if text := string(bytes.TrimSpace(value)); text == "false" || text == "null" || text == `""` {
		return nil
	}
	return errAuth
}
