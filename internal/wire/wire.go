package wire

import "time"

// Accept is the media type that clients of this version of the API ask for.
const Accept = "application/vnd.heroku+json; version=3"

// A Ref names an app, a release or another thing inside an answer.
type Ref struct {
	ID      string `json:"id,omitempty"`
	Name    string `json:"name,omitempty"`
	Version int    `json:"version,omitempty"` // of a release
}

// An Account is who did something.
type Account struct {
	Email string `json:"email"`
}

// A Release is a release as the API shows it.
type Release struct {
	ID          string            `json:"id"`
	App         Ref               `json:"app"`
	Version     int               `json:"version"`
	Description string            `json:"description"`
	Status      string            `json:"status"` // "succeeded"
	Current     bool              `json:"current"`
	Eligible    bool              `json:"eligible_for_rollback"`
	User        Account           `json:"user"`
	CreatedAt   time.Time         `json:"created_at"`
	UpdatedAt   time.Time         `json:"updated_at"`
	Commit      string            `json:"commit"`
	Slug        *Slug             `json:"slug"` // null before the first push
	Processes   map[string]string `json:"process_types"`
}

// A Slug is the image of a release.
type Slug struct {
	ID    string `json:"id"`    // the manifest's digest
	Image string `json:"image"` // where it can be pulled
	Size  int64  `json:"size"`  // bytes, compressed
}

// A Rollback asks for a new release with the slug and the config vars of an old one.
type Rollback struct {
	Release string `json:"release"` // "v3", or the release's ID
	// Slug and Description are Heroku's, for a release of another slug, which
	// Slipway makes by git push only.
	Slug        string `json:"slug,omitempty"`
	Description string `json:"description,omitempty"`
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
