package herokuschema

import (
	"fmt"
	"slices"
	"strings"
)

// An answer checks what one of Slipway's own addresses sends.
type answer func(kind string, body any) error

// own are the addresses that Heroku's schema does not have. A line each: who
// adds an address adds its line.
var own = map[string]answer{
	"GET /apps/{app}/audit":                list("id", "created_at", "actor", "app", "action", "details"),
	"GET /apps/{app}/quota":                object("quota", "used", "app"),
	"GET /apps/{app}/log-sessions/{token}": stream("text/plain; charset=utf-8", "text/event-stream"),
	"GET /apps/{app}/dynos/{dyno}/attach":  stream(""), // a WebSocket
	"DELETE /account/keys/{fingerprint}":   anything,   // gone from the schema, still in Heroku's API
	"GET /admin/accounts":                  list("id", "email", "admin", "created_at"),
	"POST /admin/accounts":                 object("id", "email", "admin", "created_at", "token"),
	"DELETE /admin/accounts/{email}":       object("id", "email", "admin", "created_at"),
	"POST /admin/accounts/{email}/tokens":  object("id", "email", "admin", "created_at", "token"),
	"POST /auth":                           object("browser_url", "cli_url", "token"),
	"GET /auth/cli/{login}":                anything,
	"GET /auth/browser/{login}":            stream("text/html; charset=utf-8"),
	"POST /auth/browser/{login}":           stream("text/html; charset=utf-8"),
	"GET /oauth/sessions":                  list(), // not in the schema: heroku logout asks
	"DELETE /oauth/sessions/{session}":     anything,
	"POST /account/keys":                   object("id", "fingerprint", "public_key", "comment", "email", "created_at", "updated_at"),

	"GET /apps/{app}/builds/{name}/output/{token}":   stream("text/plain; charset=utf-8", "text/event-stream"),
	"GET /apps/{app}/releases/{name}/output/{token}": stream("text/plain; charset=utf-8", "text/event-stream"),

	"PUT /sources/{file}": stream(""),
	"GET /sources/{file}": stream("application/gzip"),
}

// isPage says whether people read what is at a path, and not programs.
func isPage(path string) bool { return strings.HasPrefix(path, "/auth/browser/") }

// ownOf finds the check of a request.
func ownOf(method, path string) (answer, bool) {
	var found answer
	most := -1
	for route, check := range own {
		m, pattern, _ := strings.Cut(route, " ")
		if same, ok := fits(segments(pattern), segments(path)); ok && m == method && same > most {
			most, found = same, check
		}
	}
	return found, found != nil
}

func anything(kind string, _ any) error { return isJSON(kind) }

// object wants an object that has the properties.
func object(properties ...string) answer {
	return func(kind string, body any) error {
		if err := isJSON(kind); err != nil {
			return err
		}
		return has(body, properties)
	}
}

// list wants a list of such objects.
func list(properties ...string) answer {
	return func(kind string, body any) error {
		if err := isJSON(kind); err != nil {
			return err
		}
		all, is := body.([]any)
		if !is {
			return fmt.Errorf("the body is %T, want a list", body)
		}
		for _, one := range all {
			if err := has(one, properties); err != nil {
				return err
			}
		}
		return nil
	}
}

// stream wants one of the content types, and looks no further.
func stream(kinds ...string) answer {
	return func(kind string, _ any) error {
		if slices.Contains(kinds, kind) {
			return nil
		}
		return fmt.Errorf("Content-Type is %q, want one of %q", kind, kinds)
	}
}

func has(body any, properties []string) error {
	one, is := body.(map[string]any)
	if !is {
		return fmt.Errorf("the body has %T, want an object", body)
	}
	var lacks []string
	for _, name := range properties {
		if _, there := one[name]; !there {
			lacks = append(lacks, "/"+name)
		}
	}
	return incomplete(lacks)
}
