package wire

import "time"

// An App is an app as the API shows it.
type App struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	GitURL     string     `json:"git_url"`
	WebURL     string     `json:"web_url"`
	Owner      Account    `json:"owner"`
	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at"`
	ReleasedAt *time.Time `json:"released_at"` // null before the first release
	// IdleTimeout is after how long without a request the web dynos sleep:
	// "30m", "never", or "default" for the server's setting.
	IdleTimeout string `json:"idle_timeout"`
	Maintenance bool   `json:"maintenance"`
	// ACM says that certificates for the app's host names come by themselves.
	ACM bool `json:"acm"`
	// The sizes are in bytes. They are null in lists, where they would cost a look
	// at each app's repository.
	RepoSize *int64 `json:"repo_size"`
	SlugSize *int64 `json:"slug_size"`
	// Language is what the newest release's slug is written in; null in lists too.
	Language *string `json:"buildpack_provided_description"`

	Region     Ref    `json:"region"`
	Stack      Ref    `json:"stack"`
	BuildStack Ref    `json:"build_stack"`
	Generation Ref    `json:"generation"`
	Status     string `json:"create_status"` // always "complete"

	// What follows is Heroku's, and always null.
	ArchivedAt      *time.Time `json:"archived_at"`
	InternalRouting *bool      `json:"internal_routing"`
	Organization    *struct{}  `json:"organization"`
	Space           *struct{}  `json:"space"`
	Team            *struct{}  `json:"team"`
}

// An AppCreate asks for a new app; a random name is made if Name is empty.
type AppCreate struct {
	Name string `json:"name,omitempty"`
	// Region and Stack can name what there is, and nothing else.
	Region string `json:"region,omitempty"`
	Stack  string `json:"stack,omitempty"`
	// What follows is Heroku's. It is taken if it asks for nothing.
	FeatureFlags    any `json:"feature_flags,omitempty"`
	InternalRouting any `json:"internal_routing,omitempty"`
	Kernel          any `json:"kernel,omitempty"`
	Locked          any `json:"locked,omitempty"`
	Organization    any `json:"organization,omitempty"`
	Personal        any `json:"personal,omitempty"`
	Space           any `json:"space,omitempty"`
	Team            any `json:"team,omitempty"`
}

// An AppUpdate changes an app; what is nil stays.
type AppUpdate struct {
	IdleTimeout *string `json:"idle_timeout,omitempty"`
	Maintenance *bool   `json:"maintenance,omitempty"`
	// Name and BuildStack can be what they are, and nothing else.
	Name       *string `json:"name,omitempty"`
	BuildStack *string `json:"build_stack,omitempty"`
}

// A Quota is how many dyno hours an account may use a month, in seconds.
type Quota struct {
	Quota int64 `json:"quota"` // 0 for no quota
	Used  int64 `json:"used"`  // this month, by all apps of the app's owner
	App   int64 `json:"app"`   // this month, by this app
}

// An Audit says that something was changed.
type Audit struct {
	ID        int64     `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	Actor     Actor     `json:"actor"`
	App       string    `json:"app"`
	Action    string    `json:"action"` // "release.create"
	Details   string    `json:"details"`
}

// An Actor is who changed something, and from where.
type Actor struct {
	Email string `json:"email"`
	From  string `json:"from"` // an IP address; "" for the server itself
}
