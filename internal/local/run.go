package local

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// Run runs one command with the variables of the env files, joined to the
// streams. It gets the terminal's signals itself; SIGTERM and SIGHUP are passed on
// to it. Its exit code is returned. It ends by itself: ctx does not end it.
func Run(ctx context.Context, cfg Config, command string) (int, error) {
	cfg = cfg.withDefaults()
	vars, err := cfg.loadEnv(newConsole(cfg))
	if err != nil {
		return 1, err
	}
	env := cfg.environment(vars)
	if cfg.Port != "" {
		port, err := cfg.firstPort(vars)
		if err != nil {
			return 1, err
		}
		env = append(env, fmt.Sprintf("PORT=%d", port))
	}
	return cfg.join(ctx, command, env)
}

// startCommand runs the command that stands in for a Procfile. Unlike Heroku's it
// gets a port, since it is to be a web process.
func (c Config) startCommand(ctx context.Context) (int, error) {
	vars, err := c.loadEnv(newConsole(c))
	if err != nil {
		return 1, err
	}
	port, err := c.firstPort(vars)
	if err != nil {
		return 1, err
	}
	return c.join(ctx, c.StartCommand, append(c.environment(vars), fmt.Sprintf("PORT=%d", port)))
}

// join gives a command the streams, and waits for it.
func (c Config) join(ctx context.Context, command string, env []string) (int, error) {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), shell, "-c", command)
	cmd.Dir, cmd.Env = c.Dir, env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, c.Stdout, c.Stderr
	cmd.WaitDelay = time.Second // where streams are no files, and something else holds them
	if err := cmd.Start(); err != nil {
		return 1, fmt.Errorf("start the command: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case sig := <-c.Signals:
			// A terminal sends SIGINT to the command, too: twice would be once too often.
			if sig == syscall.SIGTERM || sig == syscall.SIGHUP {
				_ = cmd.Process.Signal(sig) // it may have ended just now
			}
		case err := <-ended:
			if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) && !errors.Is(err, exec.ErrWaitDelay) {
				return 1, fmt.Errorf("run the command: %w", err)
			}
			return code(cmd.ProcessState), nil
		}
	}
}
