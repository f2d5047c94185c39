package project

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/buildpacks/pack/pkg/project/types"
	v01 "github.com/buildpacks/pack/pkg/project/v01"
	v02 "github.com/buildpacks/pack/pkg/project/v02"
	v03 "github.com/buildpacks/pack/pkg/project/v03"
)

// schemas are the versions of the project descriptor, as pack reads them.
var schemas = map[string]func(string) (types.Descriptor, toml.MetaData, error){
	"0.1": v01.NewDescriptor, "0.2": v02.NewDescriptor, "0.3": v03.NewDescriptor,
}

const (
	maxBuildpacks = 50
	maxEnv        = 1000
	maxUnknown    = 10 // keys that a warning names
)

// parseDescriptor reads a project.toml.
func parseDescriptor(text string, warnings []string) (types.Descriptor, []string, error) {
	var versioned struct {
		Project struct {
			Version string `toml:"schema-version"`
		} `toml:"_"`
	}
	if _, err := toml.Decode(text, &versioned); err != nil {
		return types.Descriptor{}, nil, badTOML(err)
	}
	version := versioned.Project.Version
	if version == "" {
		version = "0.1" // what was there before there were versions
	}
	parse := schemas[version]
	if parse == nil {
		return types.Descriptor{}, nil, bad(descriptorName, lineOf(text, "schema-version"), "there is no schema version %.20q: write 0.2.", version)
	}
	d, meta, err := parse(text)
	if err != nil {
		return d, nil, badTOML(err)
	}
	if warning := unknownKeys(version, meta); warning != "" {
		warnings = append(warnings, warning)
	}
	return d, warnings, check(text, d)
}

// wrongType is how the parser says that a value does not fit its key: not by a
// type of its own.
var wrongType = regexp.MustCompile(`^line (\d+) \(last key ("[^"]*")\): (.*)$`)

// badTOML says what a parser did not like, and where.
func badTOML(err error) error {
	if at, is := errors.AsType[toml.ParseError](err); is {
		text := at.Message
		if at.LastKey != "" {
			text += fmt.Sprintf(" (behind %q)", at.LastKey)
		}
		return bad(descriptorName, at.Position.Line, "this is not TOML: %s.", text)
	}
	text, line := strings.TrimPrefix(err.Error(), "toml: "), 0
	if m := wrongType.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1]) // digits: 0 if there are too many
		text = m[2] + ": " + m[3]
	}
	return bad(descriptorName, line, "it cannot be read: %s.", text)
}

// unknownKeys warns of what does nothing. That is mostly a table of another
// version of the schema.
func unknownKeys(version string, meta toml.MetaData) string {
	var keys []string
	for _, key := range meta.Undecoded() {
		if name := key.String(); unknown(version, name) && !slices.Contains(keys, name) {
			keys = append(keys, name)
		}
	}
	if len(keys) == 0 {
		return ""
	}
	more := ""
	if n := len(keys) - maxUnknown; n > 0 {
		keys, more = keys[:maxUnknown], fmt.Sprintf(" and %d more", n)
	}
	advice := "Take them out, or see whether the names are right."
	if version == "0.1" {
		advice = "They are of a newer schema version: write, above them,\n[_]\nschema-version = \"0.2\""
	}
	return fmt.Sprintf("Warning: project.toml of schema version %s does nothing with %.500s%s.\n%s", version, strings.Join(keys, ", "), more, advice)
}

// unknown tells keys that look as if they were to be read here, from those of
// other programs (project descriptor specification, "Schema").
func unknown(version, key string) bool {
	if strings.HasPrefix(key, "io.buildpacks") || strings.HasPrefix(key, "build.") {
		return true
	}
	if version == "0.1" {
		return strings.HasPrefix(key, "project.")
	}
	return strings.HasPrefix(key, "_.") && !strings.HasPrefix(key, "_.metadata")
}

// check refuses what cannot be done.
func check(text string, d types.Descriptor) error {
	b := d.Build
	all := slices.Concat(b.Buildpacks, b.Pre.Buildpacks, b.Post.Buildpacks)
	switch {
	case b.Exclude != nil && b.Include != nil:
		return bad(descriptorName, lineOf(text, "exclude"), "it has both include and exclude: keep one of them.")
	case len(all) > maxBuildpacks:
		return bad(descriptorName, 0, "it names %d buildpacks, %d can be: take some out.", len(all), maxBuildpacks)
	case len(b.Env) > maxEnv:
		return bad(descriptorName, 0, "it sets %d variables, %d can be: take some out.", len(b.Env), maxEnv)
	}
	for i, bp := range all {
		switch {
		case bp.ID == "" && bp.URI == "":
			return bad(descriptorName, 0, "buildpack %d has neither an id nor a uri: write one of them.", i+1)
		case bp.URI != "" && bp.Version != "":
			return bad(descriptorName, lineOf(text, "version"), "buildpack %d has a uri and a version: leave the version out.", i+1)
		case bp.Script.Inline != "" && bp.Script.API == "":
			return bad(descriptorName, lineOf(text, "inline"), "the buildpack %.80q is spelled out without its api: write api = \"0.10\" beside inline.", bp.ID)
		}
	}
	return nil
}

// lineOf finds the first line that sets a key; 0 if there is none.
func lineOf(text, key string) int {
	n := 0
	for line := range strings.Lines(text) {
		n++
		name, _, found := strings.Cut(line, "=")
		if found && strings.Trim(name, " \t\"'") == key {
			return n
		}
	}
	return 0
}
