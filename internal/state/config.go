package state

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxConfig is the most bytes of an app's config vars, names and values.
	MaxConfig = 32 << 10
	// maxConfigName is the most bytes of a config var's name.
	maxConfigName = 128
)

// CheckConfig returns nil for config vars that a release may have, else
// [ErrInvalid] with words that hold names and no values.
func CheckConfig(config map[string]string) error {
	total := 0
	for name, value := range config {
		total += len(name) + len(value)
		if err := checkConfigVar(name, value); err != nil {
			return err
		}
	}
	if total > MaxConfig {
		return Invalid("the config vars have %d bytes together, want at most %d: make them shorter, or remove some", total, MaxConfig)
	}
	return nil
}

func checkConfigVar(name, value string) error {
	switch {
	case name == "":
		return Invalid("a config var needs a name")
	case len(name) > maxConfigName:
		return Invalid("the config var %.20q… has a name of %d bytes, want at most %d", name, len(name), maxConfigName)
	case name == "PORT":
		return Invalid("the config var PORT is set for each dyno: choose another name")
	case !utf8.ValidString(name), strings.ContainsFunc(name, func(r rune) bool {
		return r == '=' || unicode.IsControl(r) || unicode.IsSpace(r)
	}):
		return Invalid("the config var %q has a name with \"=\", a space or a control character: choose another", name)
	case !utf8.ValidString(value), strings.Contains(value, "\x00"):
		return Invalid("the config var %q has a value with bytes that are no text: encode it, in Base64 say", name)
	}
	return nil
}
