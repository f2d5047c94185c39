package local

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

// Config says what to run, and where. Environ and the streams are required.
type Config struct {
	Dir          string   // where it runs, and what the names of files are relative to; the current directory if empty
	Procfile     string   // "Procfile" if empty
	EnvFiles     []string // a later one has the last word; ".env", if there is one, if empty
	Types        []string // "web", "web=2" or "web=1,worker=2"; one of each but release if empty
	Port         string   // of the first process; PORT of the files, then of Environ, then 5006 if empty
	StartCommand string   // run where there is no Procfile and no Types were asked for
	Environ      []string // NAME=VALUE, what the files are added to

	Stdin  io.Reader // for a single command only
	Stdout io.Writer
	Stderr io.Writer
	Color  bool // Stdout and Stderr are a terminal that shows colours

	// Signals are those that this process gets. The first ends everything, one
	// more does so without waiting. The end of the context does as the first.
	Signals <-chan os.Signal
	Grace   time.Duration // from SIGTERM to SIGKILL; 10s if zero
}

func (c Config) withDefaults() Config {
	if c.Procfile == "" {
		c.Procfile = procfileName
	}
	if c.Grace == 0 {
		c.Grace = 10 * time.Second
	}
	return c
}

// A usageError is a wrong argument.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// WrongUsage marks the error for the command line.
func (e usageError) WrongUsage() {}

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

const (
	defaultPort = 5006
	// minPort is the first that needs no rights.
	minPort = 1024
	maxPort = 65535
	// portStep lies between the ports of process types.
	portStep = 100
)

// firstPort is the port that the others are counted from.
func (c Config) firstPort(vars map[string]string) (int, error) {
	inherited, _ := lookup(c.Environ, "PORT")
	for _, from := range []struct{ name, text string }{
		{"--port", c.Port},
		{"PORT of the env file", vars["PORT"]},
		{"PORT of the environment", inherited},
	} {
		if from.text == "" {
			continue
		}
		port, err := strconv.Atoi(from.text)
		if err != nil || port < minPort || port > maxPort {
			return 0, usage("%s is no port that a process may listen on: choose a number from %d to %d", from.name, minPort, maxPort)
		}
		return port, nil
	}
	return defaultPort, nil
}

// maxFile is how long a Procfile or an env file may be.
const maxFile = 1 << 20

// readFile reads one of the files, which are small.
func readFile(path string) (_ []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s is longer than %d bytes: is it the right file?", path, maxFile)
	}
	return data, nil
}
