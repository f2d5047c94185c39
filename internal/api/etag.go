package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
)

// send writes an answer. Who has it already, by the tag that came with it, is
// told so instead.
func send(w http.ResponseWriter, r *http.Request, status int, body any) error {
	var raw bytes.Buffer
	if err := json.NewEncoder(&raw).Encode(body); err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Cache-Control", noStore)
		write(w, status, raw.Bytes())
		return nil
	}
	sum := sha256.Sum256(raw.Bytes())
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	header.Set("ETag", tag)
	// Caches of clients may keep it, and have to ask whether it is still so.
	header.Set("Cache-Control", "private, no-cache")
	if strings.HasSuffix(r.URL.Path, "/config-vars") {
		header.Set("Cache-Control", noStore) // secrets are not to lie about
	}
	if matches(r.Header.Values("If-None-Match"), tag) {
		header.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	write(w, status, raw.Bytes())
	return nil
}

const noStore = "private, no-store"

func write(w http.ResponseWriter, status int, raw []byte) {
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the client is gone: nobody is left to tell
}

// matches says whether a tag is among those that a client has (RFC 9110, section
// 13.1.2). Weak ones do, since the bytes count and not who encoded them.
func matches(have []string, tag string) bool {
	for _, value := range have {
		for one := range strings.SplitSeq(value, ",") {
			if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == tag {
				return true
			}
		}
	}
	return false
}
