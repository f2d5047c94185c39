package api

import (
	"net/http"
	"strings"

	"slipway/internal/state"
)

// A refusal is a resource of Heroku's that Slipway has not, and what to do
// instead. Where clients look on their way to something else, none are listed,
// and they go on.
type refusal struct {
	path  string // of the resource; what lies below it is refused too, if it has no method
	thing string // "add-on"; "" if it has no single ones to look for
	list  bool   // GET lists none
	words string
}

const (
	useURL     = "Slipway has no add-ons: run the service yourself, and give the app its address with slipway config:set"
	useApps    = "Slipway has no pipelines: make an app for each stage, and push to the next one what has proved itself"
	useAccess  = "Slipway has no teams: slipway access:add lets others into an app"
	useServer  = "Slipway runs all apps on one server and has no spaces: leave the space out"
	useHooks   = "Slipway has no webhooks: slipway drains:add sends an app's log on, with its releases and its dynos' changes"
	useDrains  = "Slipway sends no telemetry: slipway drains:add sends an app's log on, and /metrics has the server's numbers"
	useConfig  = "Slipway has no such setting: an app is set by slipway config:set and by its Procfile"
	useTokens  = "Slipway has no OAuth clients: slipway authorizations:create makes a token for each program"
	useAdmin   = "Slipway charges nobody: whoever runs the server sets what accounts may use, with --dyno-hours"
	useUsers   = "Slipway has no passwords: an administrator makes accounts and tokens with slipway users:add"
	useOwner   = "an app stays with its owner: slipway access:add lets others into it"
	useRelease = "images are made by git push, and pulled from the registry at /v2/"
)

// refusals are in the order of their paths. What Slipway does have wins over them.
var refusals = []refusal{
	{"/account/app-transfers", "app transfer", true, "Slipway has no app transfers: " + useOwner},
	{"/account/credits", "credit", true, useAdmin},
	{"/account/delinquency", "", false, useAdmin},
	{"/account/features", "feature", true, useConfig},
	{"/account/invoice-address", "", false, useAdmin},
	{"/account/invoices", "invoice", true, useAdmin},
	{"/accounts", "account", false, useAdmin},
	{"/actions/addon-attachments/resolve", "add-on attachment", false, useURL},
	{"/actions/addons", "add-on", false, useURL},
	{"/addon-attachments", "add-on attachment", true, useURL},
	{"/addon-region-capabilities", "", true, useURL},
	{"/addon-services", "add-on service", false, useURL},
	{"/addons", "add-on", true, useURL},
	{"/app-setups", "app setup", false, "Slipway sets no apps up from app.json: slipway create, slipway config:set, then git push"},
	{"/apps/{app}/acm", "", false, "Slipway gets certificates of the apps' domains by itself where the server was started with --acme-email; slipway certs:add brings one"},
	{"/apps/{app}/addon-attachments", "add-on attachment", true, useURL},
	{"/apps/{app}/addons", "add-on", true, useURL},
	{"POST /apps/{app}/dynos/{dyno}", "", false, "Slipway runs nothing inside a dyno: slipway run makes one of its own from the same release"},
	{"/apps/{app}/features", "feature", true, useConfig},
	{"/apps/{app}/oci-images", "OCI image", false, useRelease},
	{"/apps/{app}/pipeline-couplings", "pipeline coupling", false, useApps},
	{"/apps/{app}/review-app", "review app", false, useApps},
	{"/apps/{app}/slugs", "slug", false, useRelease},
	{"/apps/{app}/telemetry-drains", "telemetry drain", false, useDrains},
	{"/apps/{app}/usage", "", false, useAdmin},
	{"/apps/{app}/webhook-deliveries", "webhook delivery", false, useHooks},
	{"/apps/{app}/webhook-events", "webhook event", false, useHooks},
	{"/apps/{app}/webhooks", "webhook", false, useHooks},
	{"/client/v11", "database", false, useURL},
	{"/data", "database", false, useURL},
	{"/enterprise-accounts", "enterprise account", true, useAccess},
	{"/filters/apps", "", false, "GET /apps lists apps, page by page"},
	{"/oauth/clients", "OAuth client", true, useTokens},
	{"/oauth/tokens", "token", false, useTokens},
	{"/password-resets", "password reset", false, useUsers},
	{"/pipeline-couplings", "pipeline coupling", true, useApps},
	{"/pipeline-promotions", "pipeline promotion", false, useApps},
	{"/pipeline-transfers", "", false, useApps},
	{"/pipelines", "pipeline", true, useApps},
	{"/plans", "plan", false, useURL},
	{"/postgres", "database", false, useURL},
	{"/redis", "database", false, useURL},
	{"/regions/{region}/addon-region-capabilities", "", true, useURL},
	{"/review-apps", "review app", false, useApps},
	{"/schema", "", false, "the API is a part of Heroku's, whose schema is at https://api.heroku.com/schema"},
	{"/spaces", "space", true, useServer},
	{"/teams/permissions", "", true, useAccess},
	{"/teams", "team", true, useAccess},
	{"/telemetry-drains", "telemetry drain", false, useDrains},
	{"/test-runs", "test run", false, "Slipway runs no tests: run them before git push"},
	{"/users/{user}/addons", "add-on", true, useURL},
	{"/users/{user}/pipeline-couplings", "pipeline coupling", true, useApps},
	{"/users/{user}/preferences", "", false, "Slipway keeps no preferences of users: there are none to set"},
	{"/users/{user}/sms-number", "", false, useUsers},
	{"/users", "user", false, "an administrator makes accounts with slipway users:add"},
}

// anyBelow is the pattern of all that lies below a resource.
const anyBelow = "/{below...}"

// refuse is a mux that answers for all of them.
func (a *api) refuse() *http.ServeMux {
	mux := http.NewServeMux()
	handle := func(pattern string, serve serve) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { a.answer(w, r, serve) })
	}
	for _, one := range refusals {
		handle(one.path, one.whole)
		if strings.HasPrefix(one.path, "/") {
			handle(one.path+anyBelow, one.below)
		}
	}
	return mux
}

// whole answers for the resource itself. Who asks for those of a name looks for one.
func (f refusal) whole(r *http.Request, by state.Actor) (int, any, error) {
	named := strings.HasPrefix(r.URL.RawQuery, "eq")
	switch reads := r.Method == http.MethodGet || r.Method == http.MethodHead; {
	case reads && named:
		return f.below(r, by)
	case reads && f.list:
		return http.StatusOK, []struct{}{}, nil
	case reads:
		return 0, nil, &resourceError{text: sentence(f.words)}
	}
	return 0, nil, &wordsError{text: sentence(f.words), kind: errUnsupported}
}

// below answers for one of the resource, which cannot be there.
func (f refusal) below(*http.Request, state.Actor) (int, any, error) {
	if f.thing == "" {
		return 0, nil, &resourceError{text: sentence(f.words)}
	}
	return 0, nil, &resourceError{resource: strings.ReplaceAll(f.thing, " ", "_"), text: "Couldn't find that " + f.thing + ". " + sentence(f.words)}
}

// sentence begins words with a capital.
func sentence(words string) string { return strings.ToUpper(words[:1]) + words[1:] }

// otherwise answers what Slipway has no route for: with a refusal in words, or
// that there is nothing, or that the method is wrong.
func (a *api) otherwise(routes *http.ServeMux) http.Handler {
	refused := a.refuse()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := refused.Handler(r)
		words := pattern != "" && !strings.HasSuffix(pattern, anyBelow) // better than that the method is wrong
		if has := allowed(r, routes); has != "" && !words {
			w.Header().Set("Allow", has)
			a.fail(w, r, &wordsError{text: "this address does not take " + r.Method + ", but " + has, kind: errMethod})
			return
		}
		if pattern != "" {
			refused.ServeHTTP(w, r)
			return
		}
		a.fail(w, r, errNoRoute)
	})
}
