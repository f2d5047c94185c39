package main

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"

	"slipway/internal/cli"
)

// environment is what the client's commands may know of the process.
func environment() cli.Config {
	dir, err := os.UserConfigDir()
	if err != nil {
		dir = os.TempDir() // no home: nothing is saved that could be found again
	}
	program, err := os.Executable()
	if err != nil {
		program = "slipway"
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = "" // no keys are looked for
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = "" // nothing is kept
	}
	return cli.Config{
		Version: version, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		URL: os.Getenv("SLIPWAY_URL"), Token: os.Getenv("SLIPWAY_TOKEN"),
		ConfigDir: filepath.Join(dir, "slipway"), Executable: program,
		Editor: cmp.Or(os.Getenv("VISUAL"), os.Getenv("EDITOR")), Browser: browser(), Term: os.Getenv("TERM"),
		App: os.Getenv("SLIPWAY_APP"), NoColor: os.Getenv("NO_COLOR") != "", Home: home,
		Environ: os.Environ(), CacheDir: cache,
	}
}

// browser is the command that opens a web page: the person's own choice, or the
// desktop's where there is one.
func browser() string {
	if own := os.Getenv("BROWSER"); own != "" {
		return own
	}
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return ""
	}
	if _, err := exec.LookPath("xdg-open"); err != nil {
		return ""
	}
	return "xdg-open"
}
