package gitserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"slipway/gitserver/repo"
)

const (
	upkeepEvery = 6 * time.Hour          // how often all repositories are looked at
	upkeepPause = 100 * time.Millisecond // between two of them
	upkeepRetry = 10 * time.Minute       // after something went wrong
)

// RunUpkeep looks after the repositories until ctx is done: a repository that
// was pushed to, soon after the push; all of them at the start and every few
// hours. It joins small packs, packs loose references and removes objects that
// no reference has led to for Config.SweepAfter. One repository is looked after
// at a time, by one thread of low priority that writes no more than
// Config.UpkeepRate. Pushes and fetches go on meanwhile. It returns after all
// that it started has stopped; what it was at is done again at the next start.
func (s *Server) RunUpkeep(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		// The thread ends with the goroutine, as it is not unlocked.
		runtime.LockOSThread()
		lowPriority()
		s.runUpkeep(ctx)
	}()
	<-done
	return nil
}

func (s *Server) runUpkeep(ctx context.Context) {
	u := &upkeeper{s: s, failed: make(map[string]time.Time)}
	all := time.NewTimer(0)
	defer all.Stop()
	pause := time.NewTimer(upkeepPause)
	defer pause.Stop()
	var names []string // to be looked at, after those that were pushed to
	for ctx.Err() == nil {
		if name, ok := s.pushed.take(); ok {
			u.look(ctx, name, -1)
			continue
		}
		next := pause.C
		if len(names) == 0 {
			next = nil
		}
		select {
		case <-ctx.Done():
		case <-s.pushed.wake:
		case <-all.C:
			names = u.list()
			all.Reset(upkeepEvery)
		case <-next:
			u.look(ctx, names[0], s.cfg.SweepAfter)
			names = names[1:]
			pause.Reset(upkeepPause)
		}
	}
}

// An upkeeper is one call of RunUpkeep.
type upkeeper struct {
	s      *Server
	failed map[string]time.Time // repositories that are not looked at again soon
}

// list lists all repositories.
func (u *upkeeper) list() []string {
	entries, err := os.ReadDir(u.s.cfg.Dir)
	if err != nil {
		u.s.log.Warn("list repositories for upkeep", zap.Error(err))
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), repoSuffix); ok && ValidName(name) {
			names = append(names, name)
		}
	}
	for name := range u.failed {
		if !slices.Contains(names, name) {
			delete(u.failed, name)
		}
	}
	return names
}

// look looks after one repository. One that was removed is no error.
func (u *upkeeper) look(ctx context.Context, name string, sweepAfter time.Duration) {
	if time.Since(u.failed[name]) < upkeepRetry {
		return
	}
	delete(u.failed, name)
	start := time.Now()
	done, err := u.s.keepUp(ctx, name, sweepAfter)
	log := u.s.log.With(zap.String("app", name), zap.Duration("took", time.Since(start)))
	if done != (repo.Upkept{}) {
		u.s.upkept.add(done)
		log.Info("repository tidied", zap.Int("packs_joined", done.Packs), zap.Int("loose_packed", done.Loose),
			zap.Int("refs_packed", done.Refs), zap.Int("objects_swept", done.Swept.Objects), zap.Int64("bytes", done.Bytes+done.Swept.Bytes))
	}
	switch {
	case err == nil, ctx.Err() != nil, !u.s.RepositoryExists(name):
	case errors.Is(err, repo.ErrBusy), errors.Is(err, repo.ErrFormat):
		log.Debug("repository not tidied", zap.Error(err))
	default:
		u.failed[name] = time.Now()
		u.s.upkept.fail()
		log.Warn("repository not tidied", zap.Error(err))
	}
}

// keepUp opens a repository and does what it needs.
func (s *Server) keepUp(ctx context.Context, name string, sweepAfter time.Duration) (done repo.Upkept, err error) {
	r, err := repo.Open(s.dir(name), s.cfg.Repo)
	if err != nil {
		return done, fmt.Errorf("tidy %s: %w", name, err)
	}
	done, err = r.Upkeep(ctx, repo.UpkeepOptions{SweepAfter: sweepAfter, Rate: s.cfg.UpkeepRate})
	if err = errors.Join(err, r.Close()); err != nil {
		return done, fmt.Errorf("tidy %s: %w", name, err)
	}
	return done, nil
}

// A pushedSet holds the repositories that were pushed to since they were last
// looked after, in the order of the first such push.
type pushedSet struct {
	wake chan struct{} // holds a value if there is one to take

	mu    sync.Mutex
	names []string
	has   map[string]bool
}

func newPushedSet() *pushedSet {
	return &pushedSet{wake: make(chan struct{}, 1), has: make(map[string]bool)}
}

// add notes a push. It does not block.
func (p *pushedSet) add(name string) {
	p.mu.Lock()
	if !p.has[name] {
		p.has[name] = true
		p.names = append(p.names, name)
	}
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *pushedSet) take() (name string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.names) == 0 {
		return "", false
	}
	name, p.names = p.names[0], p.names[1:]
	delete(p.has, name)
	return name, true
}

// UpkeepStats is what RunUpkeep has done so far.
type UpkeepStats struct {
	Rounds  int64 // repositories that needed something
	Packs   int64 // packs that were joined
	Swept   int64 // objects that were removed
	Bytes   int64 // bytes that were written
	Failed  int64 // repositories where something went wrong
	Pending int64 // repositories that were pushed to and not looked at yet
}

// UpkeepStats says what RunUpkeep has done so far.
func (s *Server) UpkeepStats() UpkeepStats {
	s.upkept.mu.Lock()
	defer s.upkept.mu.Unlock()
	stats := s.upkept.stats
	s.pushed.mu.Lock()
	defer s.pushed.mu.Unlock()
	stats.Pending = int64(len(s.pushed.names))
	return stats
}

type upkeepCounter struct {
	mu    sync.Mutex
	stats UpkeepStats
}

func (c *upkeepCounter) add(done repo.Upkept) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Rounds++
	c.stats.Packs += int64(done.Packs)
	c.stats.Swept += int64(done.Swept.Objects)
	c.stats.Bytes += done.Bytes + done.Swept.Bytes
}

func (c *upkeepCounter) fail() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Failed++
}
