package herokuschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// An Answer is what came of a request.
type Answer struct {
	Method string
	Path   string // escaped, as the request had it
	Status int
	Header http.Header
	Body   []byte
}

// Check says what is wrong with an answer, if anything is.
func (s *Schema) Check(a Answer) error {
	err := errors.Join(a.checkHeader(), s.checkBody(a))
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s = %d: %w", a.Method, a.Path, a.Status, err)
}

func (a Answer) checkHeader() error {
	if a.Header.Get("Request-Id") == "" {
		return errors.New("there is no Request-Id header")
	}
	return nil
}

func (s *Schema) checkBody(a Answer) error {
	if a.Method == http.MethodHead {
		a.Method = http.MethodGet // whose answer it is; the server leaves the body out
	}
	links := s.find(a.Method, a.Path)
	check, ours := ownOf(a.Method, a.Path)
	switch {
	case a.Status == http.StatusNotModified:
		if len(a.Body) > 0 {
			return errors.New("a body comes with 304")
		}
		return nil
	case a.Status >= http.StatusBadRequest && !isPage(a.Path):
		return a.checkError()
	case len(links) == 0 && !ours:
		return errors.New("the request has no link in Heroku's schema, and no line in the list of Slipway's own (internal/testkit/herokuschema/own.go)")
	}
	kind := a.Header.Get("Content-Type")
	if len(links) == 0 {
		body, _ := decode(a.Body) // not all of them send JSON
		return check(kind, body)
	}
	body, err := decode(a.Body)
	if err := errors.Join(err, isJSON(kind)); err != nil {
		return err
	}
	var errs []error
	for _, l := range links {
		err := s.follow(l, body)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// follow checks a body against the target of a link.
func (s *Schema) follow(l link, body any) error {
	all, is := body.([]any)
	_, listed := s.at(l.target)["items"] // some say no more of their being lists
	if (l.list || listed) && !is {
		return errors.New("the body is no list")
	}
	if !l.list {
		return errors.Join(inWords(s.validate(l.target, body)), incomplete(s.missing(s.at(l.target), body, "")))
	}
	for _, one := range all {
		if err := errors.Join(inWords(s.validate(l.target, one)), incomplete(s.missing(s.at(l.target), one, ""))); err != nil {
			return err
		}
	}
	return nil
}

// inWords makes one line a violation.
func inWords(err error) error {
	invalid := &jsonschema.ValidationError{}
	if !errors.As(err, &invalid) {
		return err
	}
	_, lines, _ := strings.Cut(invalid.Error(), "\n")
	return errors.New(lines)
}

// ids says which IDs of errors a status has.
var ids = map[int][]string{
	http.StatusBadRequest:                   {"bad_request"},
	http.StatusUnauthorized:                 {"unauthorized"},
	http.StatusPaymentRequired:              {"quota_exceeded", "delinquent"},
	http.StatusForbidden:                    {"forbidden"},
	http.StatusNotFound:                     {"not_found"},
	http.StatusMethodNotAllowed:             {"method_not_allowed"},
	http.StatusNotAcceptable:                {"not_acceptable"},
	http.StatusConflict:                     {"conflict"},
	http.StatusGone:                         {"gone"},
	http.StatusPreconditionFailed:           {"precondition_failed"},
	http.StatusRequestedRangeNotSatisfiable: {"requested_range_not_satisfiable"},
	http.StatusUnprocessableEntity:          {"invalid_params", "unsupported"},
	http.StatusUpgradeRequired:              {"upgrade_required"},
	http.StatusTooManyRequests:              {"rate_limit"},
	http.StatusInternalServerError:          {"internal_server_error"},
	http.StatusNotImplemented:               {"not_implemented"},
	http.StatusServiceUnavailable:           {"unavailable"},
}

func (a Answer) checkError() error {
	body, err := decode(a.Body)
	if err := errors.Join(err, isJSON(a.Header.Get("Content-Type"))); err != nil {
		return err
	}
	one, _ := body.(map[string]any)
	id, _ := one["id"].(string)
	message, _ := one["message"].(string)
	if !slices.Contains(ids[a.Status], id) {
		return fmt.Errorf("the error's id is %q, want one of %q", id, ids[a.Status])
	}
	if message == "" {
		return errors.New("the error has no message")
	}
	if at, there := one["url"]; there {
		if text, is := at.(string); !is || !strings.HasPrefix(text, "http") {
			return fmt.Errorf("the error's url is %v, want an address", at)
		}
	}
	return nil
}

func isJSON(kind string) error {
	if media, _, err := mime.ParseMediaType(kind); err != nil || media != "application/json" {
		return fmt.Errorf("Content-Type is %q, want application/json", kind)
	}
	return nil
}

// decode reads JSON as the validator wants it.
func decode(raw []byte) (any, error) {
	if !json.Valid(raw) {
		return nil, fmt.Errorf("the body is no JSON: %.80q", raw)
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(raw))
}
