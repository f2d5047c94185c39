package api

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"

	"slipway/internal/state"
	"slipway/internal/wire"
)

const (
	// loginLife is how long a command line waits for somebody to sign in.
	loginLife = 10 * time.Minute
	// maxLogins is how many command lines may wait, and maxLoginsFrom how many at
	// one address.
	maxLogins     = 1000
	maxLoginsFrom = 50
	// loginTokenLife is how long the tokens live that they get.
	loginTokenLife = 30 * 24 * time.Hour
	// maxForm bounds the form that signs in, in bytes.
	maxForm = 8 << 10
)

// A login is a command line that waits until somebody signs it in, in a browser.
type login struct {
	poll        string // the secret with which the command line asks
	description string
	from        string // where it is
	expires     time.Time
	done        chan struct{} // closed when somebody has signed in
	token       string        // what the command line then gets
}

// logins are those that wait, by what is in their page's address. Their methods
// may be called at once.
type logins struct {
	mu   sync.Mutex
	open map[string]*login
}

func (l *logins) add(one *login, now time.Time) (id string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		l.open = map[string]*login{}
	}
	neighbours := 0
	for id, old := range l.open {
		if now.After(old.expires) {
			delete(l.open, id)
		} else if old.from == one.from {
			neighbours++
		}
	}
	if len(l.open) >= maxLogins || neighbours >= maxLoginsFrom {
		return "", false
	}
	id = rand.Text()
	l.open[id] = one
	return id, true
}

func (l *logins) find(id string, now time.Time) (*login, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one, ok := l.open[id]
	return one, ok && now.Before(one.expires)
}

// finish gives a login its token, unless it has one already.
func (l *logins) finish(one *login, token string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one.token != "" {
		return false
	}
	one.token = token
	close(one.done)
	return true
}

// take ends a login and returns its token, once.
func (l *logins) take(id string) (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one, ok := l.open[id]
	if !ok || one.token == "" {
		return "", false
	}
	delete(l.open, id)
	return one.token, true
}

// beginLogin begins what "heroku login" does: its client opens one address in a
// browser, and waits at the other.
func (a *api) beginLogin(w http.ResponseWriter, r *http.Request) {
	var req wire.LoginCreate
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := read(r, &req); err != nil {
		a.fail(w, r, err)
		return
	}
	one := &login{
		poll: rand.Text(), description: shorten(req.Description), from: remoteHost(r),
		expires: stamp().Add(loginLife), done: make(chan struct{}),
	}
	id, ok := a.logins.add(one, stamp())
	if !ok {
		a.fail(w, r, &wordsError{text: "too many command lines wait to be signed in: try again in some minutes, or use heroku login -i", kind: errTooMany})
		return
	}
	writeJSON(w, http.StatusCreated, wire.Login{BrowserURL: "/auth/browser/" + id, CLIURL: "/auth/cli/" + id, Token: one.poll})
}

// shorten makes of a description what a page shows and a token may have.
func shorten(text string) string {
	const most = 50 // characters, of at most four bytes
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(strings.ToValidUTF8(text, "?")); len(runes) > most {
		text = string(runes[:most])
	}
	return text
}

// awaitLogin answers a command line once somebody has signed it in.
func (a *api) awaitLogin(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("login")
	one, ok := a.logins.find(id, stamp())
	if !ok || !same(one.poll, token(r)) {
		a.fail(w, r, &wordsError{text: "nobody waits to be signed in here: begin again with heroku login", kind: state.ErrNotFound})
		return
	}
	late := time.NewTimer(one.expires.Sub(stamp()))
	defer late.Stop()
	answer := wire.LoginDone{Error: "nobody signed in: try again"}
	select {
	case <-one.done:
		if token, ok := a.logins.take(id); ok {
			answer = wire.LoginDone{AccessToken: token}
		}
	case <-late.C:
	case <-a.Stopping:
		answer.Error = "the server stops: try again in a moment"
	case <-r.Context().Done():
	}
	writeJSON(w, http.StatusOK, answer)
}

// showLogin shows the page on which somebody signs a command line in.
func (a *api) showLogin(w http.ResponseWriter, r *http.Request) {
	one, ok := a.logins.find(r.PathValue("login"), stamp())
	if !ok {
		writePage(w, http.StatusNotFound, page{Gone: true})
		return
	}
	writePage(w, http.StatusOK, page{Description: one.description, From: one.from})
}

// finishLogin takes the form of that page.
func (a *api) finishLogin(w http.ResponseWriter, r *http.Request) {
	one, ok := a.logins.find(r.PathValue("login"), stamp())
	if !ok {
		writePage(w, http.StatusNotFound, page{Gone: true})
		return
	}
	by, err := a.signIn(withFormToken(r))
	if err != nil {
		writePage(w, http.StatusUnauthorized, page{Description: one.description, From: one.from, Wrong: true})
		return
	}
	token, hint := state.NewToken()
	made, err := a.Tokens.AddToken(r.Context(), by, state.Token{
		User: by.User, Description: one.description, Hash: state.HashToken(token), Hint: hint,
		Created: stamp(), Expires: stamp().Add(loginTokenLife),
	})
	if err != nil {
		status, body := a.explain(r, err)
		writePage(w, status, page{Description: one.description, From: one.from, Error: body.Message})
		return
	}
	if !a.logins.finish(one, token) { // somebody was faster
		_ = a.Tokens.DeleteToken(r.Context(), by, by.User, made.ID) // nobody knows it, and it expires
		writePage(w, http.StatusNotFound, page{Gone: true})
		return
	}
	writePage(w, http.StatusOK, page{User: a.email(by.User)})
}

// FormSignIn puts the token of the sign-in page's form where other requests have
// theirs, so that what limits sign-ins sees it.
func FormSignIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		next.ServeHTTP(w, withFormToken(r))
	})
}

// withFormToken signs a form in by its field "token", and by nothing else: no
// credentials that a browser keeps.
func withFormToken(r *http.Request) *http.Request {
	if err := r.ParseForm(); err != nil {
		r.PostForm = url.Values{}
	}
	signed := r.Clone(r.Context())
	signed.Header.Set("Authorization", "Bearer "+strings.TrimSpace(r.PostForm.Get("token")))
	return signed
}

func same(want, given string) bool {
	return subtle.ConstantTimeCompare([]byte(want), []byte(given)) == 1
}
