package slugs

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
)

// Catalogue stands for the list of all repositories; no repository has this name.
const Catalogue = "_catalog"

// authorize signs the request in, and says what it is about to do.
func (r *Registry) authorize(req *http.Request) (Action, error) {
	action := Push
	if req.Method == http.MethodGet || req.Method == http.MethodHead {
		action = Pull
	}
	repository, err := repositoryOf(req.URL.Path)
	if err != nil {
		return action, err
	}
	token := tokenOf(req)
	if token == "" {
		return action, ErrUnauthorized
	}
	if g, ok := r.grants.find(token); ok {
		return action, g.allows(repository, action, mountSource(req))
	}
	if source := mountSource(req); source != "" && source != repository {
		if err := r.cfg.Authorize(req.Context(), token, source, Pull); err != nil {
			return action, err
		}
	}
	if err := r.cfg.Authorize(req.Context(), token, repository, action); err != nil || !touchesRelease(req) {
		return action, err
	}
	return action, r.cfg.Authorize(req.Context(), token, repository, Replace)
}

// releaseTag matches the tags that the server itself sets.
var releaseTag = regexp.MustCompile(`^(v[0-9]+|latest|build-.*)$`)

// touchesRelease tells whether a request would delete something, or set a tag
// that the server sets.
func touchesRelease(req *http.Request) bool {
	if req.Method == http.MethodDelete {
		return !strings.Contains(req.URL.Path, "/blobs/uploads/") // giving up an upload is fine
	}
	i := strings.LastIndex(req.URL.Path, "/manifests/")
	return req.Method == http.MethodPut && i >= 0 && releaseTag.MatchString(req.URL.Path[i+len("/manifests/"):])
}

// mountSource is the repository that a cross-repository blob mount reads, or "".
func mountSource(req *http.Request) string {
	if req.Method != http.MethodPost {
		return ""
	}
	return req.URL.Query().Get("from")
}

// repositoryOf takes the repository's name out of a distribution path
// (OCI distribution specification, "Endpoints"): /v2/NAME/manifests/REF,
// /v2/NAME/blobs/…, /v2/NAME/tags/list, /v2/NAME/referrers/DIGEST.
func repositoryOf(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "/v2")
	if !ok {
		return "", ErrForbidden
	}
	rest = strings.Trim(rest, "/")
	if rest == "" || rest == Catalogue {
		return rest, nil
	}
	for _, mark := range []string{"/manifests/", "/blobs/", "/tags/", "/referrers/"} {
		if i := strings.LastIndex(rest, mark); i > 0 {
			return rest[:i], nil
		}
	}
	return "", ErrForbidden
}

// tokenOf reads the token out of the Authorization header.
func tokenOf(req *http.Request) string {
	if _, password, ok := req.BasicAuth(); ok {
		return password
	}
	kind, token, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	if strings.EqualFold(kind, "Bearer") {
		return token
	}
	return ""
}

// deny is the one place where an access error becomes a status and words
// (OCI distribution specification, "Error Codes").
func deny(w http.ResponseWriter, err error) {
	status, code := http.StatusForbidden, "DENIED"
	message := "this token may not do that: ask the owner of the app"
	if errors.Is(err, ErrUnauthorized) {
		status, code, message = http.StatusUnauthorized, "UNAUTHORIZED", ErrUnauthorized.Error()
		w.Header().Set("WWW-Authenticate", `Basic realm="Slipway"`)
	} else if errors.Is(err, ErrReleased) {
		message = ErrReleased.Error()
	} else if !errors.Is(err, ErrForbidden) {
		status, code, message = http.StatusInternalServerError, "UNKNOWN", "internal error"
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	w.WriteHeader(status)
	body := map[string]any{"errors": []map[string]string{{"code": code, "message": message}}}
	_ = json.NewEncoder(w).Encode(body) // the client is gone: nobody is left to tell
}
