package main

import (
	"os"
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
	return cli.Config{
		Version: version, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		URL: os.Getenv("SLIPWAY_URL"), Token: os.Getenv("SLIPWAY_TOKEN"),
		ConfigDir: filepath.Join(dir, "slipway"), Executable: program,
	}
}
