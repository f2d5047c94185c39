package wire

import (
	"encoding/json"
	"time"
)

// A Collaborator is somebody who may use an app: its owner, or one whom the
// owner let in.
type Collaborator struct {
	ID          string       `json:"id"`
	App         Ref          `json:"app"`
	CreatedAt   time.Time    `json:"created_at"`
	UpdatedAt   time.Time    `json:"updated_at"`
	Permissions []Permission `json:"permissions"`
	Role        string       `json:"role"` // "owner" or "collaborator"
	User        Person       `json:"user"`
}

// A Permission is a kind of thing that a collaborator may do.
type Permission struct {
	Name        string `json:"name"` // "deploy"
	Description string `json:"description"`
}

// A Person is a user inside an answer.
type Person struct {
	Email     string `json:"email"`
	Federated bool   `json:"federated"` // signs in elsewhere: nobody does
	ID        string `json:"id"`
}

// A CollaboratorCreate lets somebody use an app.
type CollaboratorCreate struct {
	User   string `json:"user"`             // an email or an ID
	Silent bool   `json:"silent,omitempty"` // Slipway sends no emails anyhow
}

// An Authorization is a token that signs its owner in.
type Authorization struct {
	ID           string      `json:"id"`
	AccessToken  AccessToken `json:"access_token"`
	Client       *struct{}   `json:"client"` // null: nobody else obtained it
	CreatedAt    time.Time   `json:"created_at"`
	Description  string      `json:"description"`
	Grant        *struct{}   `json:"grant"`
	RefreshToken *struct{}   `json:"refresh_token"`
	Scope        []string    `json:"scope"`
	Session      *struct{}   `json:"session"`
	UpdatedAt    time.Time   `json:"updated_at"`
	User         Authorizer  `json:"user"`
}

// An AccessToken is the token of an [Authorization].
type AccessToken struct {
	ID        string `json:"id"`
	Token     string `json:"token"`      // in the answer that makes it; later with its middle masked
	ExpiresIn *int64 `json:"expires_in"` // seconds from now; null for never
}

// An Authorizer is whom a token signs in.
type Authorizer struct {
	ID       string  `json:"id"`
	Email    string  `json:"email"`
	FullName *string `json:"full_name"`
}

// An AuthorizationCreate asks for a token, or, without the last two, for another
// description of one.
type AuthorizationCreate struct {
	Description *string     `json:"description,omitempty"`
	ExpiresIn   json.Number `json:"expires_in,omitempty"` // seconds; "" for never
	Scope       []string    `json:"scope,omitempty"`      // "global" is all that there is
	// Client is Heroku's, for other programs, which Slipway does not register.
	Client json.RawMessage `json:"client,omitempty"`
}

// A User is an account as administrators see it.
type User struct {
	ID        string    `json:"id"`
	Email     string    `json:"email"`
	Admin     bool      `json:"admin"`
	CreatedAt time.Time `json:"created_at"`
	Token     string    `json:"token,omitempty"` // in the answer that makes it only
}

// A UserCreate asks for an account.
type UserCreate struct {
	Email string `json:"email"`
	Admin bool   `json:"admin,omitempty"`
}

// A LoginCreate asks for a sign-in by browser, as Heroku's command line does.
type LoginCreate struct {
	Description string `json:"description"`
}

// A Login is a sign-in by browser that has begun.
type Login struct {
	BrowserURL string `json:"browser_url"` // a path of the page where the person signs in
	CLIURL     string `json:"cli_url"`     // a path that answers when they have
	Token      string `json:"token"`       // the Bearer token for CLIURL
}

// A LoginDone is how a sign-in by browser ended.
type LoginDone struct {
	AccessToken string `json:"access_token,omitempty"`
	Error       string `json:"error,omitempty"` // why there is no token
}
