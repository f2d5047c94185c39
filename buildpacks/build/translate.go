package build

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"slipway/buildpacks"
)

// A dialect is how a family of Python buildpacks is told the version. Ours reads
// what Heroku's classic one did; others ignore runtime.txt, or fail on it.
type dialect struct {
	name  string
	ids   []string // of buildpacks in it; a prefix if it ends in a dot or dash
	file  bool     // it reads .python-version
	drops bool     // it fails on runtime.txt
	env   string   // the variable that it reads; "" for none
	other string   // a variable that would win over env
}

var dialects = []dialect{
	{name: "Heroku's Python buildpack", ids: []string{"heroku/python"}, file: true, drops: true},
	{name: "Paketo's Python buildpack", ids: []string{"paketo-buildpacks/cpython", "paketo-buildpacks/python", "paketobuildpacks/"}, env: "BP_CPYTHON_VERSION"},
	{name: "Google's Python buildpack", ids: []string{"google.python."}, file: true, env: "GOOGLE_RUNTIME_VERSION", other: "GOOGLE_PYTHON_VERSION"},
}

// unknownDialect is for builders that nobody here knows.
var unknownDialect = dialect{name: "A Python buildpack of this builder", file: true}

const (
	runtimeTxt    = "runtime.txt"
	pythonVersion = ".python-version"
)

var plainVersion = regexp.MustCompile(`^[0-9]+\.[0-9]+(\.[0-9]+)?$`)

// dialectsOf finds what the buildpacks of a builder speak; none if they read
// what ours do, since they are ours.
func dialectsOf(have map[string]bool) []dialect {
	if have["slipway/python"] {
		return nil
	}
	var all []dialect
	for _, d := range dialects {
		for _, id := range d.ids {
			if hasID(have, id) {
				all = append(all, d)
				break
			}
		}
	}
	if len(all) == 0 {
		return []dialect{unknownDialect}
	}
	return all
}

func hasID(have map[string]bool, id string) bool {
	if !strings.HasSuffix(id, ".") && !strings.HasSuffix(id, "/") {
		return have[id]
	}
	for one := range have {
		if strings.HasPrefix(one, id) {
			return true
		}
	}
	return false
}

// A translation tells a builder that is not ours what the app wants. Only the
// build's copy of the app and the build's environment change.
type translation struct {
	dir  string            // the build's copy of the app
	env  map[string]string // of the build; what is in it already stays
	have map[string]bool   // the builder's buildpacks
	t    *transcript
}

// python translates the Python version that the app asks for in a file.
func (tr translation) python(plan *buildpacks.Plan, builder string) error {
	if plan == nil || plan.Language != "python" {
		return nil
	}
	origin, version := plan.Version.Origin, strings.TrimPrefix(plan.Version.Requested, "python-")
	if origin != runtimeTxt && origin != pythonVersion || !plainVersion.MatchString(version) {
		return nil
	}
	var said []string
	for _, d := range dialectsOf(tr.have) {
		lines, err := tr.speak(d, origin, version)
		if err != nil {
			return fmt.Errorf("translate %s: %w", origin, err)
		}
		said = append(said, lines...)
	}
	if len(said) > 0 {
		tr.t.note("-----> Translating " + origin + " for " + builder)
	}
	for _, line := range said {
		tr.t.note(detail + line)
	}
	return nil
}

// speak says a version in a dialect, and returns what was done and why.
func (tr translation) speak(d dialect, origin, version string) (said []string, err error) {
	if d.file && origin == runtimeTxt {
		if err := tr.write(version); err != nil {
			return nil, err
		}
		why := "reads " + pythonVersion
		if d.drops {
			if err := tr.remove(runtimeTxt); err != nil {
				return nil, err
			}
			why += " and fails on " + runtimeTxt + ", which is left out"
		}
		said = append(said, d.name+" "+why+".", pythonVersion+" says "+version+" in this build.")
	}
	if d.env == "" {
		return said, nil
	}
	for _, name := range []string{d.env, d.other} {
		if _, set := tr.env[name]; set && name != "" {
			return append(said, name+" is set for this build already, and stays as it is."), nil
		}
	}
	value := version
	if strings.Count(version, ".") == 1 {
		value += ".*" // the newest of them
	}
	tr.env[d.env] = value
	return append(said, d.name+" reads "+d.env+", which is "+value+" in this build."), nil
}

func (tr translation) write(version string) error {
	if err := tr.remove(pythonVersion); err != nil {
		return err
	}
	root, err := os.OpenRoot(tr.dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // only a handle
	if err := root.WriteFile(pythonVersion, []byte(version+"\n"), 0o644); err != nil {
		return err
	}
	return root.Chtimes(pythonVersion, appTime, appTime)
}

func (tr translation) remove(name string) error {
	root, err := os.OpenRoot(tr.dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // only a handle
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
