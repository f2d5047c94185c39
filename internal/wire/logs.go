package wire

import "time"

// A LogSessionCreate asks for a look at an app's log.
type LogSessionCreate struct {
	Lines  *int   `json:"lines,omitempty"`  // past lines; 100 if nil, 1500 at most
	Source string `json:"source,omitempty"` // "app" or "slipway"; any if empty
	Dyno   string `json:"dyno,omitempty"`   // "web.1", or "web" for all of its dynos
	Tail   bool   `json:"tail,omitempty"`   // go on with new lines as they come
	// DynoName and Type are Heroku's newer names for what is in Dyno.
	DynoName string `json:"dyno_name,omitempty"`
	Type     string `json:"type,omitempty"`
}

// A LogSession is where the lines are to be had, once, without a sign-in.
type LogSession struct {
	ID        string    `json:"id"`
	URL       string    `json:"logplex_url"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// A Drain is an address to which an app's log lines are sent.
type Drain struct {
	ID        string    `json:"id"`
	App       Ref       `json:"app"`
	Addon     *Ref      `json:"addon"` // Heroku's, and always null
	URL       string    `json:"url"`
	Token     string    `json:"token"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// A DrainCreate asks for a drain to be added.
type DrainCreate struct {
	URL string `json:"url"`
}
