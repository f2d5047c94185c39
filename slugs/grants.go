package slugs

import (
	"crypto/rand"
	"strings"
	"sync"
	"time"
)

// SystemPrefix starts the names of the repositories that hold the builder's own
// images. Every build may read them; nobody writes them over HTTP but an
// administrator.
const SystemPrefix = "slipway/"

// grantLife bounds a grant that its owner forgot to revoke.
const grantLife = 24 * time.Hour

// A grant lets one build write its own app's repository and read the system's.
type grant struct {
	repository string
	expires    time.Time
}

// grants are the tokens of the builds that run now. They live in memory only: a
// restart ends the builds and with them their tokens.
type grants struct {
	mu     sync.Mutex
	tokens map[string]grant
}

// Grant makes a token that can read and write repository, and read the
// builder's images, until revoke is called or a day has passed.
func (r *Registry) Grant(repository string) (token string, revoke func()) {
	token = "build-" + rand.Text()
	r.grants.mu.Lock()
	defer r.grants.mu.Unlock()
	r.grants.tokens[token] = grant{repository: repository, expires: time.Now().Add(grantLife)}
	return token, func() {
		r.grants.mu.Lock()
		defer r.grants.mu.Unlock()
		delete(r.grants.tokens, token)
	}
}

func (g *grants) find(token string) (grant, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	found, ok := g.tokens[token]
	if ok && time.Now().After(found.expires) {
		delete(g.tokens, token)
		return grant{}, false
	}
	return found, ok
}

func (g grant) allows(repository string, action Action, mountFrom string) error {
	if mountFrom != "" && mountFrom != g.repository && !strings.HasPrefix(mountFrom, SystemPrefix) {
		return ErrForbidden
	}
	switch {
	case repository == g.repository:
		return nil
	case action == Pull && (repository == "" || strings.HasPrefix(repository, SystemPrefix)):
		return nil
	}
	return ErrForbidden
}
