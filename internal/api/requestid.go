package api

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"github.com/google/uuid"
)

// requestIDHeader names a request, in the answer and in the server's log.
const requestIDHeader = "Request-Id"

// givenID is a client's own name for its request: what is safe in a header and
// in a log. Anything else is left out.
var givenID = regexp.MustCompile(`^[A-Za-z0-9._+/=-]{1,128}$`)

// maxGivenIDs is how many names of clients come back.
const maxGivenIDs = 8

// withRequestID names each request anew, and adds the names that its client and
// the proxies on the way gave it.
func withRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all := []string{uuid.NewString()}
		for _, header := range []string{requestIDHeader, "X-Request-Id"} {
			for _, value := range r.Header.Values(header) {
				for id := range strings.SplitSeq(value, ",") {
					if id = strings.TrimSpace(id); givenID.MatchString(id) && len(all) <= maxGivenIDs {
						all = append(all, id)
					}
				}
			}
		}
		w.Header().Set(requestIDHeader, strings.Join(all, ","))
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, all[0])))
	})
}

type requestIDKey struct{}

// requestID is the server's own name for a request.
func requestID(r *http.Request) string {
	id, _ := r.Context().Value(requestIDKey{}).(string)
	return id
}
