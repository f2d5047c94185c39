package python

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/buildpacks/libcnb"
)

// A manager is a package manager that comes from the index: all but pip, which
// the builder's CPythons bring.
type manager struct {
	id    string // as detection calls it, and its name on the index
	title string // for people
	lock  string // the file that names it
	// version is installed unless the app asks for another.
	version string
	// atLaunch puts it into the image too.
	atLaunch bool
	// syncs tells that it also removes what is not asked for any more, and so
	// can go on from packages that are installed already.
	syncs bool
	// read reads what the app asks for.
	read func(dir string) (asked, error)
	// install fills the virtual environment of l.
	install func(ctx context.Context, b *build, l *dependenciesLayer) error
}

// managers are those that the buildpack installs, by their ids.
var managers = map[string]manager{
	"pipenv": {
		id: "pipenv", title: "Pipenv", lock: "Pipfile.lock", read: readPipenv, install: pipenvInstall,
		atLaunch: true, // for Procfiles that say `pipenv run`, as on Heroku
	},
	"poetry": {id: "poetry", title: "Poetry", lock: "poetry.lock", read: readPoetry, install: poetryInstall, syncs: true},
	"uv":     {id: "uv", title: "uv", lock: "uv.lock", read: readUv, install: uvInstall, syncs: true},
}

// versionVariable is the name of the variable by which an app asks for another
// version of a manager; Paketo's buildpacks have the same.
func (m manager) versionVariable() string { return "BP_" + strings.ToUpper(m.id) + "_VERSION" }

var managerVersion = regexp.MustCompile(`^[0-9]+(\.[0-9]+)*([a-z]+[0-9]+)?$`)

// decideManager finds the package manager that the plan names, and its version:
// the app's wish, else what buildpack.toml pins.
func (b *build) decideManager(bp libcnb.Buildpack) error {
	m, ok := managers[b.plan.PackageManager]
	if !ok {
		return fmt.Errorf("install packages with %s: this buildpack does not know it", b.plan.PackageManager)
	}
	pinned, _ := bp.Metadata["managers"].(map[string]any)
	m.version, _ = pinned[m.id].(string)
	if m.version == "" {
		return fmt.Errorf("read buildpack.toml: it has no version of %s", m.id)
	}
	if wish := b.env[m.versionVariable()]; wish != "" {
		if !managerVersion.MatchString(wish) {
			return b.out.Fail(`Error: The requested %[1]s version isn't valid.

%[2]s is set to %.40[3]q, which is no version.

Set it to one, or remove it to have the default:

  slipway config:set %[2]s=%[4]s
  slipway config:unset %[2]s`, m.title, m.versionVariable(), wish, m.version)
		}
		m.version = wish
	}
	b.manager = &m
	return nil
}

// major is the first number of the version.
func (m manager) major() int {
	number, _, _ := strings.Cut(m.version, ".")
	n, _ := strconv.Atoi(number) // it is a version
	return n
}
