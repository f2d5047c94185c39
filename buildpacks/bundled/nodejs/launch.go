package nodejs

import (
	"path/filepath"

	"github.com/buildpacks/libcnb"

	"slipway/buildpacks/bundled/cnb"
)

// environment is what Node.js's layer adds, for later buildpacks of the build and
// at launch.
func (b *build) environment(l *libcnb.Layer) {
	bins := filepath.Join(b.app, "node_modules", ".bin")
	for _, env := range []libcnb.Environment{l.BuildEnvironment, l.LaunchEnvironment} {
		env.Default("NODE_HOME", l.Path)
		env.Append("PATH", ":", bins)
	}
	l.LaunchEnvironment.Default("NODE_ENV", "production")
	l.LaunchEnvironment.Default("npm_config_update_notifier", "false")
	if b.manager.name == "pnpm" {
		for name, value := range asIs {
			l.LaunchEnvironment.Default(name, value)
		}
	}
	if !b.helper {
		l.Profile.Add("web_concurrency.sh", webConcurrency)
	}
}

// web is the command of the default web process, "" if nothing tells it.
func (b *build) web() string {
	if b.pkg != nil && b.pkg.script("start") != "" {
		return b.manager.name + " start"
	}
	for _, name := range []string{"server.js", "index.js"} {
		if cnb.IsFile(b.appFile(name)) {
			return "node " + name
		}
	}
	return ""
}

// webConcurrency sets $MEMORY_AVAILABLE, $WEB_MEMORY and $WEB_CONCURRENCY, which
// cluster programs read, by Heroku's rule: as many processes as there are 512 MB.
// Where memory is not limited there is one. It is sourced by bash at launch.
const webConcurrency = `slipway_mb=512
for slipway_file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
  [[ -r "${slipway_file}" ]] || continue
  read -r slipway_bytes <"${slipway_file}" || continue
  [[ "${slipway_bytes}" =~ ^[0-9]{1,12}$ ]] && slipway_mb=$((slipway_bytes / 1048576))
  break
done
export MEMORY_AVAILABLE="${MEMORY_AVAILABLE:-${slipway_mb}}"
export WEB_MEMORY="${WEB_MEMORY:-512}"
if [[ -z "${WEB_CONCURRENCY:-}" && "${MEMORY_AVAILABLE}" =~ ^[0-9]+$ && "${WEB_MEMORY}" =~ ^[1-9][0-9]*$ ]]; then
  WEB_CONCURRENCY=$((MEMORY_AVAILABLE / WEB_MEMORY))
  ((WEB_CONCURRENCY > 0)) || WEB_CONCURRENCY=1
  export WEB_CONCURRENCY
fi
[[ "${LOG_CONCURRENCY:-}" != true ]] || echo "Detected ${MEMORY_AVAILABLE} MB available memory, ${WEB_MEMORY} MB limit per process (WEB_MEMORY); recommending WEB_CONCURRENCY=${WEB_CONCURRENCY:-}"
unset slipway_file slipway_bytes slipway_mb
`
