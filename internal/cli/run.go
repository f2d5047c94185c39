package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"slipway/internal/client"
	"slipway/internal/wire"
)

// A runOptions is how a one-off dyno is to be run.
type runOptions struct {
	detached bool
	noTTY    bool
	env      []string
}

func (c *cli) run() *cobra.Command {
	var o runOptions
	var exitCode bool
	cmd := &cobra.Command{
		Use:     "run [flags] [--] COMMAND [ARGUMENT...]",
		Aliases: []string{"run:inside"},
		Short:   "Run a command in a one-off dyno",
		Long: `Run a command in a dyno of its own, with the app's code and config vars, joined
to this terminal. Its exit code becomes that of slipway.

A single argument is a shell's command line; of several, each stays one word.
What follows the command is passed on to it, flags too.`,
		Example: "  slipway run -a hello bash\n  slipway run -a hello -- python manage.py migrate --noinput\n  slipway run -a hello 'env | sort'\n  slipway run -a hello --detached ./report",
		Args:    args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, words []string) error {
			env, err := parseEnv(o.env)
			if err != nil {
				return err
			}
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			if o.detached {
				return c.runDetached(cmd.Context(), app, commandLine(words), env)
			}
			if c.json {
				return usageError{errors.New("--json goes with --detached only: an attached command prints what it likes")}
			}
			return c.runAttached(cmd.Context(), app, commandLine(words), env, o.noTTY)
		},
	}
	flags := cmd.Flags()
	flags.SetInterspersed(false)
	flags.BoolVarP(&o.detached, "detached", "d", false, "do not wait: its output goes to the app's log")
	flags.BoolVar(&o.noTTY, "no-tty", false, "give the command no terminal")
	flags.StringArrayVarP(&o.env, "env", "e", nil, "NAME=VALUE for its environment, several behind semicolons")
	flags.BoolVarP(&exitCode, "exit-code", "x", true, "exit with the command's exit code (always so)")
	return c.withJSON(c.withApp(cmd))
}

// parseEnv reads NAME=VALUE;NAME=VALUE, as Heroku's client does.
func parseEnv(given []string) (map[string]string, error) {
	env := map[string]string{}
	for _, pairs := range given {
		for pair := range strings.SplitSeq(pairs, ";") {
			if pair == "" {
				continue
			}
			name, value, found := strings.Cut(pair, "=")
			if !found || name == "" {
				return nil, usageError{errors.New("write --env NAME=VALUE, several behind semicolons or each behind its own --env")}
			}
			env[name] = value
		}
	}
	return env, nil
}

func (c *cli) runDetached(ctx context.Context, app, command string, env map[string]string) error {
	attach := false
	var d wire.Dyno
	err := c.doing("Running "+command+" on ⬢ "+app, func() (_ string, err error) {
		d, err = c.client().RunDyno(ctx, app, wire.DynoCreate{Command: command, Attach: &attach, Env: env})
		return ", " + d.Name, err
	})
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(d)
	}
	c.note("To see its output, run: slipway logs --dyno %s%s", d.Name, c.appFlag())
	return nil
}

func (c *cli) runAttached(ctx context.Context, app, command string, env map[string]string, noTTY bool) error {
	in, out := descriptor(c.Stdin), descriptor(c.Stdout)
	tty := !noTTY && term.IsTerminal(in) && term.IsTerminal(out)
	attach, plain := true, !tty
	req := wire.DynoCreate{Command: command, Attach: &attach, NoTTY: &plain, Env: env}
	if tty {
		req.Env = c.terminalEnv(env, out)
	}
	fmt.Fprintf(c.Stderr, "Running %s on ⬢ %s... ", command, app)
	d, err := c.client().RunDyno(ctx, app, req)
	var joined *client.Attachment
	if err == nil {
		joined, err = c.client().Attach(ctx, app, d.Name)
	}
	if err != nil {
		fmt.Fprint(c.Stderr, "!\n")
		return err
	}
	fmt.Fprintf(c.Stderr, "up, %s\n", d.Name)
	code, err := c.join(ctx, joined, tty, in, out)
	if err == nil && code != 0 {
		return exitError{code}
	}
	return err
}

// join lets a dyno have the terminal until it has ended.
func (c *cli) join(ctx context.Context, joined *client.Attachment, tty bool, in, out int) (int, error) {
	t := client.Terminal{Stdin: c.Stdin, Stdout: c.Stdout, Stderr: c.Stderr}
	if !tty {
		return joined.Run(ctx, t)
	}
	old, err := term.MakeRaw(in)
	if err != nil {
		return 0, fmt.Errorf("use the terminal: %w: try --no-tty", err)
	}
	defer func() { _ = term.Restore(in, old) }() // it worked the other way
	changed, sizes := make(chan os.Signal, 1), make(chan wire.TerminalSize)
	signal.Notify(changed, syscall.SIGWINCH)
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		sendSizes(ctx, out, changed, sizes)
	}()
	defer func() {
		signal.Stop(changed)
		cancel()
		<-done
	}()
	t.Resize = sizes
	return joined.Run(ctx, t)
}

// sendSizes passes the terminal's size on, each time that it has changed.
func sendSizes(ctx context.Context, terminal int, changed <-chan os.Signal, sizes chan<- wire.TerminalSize) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
		columns, rows, err := term.GetSize(terminal)
		if err != nil || columns <= 0 || rows <= 0 {
			continue
		}
		select {
		case sizes <- wire.TerminalSize{Columns: uint16(min(columns, 65535)), Rows: uint16(min(rows, 65535))}:
		case <-ctx.Done():
			return
		}
	}
}

// terminalEnv adds what the command should know of the terminal.
func (c *cli) terminalEnv(env map[string]string, terminal int) map[string]string {
	all := map[string]string{}
	if c.Term != "" {
		all["TERM"] = c.Term
	}
	if columns, rows, err := term.GetSize(terminal); err == nil && columns > 0 && rows > 0 {
		all["COLUMNS"], all["LINES"] = strconv.Itoa(columns), strconv.Itoa(rows)
	}
	maps.Copy(all, env)
	return all
}

// descriptor is the file descriptor of a stream, or -1, which is no terminal.
func descriptor(stream any) int {
	f, ok := stream.(interface{ Fd() uintptr })
	if !ok {
		return -1
	}
	return int(f.Fd())
}
