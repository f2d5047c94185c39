package state

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// A Key is an SSH public key that may sign in.
type Key struct {
	Fingerprint string // "SHA256:…", as ssh-keygen -l prints it
	Public      string // one line of an authorized_keys file, without options
	Comment     string
	User        string // whom it signs in
	Created     time.Time
}

// HashToken is what is stored of a token.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
