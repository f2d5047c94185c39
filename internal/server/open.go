package server

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"slipway/gitserver"
	"slipway/internal/api"
	"slipway/internal/disk"
	"slipway/internal/sources"
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
	if err := s.openDeploys(); err != nil {
		return nil, err
	}
	if err := s.openGit(ctx, version, who); err != nil {
		return nil, err
	}
	d := doors{
		git: s.git, registry: s.slugs, api: s.openAPI(ctx, who), watchAPI: s.set.watchAPI,
		metrics: metrics(s.dynos, s.git), ca: s.ca.PEM(), ready: &s.ready,
	}
	return s.appsFirst(d.handler()), nil
}

// stack is what the bundled builder calls its base.
const stack = "Slipway-Debian13"

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
func (s *server) openAPI(ctx context.Context, who *access) http.Handler {
	s.api = api.New(api.Config{
		Apps: s.store, Keys: s.store, Settings: s.store, Domains: domains{s.store, s.hosts.own, s.hosts.suffix}, Certs: s.store, Drains: s.store,
		Buildpacks: s.store, CheckBuildpacks: s.checkBuildpacks,
		Accounts: s.store, Tokens: s.store, Collaborators: s.store, MayUse: who.mayUse, Domain: s.set.Domain,
		SignIn: who.Token, Destroy: s.destroy, Dynos: s.dynos, Deploys: s.dep, Logs: s.logs, CheckCert: checkCert,
		Changed:   func(app string) { s.changed(context.WithoutCancel(ctx), app) },
		GitURL:    func(app string) string { return s.addrs.url + "/" + app + ".git" },
		WebURL:    s.addrs.web,
		ImageName: func(app string, rel state.Release) string { return s.image(app, rel.Tag()) },
		Builds:    s.store, Outputs: s.outputs, Building: s.dep, Sources: s.sources, Fetch: sources.Fetcher{Reach: s.set.BuildReach}.Get,
		RepoSize: s.repoSize, Stack: stack, ACM: s.set.ACMEEmail != "", DynoCPUs: s.limits.CPUs, DynoMemory: s.limits.Memory,
		URL: s.set.URL, APIRate: s.set.APIRate, Rendezvous: true, Stopping: ctx.Done(), Log: s.log,
	})
	return s.api
}

// openGit makes the git server, and finishes what a crash interrupted.
func (s *server) openGit(ctx context.Context, version string, who *access) error {
	cfg, err := s.set.Git.config()
	if err != nil {
		return err
	}
	cfg.Dir, cfg.HostKeyDir = s.repositories(), filepath.Join(s.set.Data, "ssh")
	cfg.Receiver, cfg.Authorizer, cfg.Agent = s.dep, who, "slipway/"+version
	cfg.StopTimeout, cfg.SweepAfter, cfg.Log = s.set.StopTimeout, s.set.sweepAfter(), s.log
	if s.git, err = gitserver.New(cfg); err != nil {
		return err
	}
	if err := s.git.Recover(ctx); err != nil {
		return err
	}
	return s.dep.Recover(ctx, s.git)
}

func (s *server) repositories() string { return filepath.Join(s.set.Data, "repositories") }

// repoSize measures the repository of an app, which may have none yet.
func (s *server) repoSize(ctx context.Context, app string) (int64, error) {
	used, err := disk.Of(ctx, filepath.Join(s.repositories(), app+".git"))
	return used.Bytes, err
}

// sweepAfter is --sweep-after as gitserver has it, where 0 is not for ever.
func (s *Settings) sweepAfter() time.Duration {
	if s.SweepAfter == 0 {
		return -1
	}
	return s.SweepAfter
}

// image is the name under which people pull a release's slug.
func (s *server) image(app, tag string) string { return s.addrs.public + "/" + app + ":" + tag }
