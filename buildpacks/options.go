package buildpacks

// Options are what Detect knows beside the tree. The zero value answers as
// Heroku would for a first push.
type Options struct {
	// Python lists the full versions that the builder has, in any order. With
	// none, versions resolve to the newest that Heroku knows, and none is
	// called unavailable.
	Python []string
	// CachedPython is the full version of the app's last build. An app that
	// asks for none keeps its major version.
	CachedPython string
	// Builder names the builder in texts; "the builder" if empty.
	Builder string
}
