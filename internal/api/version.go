package api

import (
	"mime"
	"net/http"
	"strings"
)

// mediaType is what clients of Heroku's API ask for, with the version that they
// were written for.
const mediaType = "application/vnd.heroku+json"

// withVersion refuses clients of other versions of the API. Who names none gets
// version 3, and so does who asks for one of its variants, 3.sdk say: they add
// properties that Slipway leaves out.
func (a *api) withVersion(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Refusals too can be read by who asks for JSON alone.
		w.Header().Add("Vary", "Accept, Authorization, Range")
		if other := otherVersion(r.Header.Values("Accept")); other != "" {
			a.fail(w, r, &wordsError{
				text: "this server has version 3 of the API, and not " + other + `: ask for "` + mediaType + `; version=3"`, kind: errNotAcceptable,
			})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// otherVersion names the version of the API that a client wants, if it would not
// take version 3 nor anything else.
func otherVersion(accept []string) (other string) {
	for _, value := range accept {
		for one := range strings.SplitSeq(value, ",") {
			kind, parameters, err := mime.ParseMediaType(one)
			if err != nil || kind != mediaType {
				return ""
			}
			version, named := parameters["version"]
			if major, _, _ := strings.Cut(version, "."); !named || major == "3" {
				return ""
			}
			other = strings.ToValidUTF8(version[:min(len(version), 20)], "?")
		}
	}
	return other
}
