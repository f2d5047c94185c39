package herokuschema_test

import (
	"net/http"
	"strings"
	"testing"

	"slipway/internal/testkit/herokuschema"
)

const keyOfAnn = `{"id": "01234567-89ab-cdef-0123-456789abcdef", "fingerprint": "SHA256:x", "public_key": "ssh-ed25519 AAAA", "comment": "ann@home",
	"email": "ann@localhost", "created_at": "2026-11-25T12:00:00Z", "updated_at": "2026-11-25T12:00:00Z"}`

func TestCheck(t *testing.T) {
	t.Parallel()
	schema, err := herokuschema.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, request string
		status        int
		body          string
		want          string // part of the violation; none if empty
	}{
		{"an object", "GET /account/keys/SHA256:x", 200, keyOfAnn, ""},
		{"a list", "GET /account/keys", 200, "[" + keyOfAnn + "]", ""},
		{"an empty list", "GET /account/keys", 200, "[]", ""},
		{"an object for a list", "GET /account/keys", 200, keyOfAnn, "the body is no list"},
		{"the answer to HEAD", "HEAD /account/keys", 200, "[]", ""},
		{"nothing new", "GET /account/keys", 304, "", ""},
		{"nothing new, and yet a body", "GET /account/keys", 304, "[]", "a body comes with 304"},
		{"one more property", "GET /account/keys/a%2Fb", 200, strings.Replace(keyOfAnn, "{", `{"more": 1, `, 1), ""},
		{"one property less", "GET /account/keys/x", 200, strings.Replace(keyOfAnn, `"comment": "ann@home",`, "", 1), "not there: /comment"},
		{"one property less in a list", "GET /account/keys", 200, "[" + strings.Replace(keyOfAnn, `"comment": "ann@home",`, "", 1) + "]", "not there: /0/comment"},
		{"no UUID", "GET /account/keys/x", 200, strings.Replace(keyOfAnn, "01234567-", "1234567-", 1), "not valid uuid"},
		{"no email", "GET /users/x", 200, `{"email": "ann"}`, "not valid email"},
		{"no time", "GET /account/keys/x", 200, strings.Replace(keyOfAnn, "T12:", " 12:", 1), "not valid date-time"},
		{"a number for a text", "GET /account/keys/x", 200, strings.Replace(keyOfAnn, `"ann@home"`, "7", 1), "got number, want string"},
		{"no JSON", "GET /account/keys/x", 200, "[", "no JSON"},
		{"a nested property less", "GET /apps/shop/features", 200, `[{}]`, "not there: "},
		{"an empty object where that is wanted", "DELETE /apps/shop/dynos", 202, "{}", ""},
		{"a property of an empty object", "DELETE /apps/shop/dynos", 202, `{"a": 1}`, "additional properties"},
		{"config vars", "GET /apps/shop/config-vars", 200, `{"A": "1"}`, ""},
		{"config vars that are numbers", "GET /apps/shop/config-vars", 200, `{"A": 1}`, "got number"},
		{"an address of nobody's", "GET /apps/shop/nothing", 200, "{}", "no link in Heroku's schema"},
		{"a method of nobody's", "PUT /apps/shop", 200, "{}", "no link in Heroku's schema"},
		{"an address of nobody's that is refused", "GET /apps/shop/nothing", 404, `{"id": "not_found", "message": "no"}`, ""},
		{"one of our own", "GET /apps/shop/quota", 200, `{"quota": 1, "used": 1, "app": 1}`, ""},
		{"one of our own that lacks something", "GET /apps/shop/quota", 200, `{"quota": 1, "used": 1}`, "not there: /app"},
		{"an error", "GET /apps/shed", 404, `{"id": "not_found", "message": "Couldn't find that app.", "url": "https://x/"}`, ""},
		{"an error of another status", "GET /apps/shed", 404, `{"id": "invalid_params", "message": "no"}`, `the error's id is "invalid_params"`},
		{"an error without words", "GET /apps/shed", 404, `{"id": "not_found"}`, "no message"},
		{"an error whose url is none", "GET /apps/shed", 404, `{"id": "not_found", "message": "no", "url": "README"}`, "want an address"},
		{"a status of nobody's", "GET /apps/shed", 418, `{"id": "teapot", "message": "no"}`, "want one of []"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			method, path, _ := strings.Cut(c.request, " ")
			header := http.Header{"Request-Id": {"x"}, "Content-Type": {"application/json; charset=utf-8"}}
			err := schema.Check(herokuschema.Answer{Method: method, Path: path, Status: c.status, Header: header, Body: []byte(c.body)})
			if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
				t.Errorf("Check(%s = %d %s) = %v, want %q", c.request, c.status, c.body, err, c.want)
			}
		})
	}
}

func TestCheckWantsHeaders(t *testing.T) {
	t.Parallel()
	schema, err := herokuschema.Load()
	if err != nil {
		t.Fatal(err)
	}
	for missing, header := range map[string]http.Header{
		"Request-Id":   {"Content-Type": {"application/json"}},
		"Content-Type": {"Request-Id": {"x"}, "Content-Type": {"text/plain"}},
	} {
		err := schema.Check(herokuschema.Answer{Method: "GET", Path: "/account/keys", Status: 200, Header: header, Body: []byte("[]")})
		if err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("Check without a good %s = %v, want an error that names it", missing, err)
		}
	}
}

// Each target is one that the validator can use.
func TestAllLinksCanBeChecked(t *testing.T) {
	t.Parallel()
	schema, err := herokuschema.Load()
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Request-Id": {"x"}, "Content-Type": {"application/json"}}
	for _, l := range schema.Links() {
		err := schema.Check(herokuschema.Answer{Method: l.Method, Path: strings.ReplaceAll(l.Path, "{}", "x"), Status: 200, Header: header, Body: []byte("17")})
		if l.Path == "/schema" {
			continue // which may be anything
		}
		if err == nil || strings.Contains(err.Error(), "compile") || strings.Contains(err.Error(), "no link") {
			t.Errorf("Check(%s %s = 17) = %v, want a violation of the schema", l.Method, l.Path, err)
		}
	}
}
