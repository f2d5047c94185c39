package wire

import "time"

// Size is the one size that dynos have.
const Size = "standard"

// A Dyno is one running process of a release.
type Dyno struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Type      string    `json:"type"`
	Command   string    `json:"command"`
	State     string    `json:"state"` // "created", "starting", "up", "idle", "crashed", "down"
	Size      string    `json:"size"`
	App       Ref       `json:"app"`
	Release   Ref       `json:"release"`
	AttachURL *string   `json:"attach_url"` // of a WebSocket; see [Channel]
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"` // when it came into its state
}

// A DynoCreate asks for a one-off dyno.
type DynoCreate struct {
	Command string            `json:"command"`
	Attach  *bool             `json:"attach,omitempty"` // false for detached
	Env     map[string]string `json:"env,omitempty"`    // COLUMNS and LINES are the terminal's size
	NoTTY   *bool             `json:"force_no_tty,omitempty"`
	// Size, Type and TimeToLive are Heroku's; they are taken and not used.
	Size       string `json:"size,omitempty"`
	Type       string `json:"type,omitempty"`
	TimeToLive *int   `json:"time_to_live,omitempty"`
}

// A Formation is how many dynos of a process type are wanted.
type Formation struct {
	ID        string    `json:"id"`
	App       Ref       `json:"app"`
	Type      string    `json:"type"`
	Command   string    `json:"command"`
	Quantity  int       `json:"quantity"`
	Size      string    `json:"size"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// A FormationBatch changes several process types at once.
type FormationBatch struct {
	Updates []FormationUpdate `json:"updates"`
}

// A FormationUpdate changes one process type; what is nil stays.
type FormationUpdate struct {
	Type     string    `json:"type,omitempty"`
	Quantity *Quantity `json:"quantity,omitempty"`
	// Size and DynoSize are Heroku's; they are taken and not used.
	Size     string `json:"size,omitempty"`
	DynoSize any    `json:"dyno_size,omitempty"`
}
