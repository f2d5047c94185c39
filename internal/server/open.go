package server

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"

	"slipway/gitserver"
	"slipway/gitserver/repo"
	"slipway/internal/api"
	"slipway/internal/deploy"
	"slipway/internal/state"
	"slipway/internal/state/postgres"
	"slipway/internal/state/sqlite"
	"slipway/slugs"
)

// open opens the stores, makes the parts, and recovers from a crash.
func (s *server) open(ctx context.Context, version string) (http.Handler, error) {
	if err := s.openState(ctx); err != nil {
		return nil, err
	}
	who, err := newAccess(s.set.Data, s.store)
	if err != nil {
		return nil, err
	}
	s.slugs, err = slugs.Open(ctx, slugs.Config{
		Dir: filepath.Join(s.set.Data, "registry"), Authorize: who.registry, Log: s.log,
	})
	if err != nil {
		return nil, err
	}
	if s.build, err = openBuilds(ctx, s); err != nil {
		return nil, err
	}
	if err := s.openDynos(ctx); err != nil {
		return nil, err
	}
	if err := s.openDrains(ctx); err != nil {
		return nil, err
	}
	s.openRouter()
	if err := s.openTLS(ctx); err != nil {
		return nil, err
	}
	s.dep = deploy.New(deploy.Config{
		Releases: s.store, Formations: s.store, Builder: s.build, Slugs: s.slugs, Dynos: s.dynos, Logs: appLogs{s.logs},
		Registry: s.addrs.registry, Image: s.image, WebURL: s.addrs.web, Stack: "Slipway-Debian13", Log: s.log,
	})
	if err := s.openGit(ctx, version, who); err != nil {
		return nil, err
	}
	d := doors{git: s.git, registry: s.slugs, metrics: metrics(s.dynos), ready: &s.ready}
	d.api, d.apiPaths = s.openAPI(ctx, who)
	return s.appsFirst(d.handler()), nil
}

// openState opens the database that --database names.
func (s *server) openState(ctx context.Context) error {
	sealer, err := openSealer(filepath.Join(s.set.Data, "secret-key"))
	if err != nil {
		return err
	}
	switch address := s.set.Database; {
	case address == "":
		s.store, err = sqlite.Open(ctx, filepath.Join(s.set.Data, "state.db"), sealer)
	case strings.HasPrefix(address, "postgres://"), strings.HasPrefix(address, "postgresql://"):
		s.store, err = postgres.Open(ctx, address, sealer)
	default:
		// It is not shown: it may hold a password.
		err = errors.New("--database: write postgres://USER:PASSWORD@HOST/DATABASE, or leave it out for SQLite")
	}
	return err
}

// openAPI makes the API. Its streams of logs end with ctx.
func (s *server) openAPI(ctx context.Context, who *access) (http.Handler, []string) {
	var paths []string
	s.api, paths = api.New(api.Config{
		Apps: s.store, Keys: s.store, Settings: s.store, Domains: domains{s.store, s.hosts.own, s.hosts.suffix}, Certs: s.store, Drains: s.store,
		SignIn: who.Token, Destroy: s.destroy, Dynos: s.dynos, Deploys: s.dep, Logs: s.logs, CheckCert: checkCert,
		Changed:   func(app string) { s.changed(context.WithoutCancel(ctx), app) },
		GitURL:    func(app string) string { return s.addrs.url + "/" + app + ".git" },
		WebURL:    s.addrs.web,
		ImageName: func(app string, rel state.Release) string { return s.image(app, rel.Tag()) },
		URL:       s.set.URL, Stopping: ctx.Done(), Log: s.log,
	})
	return s.api, paths
}

// openGit makes the git server, and finishes what a crash interrupted.
func (s *server) openGit(ctx context.Context, version string, who *access) error {
	limits, err := s.set.repoLimits()
	if err != nil {
		return err
	}
	s.git, err = gitserver.New(gitserver.Config{
		Dir: filepath.Join(s.set.Data, "repositories"), HostKeyDir: filepath.Join(s.set.Data, "ssh"),
		Receiver: s.dep, Authorizer: who, Agent: "slipway/" + version,
		PushTimeout: s.set.PushTimeout, StopTimeout: s.set.StopTimeout, Repo: limits, Log: s.log,
	})
	if err != nil {
		return err
	}
	if err := s.git.Recover(ctx); err != nil {
		return err
	}
	return s.dep.Recover(ctx, s.git)
}

// repoLimits are the settings that bound one push.
func (s *Settings) repoLimits() (repo.Options, error) {
	pack, err1 := bytesOf("max-pack", s.MaxPack)
	object, err2 := bytesOf("max-object", s.MaxObject)
	inflated, err3 := bytesOf("max-inflated", s.MaxInflated)
	return repo.Options{
		MaxPackBytes: pack, MaxObjectSize: object, MaxInflated: inflated, MaxObjects: s.MaxObjects,
	}, errors.Join(err1, err2, err3)
}

// image is the name under which people pull a release's slug.
func (s *server) image(app, tag string) string { return s.addrs.public + "/" + app + ":" + tag }
