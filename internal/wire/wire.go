package wire

import "time"

// Accept is the media type that clients of this version of the API ask for.
const Accept = "application/vnd.heroku+json; version=3"

// An App is an app as the API shows it.
type App struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	GitURL    string    `json:"git_url"`
	WebURL    string    `json:"web_url"`
	Owner     Account   `json:"owner"`
	CreatedAt time.Time `json:"created_at"`
}

// An Account is who did something.
type Account struct {
	Email string `json:"email"`
}

// An AppCreate asks for a new app; a random name is made if Name is empty.
type AppCreate struct {
	Name string `json:"name,omitempty"`
}

// A Release is a release as the API shows it.
type Release struct {
	Version     int               `json:"version"`
	Description string            `json:"description"`
	Status      string            `json:"status"` // "succeeded"
	Current     bool              `json:"current"`
	User        Account           `json:"user"`
	CreatedAt   time.Time         `json:"created_at"`
	Commit      string            `json:"commit"`
	Slug        Slug              `json:"slug"`
	Processes   map[string]string `json:"process_types"`
}

// A Slug is the image of a release.
type Slug struct {
	ID    string `json:"id"`    // the manifest's digest
	Image string `json:"image"` // where it can be pulled
	Size  int64  `json:"size"`  // bytes, compressed
}

// A Key is an SSH public key.
type Key struct {
	Fingerprint string    `json:"fingerprint"`
	PublicKey   string    `json:"public_key"`
	Comment     string    `json:"comment"`
	CreatedAt   time.Time `json:"created_at"`
}

// A KeyCreate asks for a key to be added.
type KeyCreate struct {
	PublicKey string `json:"public_key"`
}

// An Error is the body of every answer that is not a success.
type Error struct {
	ID      string `json:"id"` // "not_found", "invalid_params", …
	Message string `json:"message"`
}
