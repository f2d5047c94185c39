package nodejs

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"slipway/buildpacks/bundled/cnb"
)

// newEnvironment is environ, what the platform gives beside it, and Heroku's
// defaults.
func newEnvironment(environ []string, platform map[string]string) cnb.Environment {
	env := cnb.NewEnvironment(environ, platform)
	env.Default(
		"NODE_ENV", "production", "NODE_MODULES_CACHE", "true", "LANG", "C.UTF-8",
	)
	for name, value := range map[string]string{
		"npm_config_update_notifier": "false", "npm_config_fund": "false", "npm_config_audit": "false",
		"npm_config_logs_max": "0", "npm_config_progress": "false",
		"COREPACK_ENABLE_DOWNLOAD_PROMPT": "0", "YARN_ENABLE_TELEMETRY": "0", "YARN_ENABLE_PROGRESS_BARS": "false",
		"PYTHONDONTWRITEBYTECODE": "1", // node-gyp's files would differ from build to build
	} {
		if !isSet(env, name) {
			env[name] = value
		}
	}
	return env
}

// isSet tells whether a variable is set in any case: npm and Yarn do not mind.
func isSet(env cnb.Environment, name string) bool { return setting(env, name) != "" }

// setting is the value of a variable whose name is read in any case.
func setting(env cnb.Environment, name string) string {
	if value := env[name]; value != "" {
		return value
	}
	for _, other := range []string{strings.ToUpper(name), strings.ToLower(name)} {
		if value := env[other]; value != "" {
			return value
		}
	}
	return ""
}

// registryOf is the registry that builds are told to use, "" for the public one.
func registryOf(env cnb.Environment) string { return setting(env, "NPM_CONFIG_REGISTRY") }

// registryNames tells package managers that do not read npm's settings which
// registry to use.
func (b *build) registryNames() {
	address := registryOf(b.env)
	if address == "" {
		return
	}
	for _, name := range []string{"YARN_REGISTRY", "YARN_NPM_REGISTRY_SERVER", "pnpm_config_registry"} {
		if !isSet(b.env, name) {
			b.env[name] = address
		}
	}
	if b.registry.base.Scheme == "http" && !isSet(b.env, "YARN_UNSAFE_HTTP_WHITELIST") {
		b.env["YARN_UNSAFE_HTTP_WHITELIST"] = b.registry.base.Hostname()
	}
}

// shown are the settings that a build shows where they are set. Others may hold
// secrets.
var shown = []string{
	"NPM_CONFIG_LOGLEVEL", "NPM_CONFIG_PRODUCTION", "YARN_PRODUCTION", "YARN2_SKIP_PRUNING", "PNPM_SKIP_PRUNING",
	"NODE_ENV", "NODE_MODULES_CACHE",
}

func (b *build) sayEnvironment() {
	if b.plan.PackageManager != "pnpm" { // which would not show what scripts of a workspace print
		b.env.Default("NPM_CONFIG_LOGLEVEL", "error")
	}
	b.out.Step("Creating runtime environment")
	for _, name := range shown {
		if value, ok := b.env[name]; ok {
			b.out.Detail("%s=%s", name, value)
		}
	}
}

// onPath puts directories before, and the app's own programs after, all others.
func (b *build) onPath(dirs ...string) {
	list := append(slices.Clone(dirs), b.env["PATH"])
	b.env["PATH"] = strings.Join(list, string(os.PathListSeparator))
}

// pythons is where the builder has its CPythons, one of which node-gyp needs for
// packages that are compiled.
const pythons = "/opt/slipway/python"

// compilers tells node-gyp where headers and Python are, so that it downloads
// neither.
func (b *build) compilers(node string) {
	if !isSet(b.env, "npm_config_nodedir") {
		b.env["npm_config_nodedir"] = node
		b.env["pnpm_config_nodedir"] = node
	}
	if isSet(b.env, "npm_config_python") {
		return
	}
	found, _ := filepath.Glob(filepath.Join(pythons, "*", "bin", "python3")) // the pattern is good
	var have list
	for _, file := range found {
		have.Releases = append(have.Releases, release{Version: filepath.Base(filepath.Dir(filepath.Dir(file)))})
	}
	if newest, ok := have.newest("*", nil); ok {
		b.env["npm_config_python"] = filepath.Join(pythons, newest.Version, "bin", "python3")
	}
}

// platformName is the machine as packages of Node.js name it: "linux-x64".
func platformName() string {
	arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	return "linux-" + arch
}
