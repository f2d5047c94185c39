package state

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"time"
)

// An App has a name, a repository of the same name, and releases.
type App struct {
	ID      string // never changes, also when the app is renamed
	Name    string
	Owner   string // who made it; dyno hours are charged to them
	Created time.Time
	// Idle is how long the web dynos may be without a request before they
	// sleep: 0 for the server's setting, less than 0 for never.
	Idle time.Duration
	// Asleep says that the web dynos sleep until the next request.
	Asleep bool
	// Maintenance says that requests get a page that says so, and no dyno.
	Maintenance bool
	Updated     time.Time // when it, or something of it, was changed last
	Released    time.Time // when the newest release was made; zero before the first
}

var appName = regexp.MustCompile(`^[a-z][a-z0-9-]{1,28}[a-z0-9]$`)

// reserved names would shadow the server's own addresses.
var reserved = []string{"account", "api", "apps", "git", "healthz", "metrics", "readyz", "slipway", "www"}

// CheckName returns nil for a name that an app may have, else
// [ErrInvalidName] or [ErrReservedName].
func CheckName(name string) error {
	if slices.Contains(reserved, name) {
		return fmt.Errorf("app name %q: %w", name, ErrReservedName)
	}
	if !appName.MatchString(name) {
		return fmt.Errorf("app name %.40q: %w", name, ErrInvalidName)
	}
	return nil
}

var (
	adjectives = []string{
		"amber", "ancient", "autumn", "bitter", "bold", "brisk", "calm", "cold", "dark", "dawn", "deep", "dry",
		"fierce", "frosty", "gentle", "golden", "hidden", "icy", "late", "lively", "lucky", "mighty", "misty",
		"morning", "noble", "old", "polar", "proud", "quiet", "rapid", "rough", "salty", "sharp", "shy", "silent",
		"small", "stormy", "summer", "tidal", "vast", "wandering", "warm", "wild", "winter", "young",
	}
	nouns = []string{
		"anchor", "atoll", "bay", "beacon", "boat", "breeze", "buoy", "canal", "cape", "channel", "cliff", "cloud",
		"cove", "crane", "current", "deck", "delta", "dock", "dune", "eyrie", "ferry", "fjord", "gull", "harbor",
		"hull", "inlet", "island", "jetty", "keel", "lagoon", "mast", "mist", "oar", "pier", "quay", "reef", "ripple",
		"river", "rudder", "sail", "shoal", "shore", "sound", "spray", "strait", "tide", "wave", "wharf",
	}
)

// RandomName makes a name as Heroku does: adjective-noun-12345.
func RandomName() (string, error) {
	pick := func(n int) (int64, error) {
		i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
		if err != nil {
			return 0, fmt.Errorf("make app name: %w", err)
		}
		return i.Int64(), nil
	}
	a, err := pick(len(adjectives))
	if err != nil {
		return "", err
	}
	n, err := pick(len(nouns))
	if err != nil {
		return "", err
	}
	number, err := pick(100_000)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s-%s-%05d", adjectives[a], nouns[n], number), nil
}
