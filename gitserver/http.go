package gitserver

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"slipway/gitserver/pktline"
)

const (
	pathInfoRefs = "/info/refs"
	pathReceive  = "/" + serviceReceive
	pathUpload   = "/" + serviceUpload
)

// A route is what a path asks for.
type route struct {
	repo string // as the client wrote it
	path string // one of the paths above; "" for anything else below a repository
}

// routeOf takes a git client's path apart. Anything below a first element that
// ends in .git is git's, too.
func routeOf(path string) (route, bool) {
	for _, suffix := range []string{pathInfoRefs, pathReceive, pathUpload} {
		if name, ok := strings.CutSuffix(path, suffix); ok && name != "" {
			return route{repo: name, path: suffix}, true
		}
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return route{repo: first}, strings.HasSuffix(first, repoSuffix)
}

// MatchHTTP reports whether a request is one for [Server.HTTP]. Ask it before
// a [http.ServeMux], which would redirect odd paths instead of refusing them.
func (s *Server) MatchHTTP(r *http.Request) bool {
	_, ok := routeOf(r.URL.Path)
	return ok
}

// HTTP returns the handler of /NAME.git/... and /NAME/..., as git asks for them.
func (s *Server) HTTP() http.Handler { return http.HandlerFunc(s.serveHTTP) }

// An httpError is an answer in words with its status.
type httpError struct {
	status int
	text   string
}

func (e *httpError) Error() string { return e.text }

func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header())
	leave, err := s.requests.enter(r.RemoteAddr)
	if err != nil {
		s.answerError(w, r, s.newCall("", "", TransportHTTP, r.RemoteAddr), err)
		return
	}
	defer leave()
	c, service, err := s.openHTTP(r)
	if err == nil {
		if r.Method == http.MethodGet {
			err = s.infoRefs(w, r, c, service)
		} else {
			err = s.serveRPC(w, r, c, service)
		}
	}
	if err != nil {
		s.answerError(w, r, c, err)
	}
}

// openHTTP finds out what is asked for, who asks, and whether they may.
func (s *Server) openHTTP(r *http.Request) (*call, string, error) {
	c := s.newCall("", "", TransportHTTP, r.RemoteAddr)
	to, ok := routeOf(r.URL.Path)
	if !ok {
		return c, "", &httpError{http.StatusNotFound, "there is no git repository here; clone /NAME.git"}
	}
	user, err := s.userOf(r)
	if err != nil {
		return c, "", err
	}
	name, err := repositoryName(to.repo)
	if err != nil {
		return c, "", err
	}
	c = s.newCall(name, user, TransportHTTP, r.RemoteAddr)
	c.stateless, c.version = true, wireVersion(r.Header.Get("Git-Protocol"))
	service, err := serviceOf(r, to)
	if err != nil {
		return c, "", err
	}
	return c, service, s.admit(r.Context(), c, service)
}

// serviceOf checks method, query and content type.
func serviceOf(r *http.Request, to route) (string, error) {
	switch to.path {
	case pathInfoRefs:
		if r.Method != http.MethodGet {
			return "", &httpError{http.StatusMethodNotAllowed, "use GET"}
		}
		service := r.URL.Query().Get("service")
		if service == serviceReceive || service == serviceUpload {
			return service, nil
		}
		return "", &httpError{http.StatusForbidden, "the dumb HTTP protocol is not served here; use git 1.6.6 or newer"}
	case pathReceive, pathUpload:
		service := to.path[1:]
		if r.Method != http.MethodPost {
			return "", &httpError{http.StatusMethodNotAllowed, "use POST"}
		}
		if want := "application/x-" + service + "-request"; r.Header.Get("Content-Type") != want {
			return "", &httpError{http.StatusUnsupportedMediaType, "the content type must be " + want}
		}
		return service, nil
	}
	return "", &httpError{http.StatusForbidden, "this is a git repository; use git clone, fetch and push"}
}

// userOf signs a request in, by Bearer or Basic (any user name, the token as
// password).
func (s *Server) userOf(r *http.Request) (string, error) {
	token, err := tokenOf(r.Header.Get("Authorization"))
	if err != nil {
		return "", err
	}
	user, err := s.signInToken(r.Context(), r.RemoteAddr, token)
	if errors.Is(err, ErrUnauthorized) {
		return "", &httpError{
			http.StatusUnauthorized,
			"this token is unknown or no longer valid; sign in with a current one (any user name, the token as the password)",
		}
	}
	return user, err
}

func tokenOf(header string) (string, error) {
	missing := &httpError{http.StatusUnauthorized, "sign in: any user name, and your access token as the password"}
	scheme, value, _ := strings.Cut(header, " ")
	value = strings.TrimSpace(value)
	switch {
	case strings.EqualFold(scheme, "Bearer") && value != "":
		return value, nil
	case strings.EqualFold(scheme, "Basic"):
		plain, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return "", missing
		}
		_, token, _ := strings.Cut(string(plain), ":")
		if token == "" {
			return "", missing
		}
		return token, nil
	}
	return "", missing
}

func setHeaders(h http.Header) {
	h.Set("Expires", "Fri, 01 Jan 1980 00:00:00 GMT")
	h.Set("Pragma", "no-cache")
	h.Set("Cache-Control", "no-cache, max-age=0, must-revalidate")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Accel-Buffering", "no") // reverse proxies must pass progress on as it comes
}

// infoRefs answers what every conversation begins with.
func (s *Server) infoRefs(w http.ResponseWriter, r *http.Request, c *call, service string) error {
	d := newHTTPDoor(s, w, r)
	wire := newWire(http.NoBody, d)
	w.Header().Set("Content-Type", "application/x-"+service+"-advertisement")
	if c.version != 2 || service == serviceReceive {
		pkt := pktline.NewWriter(wire.out)
		_ = pkt.Line("# service=" + service + "\n") // Flush returns the first error
		if err := pkt.Flush(); err != nil {
			return err
		}
	}
	err := s.advertise(r.Context(), c, wire, service)
	if !d.begun {
		return err
	}
	if err != nil { // too late for a status
		c.log.Debug("advertisement interrupted", zap.Error(err))
	}
	return nil
}

// serveRPC serves the body of a POST.
func (s *Server) serveRPC(w http.ResponseWriter, r *http.Request, c *call, service string) error {
	d := newHTTPDoor(s, w, r)
	wire, err := d.open()
	if err != nil {
		return err
	}
	defer d.close()
	w.Header().Set("Content-Type", "application/x-"+service+"-result")
	if err := s.serveService(r.Context(), c, wire, service); err != nil {
		c.log.Debug("call ended with an error", zap.String("service", service), zap.Error(err))
	}
	return nil
}

// answerError turns errors into statuses and words: the only place over HTTP
// that does, before a service has begun to answer.
func (s *Server) answerError(w http.ResponseWriter, r *http.Request, c *call, err error) {
	status, text := s.httpStatus(r.Context(), c, err)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="git", charset="UTF-8"`)
	}
	if status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", strings.TrimPrefix(text, "use "))
	}
	if wait, ok := errors.AsType[*waitError](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(wait.seconds()))
	}
	newHTTPDoor(s, w, r).drain(r.Context())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") // there is nobody else to tell
}

func (s *Server) httpStatus(ctx context.Context, c *call, err error) (int, string) {
	var h *httpError
	var user *UserError
	var wait *waitError
	switch {
	case errors.As(err, &wait):
		return wait.status, wait.text
	case errors.As(err, &h):
		return h.status, h.text
	case errors.Is(err, ErrName):
		return http.StatusBadRequest, nameWords(err)
	case errors.Is(err, ErrNotFound):
		return http.StatusNotFound, s.words(ctx, c, err)
	case errors.Is(err, ErrForbidden), errors.As(err, &user):
		return http.StatusForbidden, s.words(ctx, c, err)
	}
	text, known := knownWords(ctx, c, err)
	if known {
		return http.StatusBadRequest, text
	}
	return http.StatusInternalServerError, s.words(ctx, c, err)
}
