package state

import "time"

// A Collaborator may use an app that is somebody else's.
type Collaborator struct {
	ID      string
	App     string // the app's name
	User    string
	Created time.Time
}

// MaxCollaborators is the most collaborators of an app.
const MaxCollaborators = 100
