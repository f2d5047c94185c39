package api

import (
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

const (
	// meetingLife is how long a secret may wait for its client: as long as the
	// dyno does.
	meetingLife = time.Minute
	// maxMeetings is how many secrets may wait.
	maxMeetings = 1000
)

// A meeting is with a one-off dyno, for whoever has the secret, once.
type meeting struct {
	app, dyno string
	tty       bool // the dyno has a terminal
	shown     bool // the client's output is one
	expires   time.Time
}

// meetings has them by the hash of their secrets, so that how long it takes to
// find none tells nothing of those that there are.
type meetings struct {
	mu   sync.Mutex
	open map[[sha256.Size]byte]meeting
}

func newMeetings() *meetings { return &meetings{open: map[[sha256.Size]byte]meeting{}} }

// add keeps a meeting and returns its secret. Where too many wait, the oldest
// goes.
func (m *meetings) add(with meeting, now time.Time) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var oldest [sha256.Size]byte
	first := now.Add(meetingLife)
	for hash, open := range m.open {
		switch {
		case now.After(open.expires):
			delete(m.open, hash)
		case open.expires.Before(first):
			oldest, first = hash, open.expires
		}
	}
	if len(m.open) >= maxMeetings {
		delete(m.open, oldest)
	}
	secret := rand.Text()
	with.expires = now.Add(meetingLife)
	m.open[sha256.Sum256([]byte(secret))] = with
	return secret
}

// take returns a meeting and forgets it.
func (m *meetings) take(secret string, now time.Time) (meeting, bool) {
	hash := sha256.Sum256([]byte(secret))
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.open[hash]
	delete(m.open, hash)
	return found, ok && !now.After(found.expires)
}
