package cli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"slipway/internal/api/apitest"
)

// canned starts a server that has one answer to each question.
func canned(t *testing.T, answers map[string]string) *apitest.Server {
	t.Helper()
	mux := http.NewServeMux()
	for pattern, answer := range answers {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) })
	}
	return start(t, mux)
}

func start(t *testing.T, handler http.Handler) *apitest.Server {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		srv.Close()
	})
	return &apitest.Server{URL: srv.URL}
}

func TestReleaseWithItsConfigAndOutput(t *testing.T) {
	const release = `{"version":7,"description":"Deploy 0123abcd","status":"pending","current":true,"eligible_for_rollback":true,
		"created_at":"2026-11-25T12:00:00Z","user":{"email":"ann@example.com"},"output_stream_url":"https://elsewhere.example/streams/7"}`
	srv := canned(t, map[string]string{
		"GET /apps/shop/releases":               "[" + release + "]",
		"GET /apps/shop/releases/7":             release,
		"GET /apps/shop/releases/6":             strings.ReplaceAll(release, `"https://elsewhere.example/streams/7"`, "null"),
		"GET /apps/shop/releases/7/config-vars": `{"A":"it's","LONG":"2"}`,
		"GET /streams/7":                        "migrating\n",
	})
	head := "=== Release v7\n\nBy:                     ann@example.com\nChange:                 Deploy 0123abcd (release command executing)\n" +
		"Eligible for Rollback?: Yes\nWhen:                   2026/11/25 12:00:00 +0000\n\n=== v7 Config vars\n\n"
	check(
		t, srv,
		step{args: "releases -a shop", stdout: "=== ⬢ shop Releases - Current: v7\n\n" + "v7  Deploy 0123abcd (release command executing)  ann@example.com  TIME\n"},
		step{args: "releases:info -a shop", stdout: head + "A:    it's\nLONG: 2\n"},
		step{args: "releases:info v7 -s -a shop", stdout: head + "A='it'\\''s'\nLONG=2\n"},
		step{args: "releases:output -a shop", stdout: "migrating\n"},
		step{args: "releases:output v6 -a shop", stderr: " ▸    Release v7 has no release output available.\n"},
	)
}

func TestDomainIsShownAndWaitedFor(t *testing.T) {
	var asked atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("GET /apps/shop/domains/{name}", func(w http.ResponseWriter, r *http.Request) {
		status := map[string]string{"late.example.com": "pending", "lost.example.com": "failed"}[r.PathValue("name")]
		if status == "" || asked.Add(1) > 1 && status == "pending" {
			status = "succeeded"
		}
		fmt.Fprintf(w, `{"hostname":%q,"kind":"custom","cname":"shop.host","status":%q,"created_at":"2026-11-25T12:00:00Z","updated_at":"2026-11-25T12:00:00Z"}`, r.PathValue("name"), status)
	})
	check(t, start(t, mux),
		step{args: "domains:info www.example.com -a shop", stdout: "app:        shop\ncname:      shop.host\ncreated_at: 2026-11-25T12:00:00Z\n" +
			"hostname:   www.example.com\nkind:       custom\nstatus:     succeeded\nupdated_at: 2026-11-25T12:00:00Z\n"},
		step{args: "domains:wait late.example.com -a shop", stdout: "Waiting for late.example.com... done\n"},
		step{args: "domains:wait lost.example.com -a shop", stdout: "Waiting for lost.example.com... !\n", stderr: " !     the host name lost.example.com could not be added: *\n", code: 1},
	)
}

func TestCertIsUpdatedByName(t *testing.T) {
	cert := func(name string) string {
		return fmt.Sprintf(`{"name":%q,"ssl_cert":{"cert_domains":["%s.example.com"],"expires_at":"2099-01-02T03:04:05Z",
			"starts_at":"2026-01-02T03:04:05Z","issuer":"CN=ca","subject":"CN=%s","ca_signed?":true}}`, name, name, name)
	}
	srv := canned(t, map[string]string{
		"GET /apps/shop/sni-endpoints":       "[" + cert("one") + "," + cert("two") + "]",
		"PATCH /apps/shop/sni-endpoints/two": cert("two"),
	})
	path := filepath.Join(t.TempDir(), "pem")
	if err := os.WriteFile(path, []byte("a part"), 0o600); err != nil {
		t.Fatal(err)
	}
	done := "Updating SSL certificate two for ⬢ shop... done\nUpdated certificate details:\nCommon Name(s): two.example.com\nExpires At:     2099-01-02 03:04 UTC\nIssuer:         CN=ca\nStarts At:      2026-01-02 03:04 UTC\nSubject:        CN=two\nSSL certificate is verified by a root authority.\n"
	files := path + " " + path
	check(t, srv,
		step{args: "certs:update " + files + " -a shop --name two --confirm shop", stdout: done},
		step{args: "certs:update " + files + " -a shop --endpoint two.example.com --confirm shop", stdout: done},
		step{args: "certs:update " + files + " -a shop --confirm shop", stderr: " !     which certificate? there are several: *\n", code: 2},
		step{args: "certs:update " + files + " -a shop --name two --endpoint x --confirm shop", stderr: " !     --name and --endpoint exclude each other: *\n", code: 2},
	)
}

func TestRefusalsSayWhatToDoNext(t *testing.T) {
	mux := http.NewServeMux()
	for path, answer := range map[string]string{
		"401": `{"id":"unauthorized","message":"Invalid credentials provided."}`,
		"403": `{"id":"forbidden","message":"You do not have access to the app shop."}`,
		"404": `{"id":"not_found","resource":"app","message":"Couldn't find that app."}`,
		"422": `{"id":"invalid_params","message":"name is taken: choose another"}`,
		"502": `<html>`,
	} {
		mux.HandleFunc("GET /apps/"+path, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(map[string]int{"401": 401, "403": 403, "404": 404, "422": 422, "502": 502}[path])
			fmt.Fprint(w, answer)
		})
	}
	check(t, start(t, mux),
		step{args: "info -a 401", stderr: " !     not signed in, *slipway login*\n", code: 1},
		step{args: "info -a 403", stderr: " !     You do not have access to the app shop: its owner can let you with slipway access:add\n", code: 1},
		step{args: "info -a 404", stderr: " !     Couldn't find that app: slipway apps lists those that there are\n", code: 1},
		step{args: "info -a 422", stderr: " !     name is taken: choose another\n", code: 1},
		step{args: "info -a 502", stderr: " !     the server answered 502 Bad Gateway; is a Slipway server at this address?\n", code: 1},
	)
}
