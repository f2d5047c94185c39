package wire

import (
	"cmp"
	"encoding/json"
	"time"
)

// Size is the one size that dynos have.
const Size = "Standard"

// ReleaseType is the process type that runs once before each release, and is
// never scaled.
const ReleaseType = "release"

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
	AttachURL *string   `json:"attach_url"` // rendezvous://HOST:PORT/SECRET, or of a WebSocket; see [Channel]
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"` // when it came into its state
}

// WebSocket is the way to attach to a dyno that Heroku has not; see [Channel].
const WebSocket = "websocket"

// Env is a dyno's environment. Heroku's client sends the size of its terminal as
// numbers, which count as their digits.
type Env map[string]string

// UnmarshalJSON implements [json.Unmarshaler].
func (e *Env) UnmarshalJSON(raw []byte) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(raw, &values); err != nil {
		return err
	}
	*e = make(Env, len(values))
	for name, value := range values {
		text := ""
		if err := json.Unmarshal(value, &text); err != nil {
			var number json.Number
			if err := json.Unmarshal(value, &number); err != nil {
				return err
			}
			text = number.String()
		}
		(*e)[name] = text
	}
	return nil
}

// A DynoCreate asks for a one-off dyno.
type DynoCreate struct {
	Command  string `json:"command"`
	Attach   *bool  `json:"attach,omitempty"`    // false for detached
	AttachBy string `json:"attach_by,omitempty"` // WebSocket; as Heroku does if empty
	Env      Env    `json:"env,omitempty"`       // COLUMNS and LINES are the terminal's size
	NoTTY    *bool  `json:"force_no_tty,omitempty"`
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
	DynoSize  Ref       `json:"dyno_size"` // Size, with its ID
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
	// Size and DynoSize can name the one size that there is, and no other.
	Size     SizeName `json:"size,omitempty"`
	DynoSize SizeName `json:"dyno_size,omitempty"`
	// DockerImage is Heroku's, which Slipway has not.
	DockerImage json.RawMessage `json:"docker_image,omitempty"`
}

// A SizeName is a size of dynos by name or ID: "Standard", {"name": "Standard"}
// or {"id": "…"} in JSON.
type SizeName string

// UnmarshalJSON reads each of the forms.
func (s *SizeName) UnmarshalJSON(raw []byte) error {
	var name string
	if err := json.Unmarshal(raw, &name); err == nil {
		*s = SizeName(name)
		return nil
	}
	var ref Ref
	err := json.Unmarshal(raw, &ref)
	*s = SizeName(cmp.Or(ref.Name, ref.ID))
	return err
}
