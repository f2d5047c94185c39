package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"slipway/internal/api/apitest"
	"slipway/internal/deploy"
	"slipway/internal/state"
	"slipway/internal/wire"
)

var ann = state.Actor{User: "ann"}

// asks decodes what a request is answered with.
func asks[T any](t *testing.T, srv *apitest.Server, request, body string, status int) (answer T) {
	t.Helper()
	got := ask(t, srv, request, body)
	if got.status != status {
		t.Fatalf("%s = %d %s, want %d", request, got.status, got.body, status)
	}
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
		t.Fatalf("%s: the answer is no JSON: %v", request, err)
	}
	return answer
}

func TestBuildsOfPushesAreShown(t *testing.T) {
	srv := apitest.Start(t)
	pushed, out, err := srv.Building.Begin(t.Context(), ann, state.Build{App: "shop", Commit: strings.Repeat("ab", 20), Ref: "refs/heads/main", Source: "git"})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(out, "-----> Building")
	b := asks[wire.Build](t, srv, "GET /apps/shop/builds/"+pushed.ID, "", 200)
	if b.Status != wire.BuildPending || b.Release != nil || b.Slug != nil || b.User.Email != "ann@localhost" ||
		b.SourceBlob.URL != "http://host/shop.git" || *b.SourceBlob.Version != pushed.Commit {
		t.Errorf("a build that goes on is shown as %+v", b)
	}
	// Nobody signs in at the output, and it ends with the build.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.OutputStreamURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	line := make([]byte, len("-----> Building\n"))
	if _, err := io.ReadFull(resp.Body, line); err != nil || string(line) != "-----> Building\n" {
		t.Errorf("the output of a build that goes on begins with %q, %v", line, err)
	}
	fmt.Fprintln(out, "       Released v1")
	if err := srv.Building.Finish(t.Context(), pushed.ID, state.BuildSucceeded, "sha256:ab", 1); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != "       Released v1\n" {
		t.Errorf("it goes on with %q, %v", rest, err)
	}
	all := asks[[]wire.Build](t, srv, "GET /apps/shop/builds", "", 200)
	if len(all) != 1 || all[0].Status != wire.BuildSucceeded || all[0].ReleaseVersion != 1 || all[0].Slug == nil {
		t.Errorf("the builds are %+v, want one that succeeded with v1", all)
	}
	if rel := asks[wire.Release](t, srv, "GET /apps/shop/releases/1", "", 200); rel.ID != all[0].Release.ID {
		t.Errorf("the build's release is %s, that of the app %s", all[0].Release.ID, rel.ID)
	}
}

func TestOutputsAreResumedAndSecret(t *testing.T) {
	srv := apitest.Start(t)
	out := srv.Outputs.Create("shop", "v1")
	fmt.Fprint(out, "0123456789")
	_ = out.Close()
	rel := asks[wire.Release](t, srv, "GET /apps/shop/releases/1", "", 200)
	if rel.OutputStreamURL == nil {
		t.Fatal("the release has no output")
	}
	path := strings.TrimPrefix(*rel.OutputStreamURL, srv.URL)
	for _, c := range []struct {
		asked, body, sent string
		status            int
	}{
		{"", "0123456789", "", 200},
		{"bytes=4-", "456789", "bytes 4-9/10", 206},
		{"bytes=0-", "0123456789", "bytes 0-9/10", 206},
		{"bytes=10-", `{"id":"requested_range_not_satisfiable","message":"the output has ended with byte 9: there is nothing to resume"}` + "\n", "bytes */10", 416},
		{"bytes=4-5", "0123456789", "", 200},
		{"bytes=-3", "0123456789", "", 200},
	} {
		got := ask(t, srv, "GET "+path, "", "Range", c.asked)
		if got.status != c.status || got.body != c.body || got.header.Get("Content-Range") != c.sent {
			t.Errorf("GET with Range %q = %d %q %q, want %d %q %q", c.asked, got.status, got.header.Get("Content-Range"), got.body, c.status, c.sent, c.body)
		}
	}
	token := path[strings.LastIndex(path, "/")+1:]
	for _, wrong := range []string{
		"/apps/shop/releases/v1/output/" + token[:len(token)-1], "/apps/shop/releases/v2/output/" + token,
		"/apps/bare/releases/v1/output/" + token, "/apps/shop/releases/v1/output/zzzzzzz-" + token[8:], "/apps/shop/releases/v1/output/x",
	} {
		if got := ask(t, srv, "GET "+wrong, ""); got.status != 404 || !strings.Contains(got.body, "not_found") {
			t.Errorf("GET %s = %d %s, want 404", wrong, got.status, got.body)
		}
	}
	if err := srv.Outputs.Remove("shop"); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, srv, "GET "+path, ""); got.status != 404 || !strings.Contains(got.body, "not kept any more") {
		t.Errorf("GET of an output that is gone = %d %s", got.status, got.body)
	}
	if rel := asks[wire.Release](t, srv, "GET /apps/shop/releases/1", "", 200); rel.OutputStreamURL != nil {
		t.Errorf("a release whose output is gone has %q", *rel.OutputStreamURL)
	}
}

func TestOutputsAreFollowedAsEvents(t *testing.T) {
	srv := apitest.Start(t)
	out := srv.Outputs.Create("shop", "v1")
	fmt.Fprint(out, "one\r\ntwo\nthree")
	_ = out.Close()
	path := strings.TrimPrefix(*asks[wire.Release](t, srv, "GET /apps/shop/releases/1", "", 200).OutputStreamURL, srv.URL)
	for last, want := range map[string]string{
		"":    "id: 5\ndata: one\n\nid: 9\ndata: two\n\nid: 14\ndata: three\n\n",
		"5":   "id: 9\ndata: two\n\nid: 14\ndata: three\n\n",
		"14":  "",
		"bad": "id: 5\ndata: one\n\nid: 9\ndata: two\n\nid: 14\ndata: three\n\n",
	} {
		got := ask(t, srv, "GET "+path, "", "Accept", "text/event-stream", "Last-Event-Id", last)
		if got.status != 200 || got.body != want {
			t.Errorf("events after %q = %d %q, want %q", last, got.status, got.body, want)
		}
	}
}

func TestTarballsAreUploadedAndBuilt(t *testing.T) {
	srv := apitest.Start(t)
	for _, address := range []string{"/sources", "/apps/shop/sources"} {
		source := asks[wire.Source](t, srv, "POST "+address, "", 201)
		put := strings.TrimPrefix(source.SourceBlob.PutURL, srv.URL)
		blob := fmt.Sprintf(`{"source_blob": {"url": %q, "version": "v9", "checksum": null}}`, source.SourceBlob.GetURL)
		if got := ask(t, srv, "POST /apps/shop/builds", blob); got.status != 422 || !strings.Contains(got.body, "nothing was uploaded") {
			t.Errorf("a build before the upload = %d %s", got.status, got.body)
		}
		// Heroku's clients send the empty content type, and no sign-in.
		if got := ask(t, srv, "PUT "+put, "tarball", "Authorization", "", "Content-Type", ""); got.status != 200 || got.body != "" {
			t.Errorf("the upload = %d %s", got.status, got.body)
		}
		if got := ask(t, srv, "GET "+put, "", "Authorization", ""); got.status != 200 || got.body != "tarball" {
			t.Errorf("what was uploaded = %d %s", got.status, got.body)
		}
		b := asks[wire.Build](t, srv, "POST /apps/shop/builds", blob, 201)
		if b.Status != wire.BuildPending || *b.SourceBlob.Version != "v9" || strings.Contains(b.SourceBlob.URL, put) {
			t.Errorf("the build is %+v, want one that waits, without the secret address", b)
		}
		b = asks[wire.Build](t, srv, "GET /apps/shop/builds/"+b.ID, "", 200)
		if got := ask(t, srv, "GET "+strings.TrimPrefix(b.OutputStreamURL, srv.URL), ""); got.body != "-----> Built 7 bytes\n" {
			t.Errorf("it prints %q", got.body)
		}
	}
	other := asks[wire.Build](t, srv, "POST /apps/shop/builds", `{"source_blob": {"url": "https://user:pw@example.com/a.tgz?token=pw"}, "buildpacks": []}`, 201)
	other = asks[wire.Build](t, srv, "GET /apps/shop/builds/"+other.ID, "", 200)
	if other.SourceBlob.URL != "https://example.com/a.tgz" || other.Status != wire.BuildFailed || other.SourceBlob.Version != nil {
		t.Errorf("a build of an address that cannot be fetched is %+v", other)
	}
}

func TestBadBuildsAreRefused(t *testing.T) {
	srv := apitest.Start(t)
	upload := strings.TrimPrefix(asks[wire.Source](t, srv, "POST /sources", "", 201).SourceBlob.PutURL, srv.URL)
	for _, c := range []struct {
		request, body string
		status        int
		want          string
	}{
		{"POST /apps/shop/builds", `{}`, 422, "source_blob.url is missing"},
		{"POST /apps/shop/builds", `{"source_blob": {"url": "file:///etc/passwd"}}`, 422, "no http or https"},
		{"POST /apps/shop/builds", `{"source_blob": {"url": "https://example.com/a"}, "buildpacks": [{"url": "acme/frob"}]}`, 422, "It has: slipway/nodejs"},
		{"POST /apps/shop/builds", `{"source_blob": {"url": "https://example.com/a", "checksum": "MD5:1"}}`, 422, "the checksum is none"},
		{"POST /apps/shop/builds", `{"source_blob": {"url": "https://example.com/a", "version": "` + strings.Repeat("v", 201) + `"}}`, 422, "version is too long"},
		{"POST /apps/shop/builds", `{"source_blob": {"url": "https://example.com/a", "version": "a\u001b[31m"}}`, 422, "no line of text"},
		{"POST /apps/shop/builds", `{"source_blob": {"url": "` + srv.URL + `/sources/NONE.tgz"}}`, 404, "no such source"},
		{"POST /apps/none/builds", `{"source_blob": {"url": "https://example.com/a"}}`, 404, "not_found"},
		{"DELETE /apps/bare/build-cache", "", 422, "there is no cache"},
		{"GET /apps/shop/builds/none", "", 404, "Couldn't find that build"},
		{"DELETE /apps/shop/builds/none", "", 404, "Couldn't find that build"},
		{"PUT /sources/NONE.tgz", "x", 404, "no such source"},
		{"GET /sources/NONE.tgz", "", 404, "no such source"},
		{"PUT " + upload, strings.Repeat("x", apitest.MaxSource+1), 422, "larger than this server takes"},
	} {
		if got := ask(t, srv, c.request, c.body); got.status != c.status || !strings.Contains(got.body, c.want) {
			t.Errorf("%s %.90s = %d %s, want %d %s", c.request, c.body, got.status, got.body, c.status, c.want)
		}
	}
	for err, status := range map[error]int{deploy.ErrTooManyBuilds: 429, deploy.ErrStopping: 503, deploy.ErrBuilding: 422, errors.New("odd"): 500} {
		srv.Building.Refuse = err
		if got := ask(t, srv, "POST /apps/shop/builds", `{"source_blob": {"url": "https://example.com/a"}}`); got.status != status {
			t.Errorf("a build that fails with %v = %d %s, want %d", err, got.status, got.body, status)
		}
	}
}

func TestBuildsAreCancelled(t *testing.T) {
	srv := apitest.Start(t)
	srv.Building.Hold = true
	b := asks[wire.Build](t, srv, "POST /apps/shop/builds", `{"source_blob": {"url": "https://example.com/a"}}`, 201)
	got := ask(t, srv, "DELETE /apps/shop/builds/"+b.ID, "", "Accept", "application/vnd.heroku+json; version=3.cancel-build")
	if got.status != 200 || json.Unmarshal([]byte(got.body), &b) != nil || b.Status != wire.BuildFailed {
		t.Errorf("DELETE of a build that goes on = %d %s", got.status, got.body)
	}
	if got := ask(t, srv, "DELETE /apps/shop/builds/"+b.ID, ""); got.status != 422 || !strings.Contains(got.body, "has ended") {
		t.Errorf("DELETE of one that has ended = %d %s", got.status, got.body)
	}
	if got := ask(t, srv, "DELETE /apps/shop/build-cache", ""); got.status != 200 || !slices.Equal(srv.Building.Purged(), []string{"shop"}) {
		t.Errorf("DELETE of the cache = %d %s", got.status, got.body)
	}
}
