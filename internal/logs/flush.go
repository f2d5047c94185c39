package logs

import (
	"time"

	"go.uber.org/zap"
)

// run writes what was appended to the disk, until Close.
func (s *Store) run() {
	sweep := time.NewTicker(idleAfter)
	defer sweep.Stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-s.stop:
			return // Close flushes
		case <-sweep.C:
			s.sweep()
			continue
		case <-s.wake:
		}
		s.flush()
		// The first line goes out at once, those behind it go together.
		pause.Reset(flushEvery)
		select {
		case <-pause.C:
		case <-s.urgent:
		case <-s.stop:
		}
	}
}

// markDirty has a stream flushed soon.
func (s *Store) markDirty(st *stream) {
	s.dirtyMu.Lock()
	s.dirty = append(s.dirty, st)
	s.dirtyMu.Unlock()
	poke(s.wake)
}

func (s *Store) flush() {
	s.dirtyMu.Lock()
	dirty := s.dirty
	s.dirty = nil
	s.dirtyMu.Unlock()
	for _, st := range dirty {
		if err := st.flush(); err != nil {
			s.warn(st.app, err)
		}
	}
}

// warn logs that lines were lost, but not for each batch of a full disk.
func (s *Store) warn(app string, err error) {
	now := time.Now().Unix()
	if last := s.warned.Load(); now-last >= 60 && s.warned.CompareAndSwap(last, now) {
		s.log.Warn("lines of an app's log lost", zap.String("app", app), zap.Error(err))
	}
}

// sweep closes the files of idle apps, and forgets the apps.
func (s *Store) sweep() {
	for _, st := range s.all() {
		if err := st.rest(); err != nil {
			s.warn(st.app, err)
		}
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
