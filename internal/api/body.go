package api

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
)

// maxBody bounds a request's body, in bytes.
const maxBody = 1 << 20

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "private, no-store")
	w.WriteHeader(status)
	if body != nil {
		_ = json.NewEncoder(w).Encode(body) // the client is gone: nobody is left to tell
	}
}

// read decodes a request's body. Its errors hold nothing of it, since it may be
// secret.
func read(r *http.Request, into any) error {
	if r.ContentLength == 0 {
		return nil // who sends nothing says nothing of it
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		// A browser's form must not act with the credentials that the browser keeps.
		return invalid("the request's body must be application/json")
	}
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
			return invalid("the request's body is longer than %d bytes: send less", maxBody)
		}
		return invalid("the request's body is not the JSON object that this address takes")
	}
	if dec.More() {
		return invalid("the request's body goes on after its JSON object")
	}
	return nil
}
