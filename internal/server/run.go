package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"slipway/gitserver"
	"slipway/internal/api"
	"slipway/internal/ca"
	"slipway/internal/deploy"
	"slipway/internal/dyno"
	"slipway/internal/logs"
	"slipway/internal/outputs"
	"slipway/internal/router"
	"slipway/internal/sources"
	"slipway/internal/state/sqlstore"
	"slipway/slugs"
)

// A server is everything that one process runs.
type server struct {
	set   *Settings
	log   *zap.Logger
	store *sqlstore.Store
	slugs *slugs.Registry
	git   *gitserver.Server
	build *builds
	dep   *deploy.Deployer

	outputs *outputs.Store
	sources *sources.Store

	logs    *logs.Store
	drains  *logs.Drains
	backend dyno.Backend
	dynos   *dyno.Manager
	limits  dyno.Limits // of each dyno
	hosts   *hosts
	router  *router.Router
	tls     *router.TLS // the apps' certificates
	ca      *ca.Authority
	api     *api.Handler

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
	log.Info("serving", zap.String("http", s.addrs.http), zap.String("https", s.addrs.https), zap.String("ssh", s.addrs.ssh), zap.String("data", set.Data),
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

func (s *server) close() error {
	var errs []error
	if s.tls != nil {
		s.tls.Close()
	}
	if s.backend != nil {
		errs = append(errs, s.backend.Close())
	}
	if s.logs != nil {
		errs = append(errs, s.logs.Close())
	}
	if s.build != nil {
		errs = append(errs, s.build.Close())
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	return errors.Join(errs...)
}
