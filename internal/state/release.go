package state

import (
	"fmt"
	"time"
)

// A Release is a slug with config vars and process types. It never changes once
// recorded.
type Release struct {
	App       string // the app's name
	Version   int    // 1, 2, …
	Slug      string // the image's manifest digest, "sha256:…"; "" before the first push
	Size      int64  // bytes of the slug, compressed
	Commit    string // hex
	Ref       string // the reference that was pushed
	OldCommit string // what Ref held before the push; zeros if it was made by it
	Processes []Process
	// Config are the config vars, which are secrets.
	Config map[string]string
	// Language and LanguageVersion are what detection decided: "python", "3.13.1".
	Language        string
	LanguageVersion string
	User            string // who
	Description     string
	Created         time.Time
}

// A Process is a process type and how it is started.
type Process struct {
	Type    string `json:"type"`
	Command string `json:"command"`
}

// Tag is the release's tag in the registry, "v7".
func (r Release) Tag() string { return fmt.Sprintf("v%d", r.Version) }
