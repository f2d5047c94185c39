package herokucli

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"slipway/internal/testkit"
)

// oldest is the oldest Node.js that the command line runs on.
const oldest = 20

// A CLI is the installed command line.
type CLI struct {
	dir  string // testdata/heroku
	node string
	path string // has heroku, node and git, and nothing else that it would start
}

// Find finds the command line. It skips a short test where it is not installed.
func Find(tb testing.TB) *CLI {
	tb.Helper()
	dir := filepath.Join(testkit.Root(tb), "testdata", "heroku")
	program := filepath.Join(dir, "node_modules", "heroku", "bin", "run.js")
	if _, err := os.Stat(program); err != nil {
		if testing.Short() {
			tb.Skip("Heroku's command line is not installed")
		}
		tb.Fatalf("Heroku's command line is not installed: run make deps-test: %v", err)
	}
	c := &CLI{dir: dir, node: findNode(tb, dir), path: tb.TempDir()}
	git, err := exec.LookPath("git")
	if err != nil {
		tb.Fatal(err)
	}
	for name, target := range map[string]string{"node": c.node, "git": git, "heroku": program} {
		if err := os.Symlink(target, filepath.Join(c.path, name)); err != nil {
			tb.Fatal(err)
		}
	}
	for _, name := range []string{"sh", "env", "which", "true", "openssl"} {
		if target, err := exec.LookPath(name); err == nil {
			if err := os.Symlink(target, filepath.Join(c.path, name)); err != nil {
				tb.Fatal(err)
			}
		}
	}
	return c
}

// findNode is this machine's Node.js, or the one that npm has installed beside
// the command line because this machine's is too old.
func findNode(tb testing.TB, dir string) string {
	tb.Helper()
	for _, name := range []string{"node", filepath.Join(dir, "node_modules", ".bin", "node")} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		out, err := exec.CommandContext(tb.Context(), path, "-p", "parseInt(process.versions.node)").Output()
		if err != nil {
			continue
		}
		if major, err := strconv.Atoi(strings.TrimSpace(string(out))); err == nil && major >= oldest {
			return path
		}
	}
	tb.Fatalf("there is no Node.js %d or newer: run make deps-test", oldest)
	return ""
}

// Path is a directory for $PATH that has heroku, node and git.
func (c *CLI) Path() string { return c.path }

// Env is the environment in which the command line talks to the server at the
// address and to nobody else, and keeps what it remembers below home.
func (c *CLI) Env(server, token, home string) map[string]string {
	env := map[string]string{
		"PATH": c.path, "HOME": home, "XDG_CONFIG_HOME": filepath.Join(home, ".config"),
		"HEROKU_HOST": server, "HEROKU_LOGIN_HOST": server, "HEROKU_PARTICLEBOARD_URL": server,
		// These keep it to itself: telemetry, updates, the desktop's secrets.
		"DISABLE_TELEMETRY": "true", "HEROKU_DISABLE_AUTOUPDATE": "true", "HEROKU_SKIP_NEW_VERSION_CHECK": "true", "HEROKU_NETRC_WRITE": "true",
		// Nothing is started that has a window, and nobody is asked.
		"BROWSER": "true", "EDITOR": "true", "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1",
		// Git, which loopback.mjs cannot watch, comes no farther than this either.
		"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.proxy", "GIT_CONFIG_VALUE_0": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1,localhost",
		"NODE_OPTIONS": "--no-deprecation --import=" + (&url.URL{Scheme: "file", Path: filepath.Join(c.dir, "loopback.mjs")}).String(),
		"LC_ALL":       "C.UTF-8", "TZ": "UTC", "COLUMNS": "200",
	}
	if u, err := url.Parse(server); err == nil {
		env["HEROKU_DATA_HOST"] = u.Hostname()
	}
	if token != "" {
		env["HEROKU_API_KEY"] = token
	}
	return env
}
