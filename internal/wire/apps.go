package wire

import "time"

// An App is an app as the API shows it.
type App struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	GitURL    string    `json:"git_url"`
	WebURL    string    `json:"web_url"`
	Owner     Account   `json:"owner"`
	CreatedAt time.Time `json:"created_at"`
	// IdleTimeout is after how long without a request the web dynos sleep:
	// "30m", "never", or "default" for the server's setting.
	IdleTimeout string `json:"idle_timeout"`
}

// An AppCreate asks for a new app; a random name is made if Name is empty.
type AppCreate struct {
	Name string `json:"name,omitempty"`
}

// An AppUpdate changes an app; what is nil stays.
type AppUpdate struct {
	IdleTimeout *string `json:"idle_timeout,omitempty"`
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
