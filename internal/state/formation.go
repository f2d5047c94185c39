package state

import "regexp"

// A Formation is how many dynos of one process type are wanted.
type Formation struct {
	App      string // the app's name
	Type     string // of a process: "web"
	Quantity int
}

// MaxQuantity is the most dynos of one process type.
const MaxQuantity = 100

// maxTypes bounds the process types of an app.
const maxTypes = 50

var processType = regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}$`)

// CheckFormation returns nil for quantities that an app may have, else
// [ErrInvalid].
func CheckFormation(formation []Formation) error {
	if len(formation) > maxTypes {
		return Invalid("%d process types, want at most %d", len(formation), maxTypes)
	}
	for _, f := range formation {
		if !processType.MatchString(f.Type) {
			return Invalid("process type %.80q, want letters, digits, - and _", f.Type)
		}
		if f.Quantity < 0 || f.Quantity > MaxQuantity {
			return Invalid("%d dynos of %s, want 0 to %d", f.Quantity, f.Type, MaxQuantity)
		}
	}
	return nil
}
