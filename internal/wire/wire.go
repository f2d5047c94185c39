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
	ID    string `json:"id"`
	Email string `json:"email"`
}

// A Release is a release as the API shows it.
type Release struct {
	ID          string    `json:"id"`
	App         Ref       `json:"app"`
	Version     int       `json:"version"`
	Description string    `json:"description"`
	Status      string    `json:"status"` // "succeeded"
	Current     bool      `json:"current"`
	Eligible    bool      `json:"eligible_for_rollback"`
	User        Account   `json:"user"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
	Commit      string    `json:"commit"`
	Slug        *Slug     `json:"slug"` // null before the first push
	// Artifacts are the slug once more, as clients of other kinds of apps want it.
	Artifacts  []Artifact `json:"artifacts"`
	AddonPlans []string   `json:"addon_plan_names"` // Heroku's, and always empty
	// OutputStreamURL is where the output of the release's command is to be had;
	// null if it has none.
	OutputStreamURL *string           `json:"output_stream_url"`
	Processes       map[string]string `json:"process_types"`
}

// A Slug is the image of a release, inside the release.
type Slug struct {
	ID     string `json:"id"`
	Digest string `json:"digest"` // the image manifest's
	Image  string `json:"image"`  // where it can be pulled
	Size   int64  `json:"size"`   // bytes, compressed
}

// An Artifact is what a release runs.
type Artifact struct {
	ID   string `json:"id"`
	Type string `json:"type"` // "slug"
}

// A ReleaseCreate asks for a new release: with the slug and the config vars of
// an old one, or with an old slug and the config vars as they are.
type ReleaseCreate struct {
	Release     string `json:"release,omitempty"`     // "v3", or the release's ID: all is as it was then
	Slug        string `json:"slug,omitempty"`        // a slug's ID, if Release is empty
	Description string `json:"description,omitempty"` // of one with Slug
	OCIImage    any    `json:"oci_image,omitempty"`   // Heroku's, which Slipway has not
}

// A Key is an SSH public key.
type Key struct {
	ID          string    `json:"id"`
	Fingerprint string    `json:"fingerprint"`
	PublicKey   string    `json:"public_key"` // with its comment
	Comment     string    `json:"comment"`
	Email       string    `json:"email"` // whom it signs in
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// A KeyCreate asks for a key to be added.
type KeyCreate struct {
	PublicKey string `json:"public_key"`
}

// An Error is the body of every answer that is not a success.
type Error struct {
	ID      string `json:"id"` // "not_found", "invalid_params", …
	Message string `json:"message"`
	// Resource is the kind of thing that was not found, "authorization" say, where
	// Heroku's clients want to know.
	Resource string `json:"resource,omitempty"`
}

// A RateLimit is how many requests a user may make now.
type RateLimit struct {
	Remaining int `json:"remaining"`
}
