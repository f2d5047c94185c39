package server

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"

	"go.uber.org/zap"

	"slipway/internal/dyno"
	dockerdyno "slipway/internal/dyno/docker"
	embeddeddyno "slipway/internal/dyno/embedded"
	"slipway/internal/logs"
)

// openDynos opens the logs and the backend that goes with the engine of the
// builds, and makes the manager of dynos.
func (s *server) openDynos(ctx context.Context) error {
	size, err := bytesOf("app-log", s.set.AppLog)
	if err != nil {
		return err
	}
	s.logs, err = logs.Open(logs.Config{Dir: filepath.Join(s.set.Data, "logs"), MaxBytes: size, Log: s.log})
	if err != nil {
		return err
	}
	if s.backend, err = s.openBackend(ctx); err != nil {
		return err
	}
	idle := s.set.IdleTimeout
	if idle == 0 {
		idle = -1
	}
	s.dynos = dyno.New(ctx, dyno.Config{
		Backend: s.backend, Store: s.store, Logs: appLogs{s.logs},
		BootTimeout: s.set.BootTimeout, StopTimeout: s.set.DynoStopTimeout, Idle: idle, Quota: s.set.DynoHours,
		MaxOneOffs: s.set.MaxOneOffs, MaxWaiting: s.set.MaxWaiting, Log: s.log,
		Gone: func(key string) { s.router.Forget(key) },
	})
	return nil
}

func (s *server) dynoLimits() (dyno.Limits, error) {
	memory, err1 := bytesOf("dyno-memory", s.set.DynoMemory)
	disk, err2 := bytesOf("dyno-disk", s.set.DynoDisk)
	if err := errors.Join(err1, err2); err != nil {
		return dyno.Limits{}, err
	}
	if memory <= 0 || disk <= 0 {
		return dyno.Limits{}, errors.New("--dyno-memory and --dyno-disk: they must be more than 0")
	}
	return dyno.Limits{CPUs: s.set.DynoCPUs, Memory: memory, Pids: s.set.DynoPids, Disk: disk}, nil
}

// openBackend runs dynos where builds run.
func (s *server) openBackend(ctx context.Context) (dyno.Backend, error) {
	limits, err := s.dynoLimits()
	if err != nil {
		return nil, err
	}
	s.limits = limits
	if s.build.engine.Name() == "docker" {
		return dockerdyno.Open(ctx, dockerdyno.Config{
			Host: s.dockerHost(), Dir: filepath.Join(s.set.Data, "dynos"), Registry: s.addrs.registry, Token: s.slugs.Grant,
			Limits: limits, Reach: s.set.DynoReach, Log: s.log,
		})
	}
	return embeddeddyno.Open(ctx, embeddeddyno.Config{
		// A name without the port, by which slugs are known when that has changed.
		Dir: filepath.Join(s.set.Data, "dynos"), Registry: "localhost", Token: s.slugs.Grant,
		DialRegistry: s.dialRegistry, Limits: limits, Reach: s.set.DynoReach, Log: s.log,
	})
}

// dialRegistry connects to the registry's own socket.
func (s *server) dialRegistry(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "unix", s.addrs.socket)
}

// appLogs gives out writers as what others call them.
type appLogs struct{ *logs.Store }

func (l appLogs) Writer(app, source, dyno string) io.WriteCloser {
	return l.Store.Writer(app, source, dyno)
}

// openDrains starts to follow the drains that were added.
func (s *server) openDrains(ctx context.Context) error {
	s.drains = logs.NewDrains(s.logs, logs.DrainsConfig{Log: s.log})
	all, err := s.store.AllDrains(ctx)
	if err != nil {
		return err
	}
	byApp := make(map[string][]logs.Drain)
	for _, d := range all {
		byApp[d.App] = append(byApp[d.App], logs.Drain{ID: d.ID, URL: d.URL, Token: d.Token})
	}
	var errs []error
	for app, drains := range byApp {
		errs = append(errs, s.drains.Set(app, drains))
	}
	if err := errors.Join(errs...); err != nil {
		s.log.Warn("some drains are not followed", zap.Error(err))
	}
	return nil
}

// followDrains sets an app's drains anew.
func (s *server) followDrains(ctx context.Context, app string) error {
	all, err := s.store.Drains(ctx, app)
	if err != nil {
		return err
	}
	drains := make([]logs.Drain, 0, len(all))
	for _, d := range all {
		drains = append(drains, logs.Drain{ID: d.ID, URL: d.URL, Token: d.Token})
	}
	return s.drains.Set(app, drains)
}
