package state

import (
	"net/mail"
	"strings"
	"time"

	"github.com/google/uuid"
)

// AdminUser is who the token in the server's files signs in. That user is an
// administrator, and has no [Account]: nobody can take it away.
const AdminUser = "admin"

// An Account is somebody who may sign in. Its email is the user's name
// everywhere.
type Account struct {
	ID      string // as [UserID] makes it
	Email   string
	Admin   bool // may use all apps, and make and delete accounts
	Created time.Time
}

// UserID is the ID of a user, which follows from the name: users that have no
// account have one too, and nobody has to look it up.
func UserID(user string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("slipway user/"+user)).String()
}

// maxEmail is the most bytes of an address (RFC 5321, section 4.5.3.1.3).
const maxEmail = 254

// CheckEmail returns the form in which an account's email is kept (lower case),
// or [ErrInvalid].
func CheckEmail(email string) (string, error) {
	bad := func(why string) (string, error) {
		return "", Invalid("%.80q %s: give an email address such as ann@example.com", email, why)
	}
	if len(email) > maxEmail {
		return bad("is too long")
	}
	addr, err := mail.ParseAddress(email)
	if err != nil || addr.Address != email || addr.Name != "" {
		return bad("is no email address")
	}
	local, host, _ := strings.Cut(email, "@")
	if strings.ContainsFunc(local, odd) || strings.ContainsFunc(host, odd) {
		return bad("has a character that makes trouble in addresses and headers")
	}
	return strings.ToLower(email), nil
}

// odd says that a character has no place in a user's name: what it would do in a
// terminal, in a header or on a page is nobody's to find out.
func odd(r rune) bool {
	return r <= ' ' || r > '~' || strings.ContainsRune(`"'\<>()[],;:/&|`+"`", r)
}
