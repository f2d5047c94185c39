package wire

import "time"

// A Build is one run of the builder, as the API shows it.
type Build struct {
	ID              string     `json:"id"`
	App             ID         `json:"app"`
	Buildpacks      []struct{} `json:"buildpacks"` // Heroku's, and always empty
	CreatedAt       time.Time  `json:"created_at"`
	UpdatedAt       time.Time  `json:"updated_at"`
	OutputStreamURL string     `json:"output_stream_url"` // what it prints, for who has the address
	SourceBlob      SourceBlob `json:"source_blob"`
	Release         *ID        `json:"release"` // null if there is none
	ReleaseVersion  int        `json:"release_version"`
	Slug            *ID        `json:"slug"`   // null if there is none
	Stack           string     `json:"stack"`  // what it was built on
	Status          string     `json:"status"` // BuildPending, …
	User            BuildUser  `json:"user"`
}

// What the status of a build can be.
const (
	BuildPending   = "pending"
	BuildSucceeded = "succeeded"
	BuildFailed    = "failed"
)

// An ID names a thing inside an answer, where Heroku gives no more of it.
type ID struct {
	ID string `json:"id"`
}

// A BuildUser is who started a build.
type BuildUser struct {
	ID    string `json:"id"`
	Email string `json:"email"`
}

// A SourceBlob is the source code of a build: a gzipped tarball, or the app's
// repository.
type SourceBlob struct {
	Checksum           *string `json:"checksum"` // "SHA256:…"
	URL                string  `json:"url"`
	Version            *string `json:"version"` // a commit, or what the tarball's owner calls it
	VersionDescription *string `json:"version_description"`
}

// A BuildCreate asks for a tarball to be built and released.
type BuildCreate struct {
	SourceBlob SourceBlob `json:"source_blob"`
	// Buildpacks are used for this build instead of those that the app was set to
	// use.
	Buildpacks []BuildpackChoice `json:"buildpacks,omitempty"`
}

// A BuildpackChoice is a buildpack that a build is to use.
type BuildpackChoice struct {
	URL  string `json:"url,omitempty"`
	Name string `json:"name,omitempty"`
}

// A Source is where a tarball may be uploaded to, and read from by a build.
type Source struct {
	SourceBlob SourceAddresses `json:"source_blob"`
}

// SourceAddresses are secret, and expire.
type SourceAddresses struct {
	GetURL string `json:"get_url"`
	PutURL string `json:"put_url"`
}
