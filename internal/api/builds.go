package api

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"slipway/internal/deploy"
	"slipway/internal/outputs"
	"slipway/internal/sources"
	"slipway/internal/state"
	"slipway/internal/wire"
)

// Builds is where builds are recorded.
type Builds interface {
	Builds(ctx context.Context, app string, limit int) ([]state.Build, error)
	Build(ctx context.Context, app, id string) (state.Build, error)
}

// Building makes builds without a push, and stops those of either kind.
type Building interface {
	BuildTarball(ctx context.Context, by state.Actor, app string, t deploy.Tarball) (state.Build, error)
	CancelBuild(ctx context.Context, by state.Actor, app, id string) (state.Build, error)
	ForgetCache(ctx context.Context, by state.Actor, app string) error
}

// Outputs is what builds and release commands print.
type Outputs interface {
	Exists(app, name string) bool
	// Size is how much there is so far, and whether that is all.
	Size(app, name string) (size int64, ended bool, err error)
	// Follow reads from a byte on, until there is no more to come.
	Follow(ctx context.Context, app, name string, from int64) iter.Seq2[[]byte, error]
}

var (
	_ Building = (*deploy.Deployer)(nil)
	_ Outputs  = (*outputs.Store)(nil)
)

func (a *api) haveBuilds() bool { return a.Builds != nil && a.Outputs != nil }

func (a *api) canBuild() bool { return a.haveBuilds() && a.Building != nil && a.Sources != nil }

// listBuilds lists the newest first.
func (a *api) listBuilds(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	n, err := limit(r, maxBuilds, maxBuilds)
	if err != nil {
		return 0, nil, err
	}
	all, err := a.Builds.Builds(r.Context(), app.Name, n)
	if err != nil {
		return 0, nil, err
	}
	out := make([]wire.Build, 0, len(all))
	for _, b := range all {
		out = append(out, a.build(r, app, b))
	}
	return http.StatusOK, out, nil
}

// maxBuilds is how many builds are listed at most.
const maxBuilds = 1000

func (a *api) showBuild(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	b, err := a.findBuild(r, app)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, a.build(r, app, b), nil
}

func (a *api) findBuild(r *http.Request, app state.App) (state.Build, error) {
	b, err := a.Builds.Build(r.Context(), app.Name, r.PathValue("build"))
	if errors.Is(err, state.ErrNotFound) {
		err = &resourceError{resource: "build", text: "Couldn't find that build. GET /apps/" + app.Name + "/builds lists them"}
	}
	return b, err
}

func (a *api) cancelBuild(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	b, err := a.findBuild(r, app)
	if err != nil {
		return 0, nil, err
	}
	if b, err = a.Building.CancelBuild(r.Context(), by, app.Name, b.ID); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, a.build(r, app, b), nil
}

// forgetCache answers with the newest build, whose cache it was: the schema wants
// a build.
func (a *api) forgetCache(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	newest, err := a.Builds.Builds(r.Context(), app.Name, 1)
	if err != nil {
		return 0, nil, err
	}
	if len(newest) == 0 {
		return 0, nil, invalid("nothing was built of %s yet, so that there is no cache: git push builds it", app.Name)
	}
	if err := a.Building.ForgetCache(r.Context(), by, app.Name); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, a.build(r, app, newest[0]), nil
}

func (a *api) createBuild(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	var req wire.BuildCreate
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	named, err := a.namedBuildpacks(req.Buildpacks)
	if err != nil {
		return 0, nil, err
	}
	t, err := a.tarball(r, req.SourceBlob)
	if err != nil {
		return 0, nil, err
	}
	t.Buildpacks = named
	b, err := a.Building.BuildTarball(r.Context(), by, app.Name, t)
	switch {
	case errors.Is(err, deploy.ErrTooManyBuilds):
		err = errors.Join(errTooMany, err)
	case errors.Is(err, deploy.ErrStopping):
		err = &wordsError{text: err.Error(), kind: errStopping}
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, a.build(r, app, b), nil
}

// namedBuildpacks are those of one build, as they are stored.
func (a *api) namedBuildpacks(choices []wire.BuildpackChoice) ([]string, error) {
	var names []string
	for _, c := range choices {
		names = append(names, cmp.Or(c.URL, c.Name))
	}
	if len(names) == 0 {
		return nil, nil
	}
	return a.checkBuildpacks(names)
}

// longestVersion bounds what the owner of a tarball may call it, in bytes.
const longestVersion = 200

// tarball checks what is to be built, as far as that is known at once.
func (a *api) tarball(r *http.Request, blob wire.SourceBlob) (deploy.Tarball, error) {
	t := deploy.Tarball{Address: sources.Shown(blob.URL)}
	if blob.Version != nil {
		t.Version = *blob.Version
	}
	if blob.Checksum != nil {
		t.Checksum = *blob.Checksum
	}
	if len(t.Version) > longestVersion || !utf8.ValidString(t.Version) || strings.ContainsFunc(t.Version, unicode.IsControl) {
		return t, invalid("the source's version is too long, or no line of text: write %d bytes at most", longestVersion)
	}
	if err := sources.CheckChecksum(t.Checksum); err != nil {
		return t, invalid("%v", err)
	}
	if blob.URL == "" {
		return t, invalid("source_blob.url is missing: upload the source (POST /sources), and give its get_url")
	}
	if err := sources.CheckURL(blob.URL); err != nil {
		return t, invalid("%v", err)
	}
	u, err := url.Parse(blob.URL)
	if err != nil {
		return t, invalid("source_blob.url is no URL")
	}
	token, ours := sourceToken(u)
	if ours = ours && (u.Host == r.Host || a.Sources.Has(token)); !ours {
		t.Open = func(ctx context.Context) (io.ReadCloser, error) { return a.Fetch(ctx, blob.URL) }
		return t, nil
	}
	f, err := a.Sources.Get(token)
	if err != nil {
		return t, sourceError(err)
	}
	t.Address = a.self(r) + sourcesPath // the rest is secret
	t.Open = func(context.Context) (io.ReadCloser, error) {
		f, err := a.Sources.Get(token)
		if errors.Is(err, sources.ErrNotFound) { // it has waited for too long
			err = &sources.Error{Text: err.Error()}
		}
		return f, err
	}
	return t, f.Close()
}

func (a *api) build(r *http.Request, app state.App, b state.Build) wire.Build {
	out := wire.Build{
		ID: b.ID, App: wire.ID{ID: app.ID}, Buildpacks: []struct{}{}, CreatedAt: b.Created, UpdatedAt: b.Updated,
		OutputStreamURL: a.outputURL(r, app.Name, "builds", b.ID),
		SourceBlob:      wire.SourceBlob{URL: b.Source},
		Stack:           a.stack().Name, Status: b.Status,
		User: wire.BuildUser{ID: state.UserID(b.User), Email: a.email(b.User)},
	}
	if b.Ref != "" { // it was pushed
		out.SourceBlob.URL = a.GitURL(app.Name)
	}
	if b.Commit != "" {
		out.SourceBlob.Version = &b.Commit
	}
	if b.Release > 0 {
		out.Release, out.ReleaseVersion = &wire.ID{ID: idOf(app, "release", strconv.Itoa(b.Release))}, b.Release
	}
	if b.Slug != "" {
		out.Slug = &wire.ID{ID: idOf(app, "slug", b.Slug)}
	}
	return out
}
