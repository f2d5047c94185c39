package buildpacks

// LanguageEnv is the environment variable by which a builder's buildpacks are told
// Options.Language.
const LanguageEnv = "SLIPWAY_LANGUAGE"

// NoLanguage is the Options.Language of an app that is built by buildpacks of its
// own: it is what they make of it and its Procfile starts.
const NoLanguage = "procfile"

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
	// Language is one that somebody has chosen, by its buildpack say: if its files
	// are there, the app is that, whatever else it could be.
	Language string
	// Builder names the builder in texts; "the builder" if empty.
	Builder string
}
