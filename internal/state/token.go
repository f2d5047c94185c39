package state

import (
	"crypto/rand"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Token signs an account in. What it is itself is known to its owner only.
type Token struct {
	ID          string
	User        string // whom it signs in
	Description string
	Hash        string // as [HashToken] makes it
	Hint        string // the token with its middle masked, by which its owner knows it
	Created     time.Time
	Expires     time.Time // zero: never
}

const (
	// MaxTokens is the most tokens of a user.
	MaxTokens = 100
	// maxDescription is the most bytes of a token's description.
	maxDescription = 200
)

// NewToken makes a token that nobody can guess, and its hint, which leaves more
// than 80 bits of it unsaid.
func NewToken() (token, hint string) {
	text := rand.Text()
	return TokenPrefix + text, TokenPrefix + text[:4] + "**********" + text[len(text)-4:]
}

// TokenPrefix is how tokens begin, so that they are found where they should not be.
const TokenPrefix = "slipway-"

// Expired says that a token signs nobody in any more.
func (t Token) Expired(now time.Time) bool { return !t.Expires.IsZero() && !now.Before(t.Expires) }

// CheckToken returns nil for a token that can be kept, else [ErrInvalid].
func CheckToken(t Token) error {
	if len(t.Description) > maxDescription {
		return Invalid("the description has %d bytes, want at most %d: make it shorter", len(t.Description), maxDescription)
	}
	if !utf8.ValidString(t.Description) || strings.ContainsFunc(t.Description, unicode.IsControl) {
		return Invalid("the description has a character that cannot be shown: write letters, digits and signs")
	}
	return nil
}
