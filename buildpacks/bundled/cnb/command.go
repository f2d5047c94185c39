package cnb

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

// An Environment is what commands of a build run with.
type Environment map[string]string

// NewEnvironment is environ and what the platform gives beside it, without the
// variables of drop.
func NewEnvironment(environ []string, platform map[string]string, drop ...string) Environment {
	env := Environment{}
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
	for _, name := range drop {
		delete(env, name)
	}
	return env
}

// Default sets variables that are not set, in pairs.
func (env Environment) Default(pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if _, ok := env[pairs[i]]; !ok {
			env[pairs[i]] = pairs[i+1]
		}
	}
}

// With is env with more variables, in pairs.
func (env Environment) With(pairs ...string) Environment {
	env = maps.Clone(env)
	for i := 0; i+1 < len(pairs); i += 2 {
		env[pairs[i]] = pairs[i+1]
	}
	return env
}

// List is the variables as NAME=VALUE, in order.
func (env Environment) List() []string {
	list := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// A Command is a process of the build, with its whole group.
type Command struct {
	Dir string
	Env Environment
	Out io.Writer // both streams, in order
	// Stdout takes the standard output instead, if it is not nil.
	Stdout io.Writer
	Args   []string // the program and its arguments
}

// ErrExit says that a command ran and was not content.
var ErrExit = errors.New("exited with an error")

// Run waits for the command. It is ErrExit if the command was not content. Its descendants are stopped with it when ctx ends.
func (c Command) Run(ctx context.Context) error {
	const grace = 2 * time.Second
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.Dir, c.Env.List(), c.Out, c.Out
	if c.Stdout != nil {
		cmd.Stdout = c.Stdout
	}
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
		return fmt.Errorf("%s: %w: %w", c.Args[0], ErrExit, err)
	case errors.Is(err, exec.ErrWaitDelay):
		return nil // it left something in the background that holds the output open
	case err != nil:
		return fmt.Errorf("run %s: %w", c.Args[0], err)
	}
	return nil
}
