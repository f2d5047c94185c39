package python

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// environment is what commands of the build run with.
type environment map[string]string

// moved are variables that would make Python or pip look or install elsewhere.
var moved = []string{
	"PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONEXECUTABLE", "PYTHONPYCACHEPREFIX", "VIRTUAL_ENV",
	"PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PIP_REQUIREMENT",
}

// newEnvironment is environ, what the platform gives beside it, and what
// makes builds repeatable.
func newEnvironment(environ []string, platform map[string]string) environment {
	env := environment{}
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok {
			env[name] = value
		}
	}
	for name, value := range platform {
		if _, ok := env[name]; !ok {
			env[name] = value
		}
	}
	for _, name := range moved {
		delete(env, name)
	}
	env["PYTHONUNBUFFERED"] = "1"
	env["PYTHONDONTWRITEBYTECODE"] = "1" // its files would differ from build to build
	env["LANG"] = "C.UTF-8"
	for name, value := range map[string]string{
		"CC": "gcc", "CXX": "g++", "LDSHARED": "gcc -shared", "LDCXXSHARED": "g++ -shared", "AR": "ar",
		"CFLAGS":            "-g0",       // debug information names random directories
		"SOURCE_DATE_EPOCH": "315532800", // 1980, the oldest that zip files know
	} {
		if _, ok := env[name]; !ok {
			env[name] = value
		}
	}
	return env
}

// with is env with more variables, in pairs.
func (env environment) with(pairs ...string) environment {
	env = maps.Clone(env)
	for i := 0; i+1 < len(pairs); i += 2 {
		env[pairs[i]] = pairs[i+1]
	}
	return env
}

func (env environment) list() []string {
	list := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// A command is a process of the build, with its whole group.
type command struct {
	dir  string
	env  environment
	out  io.Writer // both streams, in order
	args []string
}

// errExit says that a command ran and was not content.
var errExit = errors.New("exited with an error")

// run waits for the command. Its descendants are stopped with it when ctx ends.
func (c command) run(ctx context.Context) error {
	const grace = 2 * time.Second
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.dir, c.env.list(), c.out, c.out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = grace
	err := cmd.Run()
	if ctx.Err() != nil && cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what did not listen; gone is fine
		return ctx.Err()
	}
	var status *exec.ExitError
	switch {
	case errors.As(err, &status):
		return fmt.Errorf("%s: %w: %w", c.args[0], errExit, err)
	case errors.Is(err, exec.ErrWaitDelay):
		return nil // it left something in the background that holds the output open
	case err != nil:
		return fmt.Errorf("run %s: %w", c.args[0], err)
	}
	return nil
}
