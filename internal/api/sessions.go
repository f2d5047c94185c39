package api

import (
	"crypto/rand"
	"sync"
	"time"

	"slipway/internal/logs"
)

const (
	// sessionLife is how long a log session may wait for its reader.
	sessionLife = 5 * time.Minute
	// maxSessions is how many log sessions may wait.
	maxSessions = 1000
)

// A session is a look at an app's log that somebody with a token may take once.
type session struct {
	app     string
	options logs.Options
	expires time.Time
}

type sessions struct {
	mu   sync.Mutex
	open map[string]session // by token
}

func newSessions() *sessions { return &sessions{open: map[string]session{}} }

// add keeps a session and returns its token. Where too many wait, the oldest
// goes.
func (s *sessions) add(app string, o logs.Options, now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	oldest := ""
	for token, open := range s.open {
		if now.After(open.expires) {
			delete(s.open, token)
		} else if oldest == "" || open.expires.Before(s.open[oldest].expires) {
			oldest = token
		}
	}
	if len(s.open) >= maxSessions {
		delete(s.open, oldest)
	}
	token := rand.Text()
	s.open[token] = session{app: app, options: o, expires: now.Add(sessionLife)}
	return token
}

// take returns a session and forgets it.
func (s *sessions) take(app, token string, now time.Time) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.open[token]
	if !ok || found.app != app {
		return session{}, false
	}
	delete(s.open, token)
	return found, !now.After(found.expires)
}
