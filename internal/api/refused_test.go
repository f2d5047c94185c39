package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"slipway/internal/api/apitest"
	"slipway/internal/testkit/herokuschema"
	"slipway/internal/wire"
)

// Whatever a client of Heroku's asks for, it gets that, or words that help. That
// the answers have the shape of the schema is checked where they are made.
func TestEveryLinkOfTheSchemaIsAnswered(t *testing.T) {
	srv := apitest.Start(t)
	schema, err := herokuschema.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range schema.Links() {
		path := strings.ReplaceAll(strings.Replace(l.Path, "/apps/{}", "/apps/bare", 1), "{}", "x")
		if l.Method == http.MethodDelete && path == "/apps/bare" {
			continue // the others need it
		}
		var raw json.RawMessage
		status := call(t, srv, l.Method, path, "{}", &raw)
		var failed wire.Error
		if status >= 400 {
			if err := json.Unmarshal(raw, &failed); err != nil {
				t.Fatal(err)
			}
		}
		switch {
		case status >= 500, strings.Contains(failed.Message, "nothing at this address"):
			t.Errorf("%s %s = %d %s, want what it asks for or a refusal in words", l.Method, path, status, raw)
		case status >= 400 && len(strings.Fields(failed.Message)) < 4:
			t.Errorf("%s %s = %d %q, want a message that helps", l.Method, path, status, failed.Message)
		case status == 404 && strings.HasPrefix(failed.Message, "Couldn't find that app."):
			t.Errorf("%s %s = 404 %q, though the app is there", l.Method, path, failed.Message)
		}
	}
}

func TestRefusalsSayWhatToDoInstead(t *testing.T) {
	srv := apitest.Start(t)
	for _, c := range []struct {
		request string
		status  int
		words   string
	}{
		{"GET /addons", 200, ""},
		{"GET /apps/shop/addons", 200, ""},
		{"GET /apps/shop/webhooks", 404, "Slipway has no webhooks"},
		{"GET /pipelines?eq[name]=x", 404, "Couldn't find that pipeline. Slipway has no pipelines"},
		{"POST /apps/shop/dynos/web.1", 422, "slipway run"},
		{"GET /client/v11/apps/shop/transfers", 404, "Couldn't find that database."},
		{"GET /teams", 200, ""},
		{"GET /pipelines", 200, ""},
		{"GET /spaces", 200, ""},
		{"GET /enterprise-accounts", 200, ""},
		{"GET /apps/shed/addons", 404, "Couldn't find that app."},
		{"GET /addons/x", 404, "Couldn't find that add-on. Slipway has no add-ons"},
		{"POST /actions/addons/resolve", 404, "Couldn't find that add-on. Slipway has no add-ons"},
		{"POST /actions/addon-attachments/resolve", 422, "Slipway has no add-ons"},
		{"POST /apps/shop/addons", 422, "config:set"},
		{"POST /pipelines", 422, "an app for each stage"},
		{"POST /account/app-transfers", 422, "access:add"},
		{"GET /teams/x/members", 404, "Couldn't find that team."},
		{"POST /spaces", 422, "leave the space out"},
		{"POST /apps/shop/webhooks", 422, "drains:add"},
		{"POST /schema", 422, "https://api.heroku.com/schema"},
		{"GET /nothing", 404, "nothing at this address"},
		{"DELETE /apps", 405, "does not take DELETE, but GET, HEAD, POST"},
		{"PUT /apps/shop", 405, "does not take PUT"},
	} {
		method, path, _ := strings.Cut(c.request, " ")
		var raw json.RawMessage
		status := call(t, srv, method, path, "{}", &raw)
		if status != c.status || !strings.Contains(string(raw), c.words) || (c.words == "" && string(raw) != "[]") {
			t.Errorf("%s = %d %s, want %d %q", c.request, status, raw, c.status, c.words)
		}
	}
}

// A body that is right for Heroku is not refused for a field that Slipway never
// heard of.
func TestHerokusFieldsAreKnown(t *testing.T) {
	srv := apitest.Start(t)
	schema, err := herokuschema.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range schema.Links() {
		path := strings.ReplaceAll(strings.Replace(l.Path, "/apps/{}", "/apps/shop", 1), "{}", "web")
		for _, field := range l.Fields {
			var raw json.RawMessage
			status := call(t, srv, l.Method, path, `{"`+field+`": null}`, &raw)
			if strings.Contains(string(raw), "not the JSON object") {
				t.Errorf("%s %s with %s = %d %s, want the field taken, or refused in words", l.Method, path, field, status, raw)
			}
		}
	}
}
