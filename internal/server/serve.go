package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"slipway/internal/port"
	"slipway/slugs"
)

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
	for _, ln := range s.ports(l) {
		g.Go(func() error { return ln.Run(requests) })
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
	if s.set.Upkeep {
		g.Go(func() error { return s.git.RunUpkeep(stop) })
	}
	// Dynos go on while requests and pushes under way need them, and the drains
	// while dynos have something to say.
	running, stopDynos := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDynos()
	draining, stopDrains := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDrains()
	g.Go(func() error { return s.drains.Run(draining) })
	g.Go(func() error {
		defer stopDrains()
		return s.dynos.Run(running)
	})
	g.Go(func() error {
		<-stop.Done()
		s.ready.Store(false)
		s.log.Info("stopping", zap.Duration("stop_timeout", s.set.StopTimeout))
		err := s.drain(requests, cancelRequests, web)
		<-sshDone
		stopDynos()
		s.router.Close()
		s.api.Wait()
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
	s.dep.Stop(grace)
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
		ConnContext:       port.ConnContext,
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
		err := errors.Join(s.dep.Sweep(ctx, s.set.KeepSlugs, s.build.wants), s.sources.Sweep())
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
