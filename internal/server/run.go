package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"slipway/gitserver"
	"slipway/gitserver/repo"
	"slipway/internal/api"
	"slipway/internal/deploy"
	"slipway/internal/state"
	"slipway/internal/state/sqlite"
	"slipway/slugs"
)

// A server is everything that one process runs.
type server struct {
	set   *Settings
	log   *zap.Logger
	store *sqlite.Store
	slugs *slugs.Registry
	git   *gitserver.Server
	build *builds
	dep   *deploy.Deployer
	addrs addresses
	ready atomic.Bool
}

// run serves until ctx is done. It returns after everything has stopped.
func run(ctx context.Context, set *Settings, version string, log *zap.Logger) (err error) {
	started := time.Now()
	if err := os.MkdirAll(set.Data, 0o700); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	unlock, err := lock(filepath.Join(set.Data, "lock"))
	if err != nil {
		return err
	}
	defer unlock()
	if err := ownTemp(filepath.Join(set.Data, "tmp")); err != nil {
		return err
	}
	s := &server{set: set, log: log}
	listeners, err := s.listen(ctx)
	if err != nil {
		return err
	}
	defer listeners.close()
	defer func() { err = errors.Join(err, s.close()) }()
	handler, err := s.open(ctx, version)
	if err != nil {
		return err
	}
	s.ready.Store(true)
	log.Info("serving", zap.String("http", s.addrs.http), zap.String("ssh", s.addrs.ssh), zap.String("data", set.Data),
		zap.String("engine", s.build.engine.Name()), zap.String("version", version), zap.Duration("took", time.Since(started)))
	return s.serve(ctx, handler, listeners)
}

// lock makes sure that one process at a time uses a data directory.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%s is in use by another slipway serve: stop that one, or give --data another directory", filepath.Dir(path)), f.Close())
	}
	return func() { _ = f.Close() }, nil
}

// ownTemp gives the process a directory for temporary files in its data
// directory, and empties it: libraries leave theirs behind when they are killed.
func ownTemp(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("empty temporary directory: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("make temporary directory: %w", err)
	}
	return os.Setenv("TMPDIR", dir)
}

// open opens the stores, makes the parts, and recovers from a crash.
func (s *server) open(ctx context.Context, version string) (http.Handler, error) {
	sealer, err := openSealer(filepath.Join(s.set.Data, "secret-key"))
	if err != nil {
		return nil, err
	}
	if s.store, err = sqlite.Open(ctx, filepath.Join(s.set.Data, "state.db"), sealer); err != nil {
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
	s.dep = deploy.New(deploy.Config{
		Releases: s.store, Builder: s.build, Slugs: s.slugs, Registry: s.addrs.registry,
		Image: s.image, Stack: "Slipway-Debian13", Log: s.log,
	})
	if err := s.openGit(ctx, version, who); err != nil {
		return nil, err
	}
	apiHandler, apiPaths := api.New(api.Config{
		Apps: s.store, Keys: s.store, SignIn: who.Token, Log: s.log,
		Destroy:   func(ctx context.Context, by state.Actor, app string) error { return s.dep.Destroy(ctx, s.git, by, app) },
		GitURL:    func(app string) string { return s.addrs.url + "/" + app + ".git" },
		WebURL:    func(app string) string { return s.addrs.web(app) },
		ImageName: func(app string, rel state.Release) string { return s.image(app, rel.Tag()) },
	})
	d := doors{git: s.git, registry: s.slugs, api: apiHandler, apiPaths: apiPaths, ready: &s.ready}
	return d.handler(), nil
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

func (s *server) close() error {
	var errs []error
	if s.build != nil {
		errs = append(errs, s.build.Close())
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	return errors.Join(errs...)
}

// serve runs the doors until ctx is done, then lets pushes under way finish for
// as long as --stop-timeout says, and cancels those that do not.
func (s *server) serve(ctx context.Context, handler http.Handler, l *listeners) error {
	// Requests outlive ctx by the stop timeout, so they get a context of their own.
	requests, cancelRequests := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelRequests()
	g, stop := errgroup.WithContext(ctx)
	web := newHTTPServer(requests, handler, s.log)
	inner := newHTTPServer(requests, s.slugs, s.log)
	g.Go(func() error { return ignoreClosed(inner.Serve(l.registry)) })
	for _, ln := range l.http {
		g.Go(func() error { return ignoreClosed(web.Serve(ln)) })
	}
	sshDone := make(chan struct{})
	g.Go(func() error {
		defer close(sshDone)
		if l.ssh == nil {
			return nil
		}
		return s.git.ServeSSH(stop, l.ssh)
	})
	g.Go(func() error { return s.sweep(stop) })
	g.Go(func() error { return s.prepare(stop) })
	g.Go(func() error {
		<-stop.Done()
		s.ready.Store(false)
		s.log.Info("stopping", zap.Duration("stop_timeout", s.set.StopTimeout))
		err := s.drain(requests, cancelRequests, web)
		<-sshDone
		// Last, because the builds of the pushes above publish to it.
		return errors.Join(err, inner.Close())
	})
	err := g.Wait()
	s.log.Info("stopped", zap.Error(err))
	return err
}

// lastWords is how long a cancelled push may take to clean up and tell its pusher.
const lastWords = 10 * time.Second

// drain lets requests under way finish for as long as --stop-timeout says. Then
// it cancels them, and cuts the connections of those that do not end even so.
func (s *server) drain(requests context.Context, cancel context.CancelFunc, web *http.Server) error {
	grace, done := context.WithTimeout(requests, s.set.StopTimeout)
	err := web.Shutdown(grace)
	done()
	cancel()
	if err == nil {
		return nil
	}
	last, done := context.WithTimeout(context.WithoutCancel(requests), lastWords)
	defer done()
	if web.Shutdown(last) == nil {
		return nil
	}
	return web.Close()
}

func newHTTPServer(ctx context.Context, handler http.Handler, log *zap.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 20 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          zap.NewStdLog(log.Named("http").WithOptions(zap.IncreaseLevel(zap.WarnLevel))),
	}
}

// prepare loads the builder into the engine, so that no push waits for it.
func (s *server) prepare(ctx context.Context) error {
	started := time.Now()
	err := s.build.Prepare(ctx)
	if err != nil && ctx.Err() == nil {
		s.log.Error("builder not loaded: pushes will try again", zap.Error(err))
		return nil
	}
	s.log.Info("builder ready", zap.Duration("took", time.Since(started)))
	return nil
}

// sweepEvery is how often the disk of unused images is reclaimed.
const sweepEvery = time.Hour

// sweep reclaims unused images until ctx is done.
func (s *server) sweep(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		err := s.dep.Sweep(ctx, s.set.KeepSlugs, s.build.wants)
		if err != nil && ctx.Err() == nil && !errors.Is(err, slugs.ErrBusy) {
			s.log.Warn("sweep failed", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
