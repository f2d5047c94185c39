package wire

import "time"

// A Region is where apps run: there is one, that of the server.
type Region struct {
	ID             string    `json:"id"`
	Name           string    `json:"name"`
	Description    string    `json:"description"`
	Country        string    `json:"country"`
	Locale         string    `json:"locale"`
	PrivateCapable bool      `json:"private_capable"`
	Provider       Provider  `json:"provider"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// A Provider is whose machines a region has.
type Provider struct {
	Name   string `json:"name"`
	Region string `json:"region"`
}

// A Stack is what apps are built and run on: there is one, that of the builder.
type Stack struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Default   bool      `json:"default"`
	State     string    `json:"state"` // "public"
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// A DynoSize is what a dyno may use: there is one, which the server's settings make.
type DynoSize struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	Memory       float64   `json:"memory"`  // GiB; 0 if the server does not say
	Compute      int       `json:"compute"` // processors, rounded up; 0 if the server does not say
	Architecture string    `json:"architecture"`
	Dedicated    bool      `json:"dedicated"`
	Generation   Ref       `json:"generation"`
	Units        float64   `json:"precise_dyno_units"`
	PrivateOnly  bool      `json:"private_space_only"`
	Cost         *struct{} `json:"cost"` // null: nothing
}

// A Generation is a kind of platform: there is one.
type Generation struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// A BuildpackInstallation is a buildpack that an app was set to use, or that the
// newest build chose.
type BuildpackInstallation struct {
	Ordinal   int       `json:"ordinal"`
	Buildpack Buildpack `json:"buildpack"`
}

// BuildpackUpdates asks for other buildpacks of an app; with none, its files
// decide.
type BuildpackUpdates struct {
	Updates []BuildpackUpdate `json:"updates"`
}

// A BuildpackUpdate names one: an id, a folder of the app or an address.
type BuildpackUpdate struct {
	Buildpack string `json:"buildpack"`
}

// A Buildpack is what makes a slug of an app in one language.
type Buildpack struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// A SlugInfo is a slug by itself.
type SlugInfo struct {
	Slug
	Blob              Blob              `json:"blob"`
	Checksum          string            `json:"checksum"`
	Commit            *string           `json:"commit"`
	CommitDescription *string           `json:"commit_description"` // always null
	Language          *string           `json:"buildpack_provided_description"`
	Processes         map[string]string `json:"process_types"`
	Stack             Ref               `json:"stack"`
	CreatedAt         time.Time         `json:"created_at"`
	UpdatedAt         time.Time         `json:"updated_at"`
}

// A Blob is where a slug is to be had: its image's manifest.
type Blob struct {
	Method string `json:"method"`
	URL    string `json:"url"`
}
