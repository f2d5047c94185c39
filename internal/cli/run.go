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
	tail     bool // of one that is detached
	noTTY    bool
	exitCode bool
	env      []string
	size     string
	kind     string
}

const runLong = `Run a command in a dyno of its own, with the app's code and config vars, joined
to this terminal. Its exit code becomes that of slipway.

A single argument is a shell's command line; of several, each stays one word.
What follows the command is passed on to it, flags too.`

func (c *cli) run() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:     "run [flags] [--] COMMAND [ARGUMENT...]",
		Short:   "Run a command in a one-off dyno",
		Long:    runLong,
		Example: "  slipway run -a hello bash\n  slipway run -a hello -- python manage.py migrate --noinput\n  slipway run -a hello 'env | sort'\n  slipway run -a hello --detached ./report",
		Args:    args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, words []string) error {
			if c.json && !o.detached {
				return usageError{errors.New("--json goes with --detached only: an attached command prints what it likes")}
			}
			return c.runOneOff(cmd, o, words)
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&o.detached, "detached", "d", false, "do not wait: its output goes to the app's log")
	flags.BoolVar(&o.noTTY, "no-tty", false, "give the command no terminal")
	flags.BoolVarP(&o.exitCode, "exit-code", "x", true, "exit with the command's exit code")
	flags.Bool("no-notify", true, "show no notification (there is none)")
	return c.withRun(cmd, &o)
}

func (c *cli) runDetached() *cobra.Command {
	o := runOptions{detached: true}
	cmd := &cobra.Command{
		Use:     "run:detached [flags] [--] COMMAND [ARGUMENT...]",
		Short:   "Run a command in a one-off dyno, whose output goes to the app's log",
		Example: "  slipway run:detached -a hello ./report\n  slipway run:detached --tail -a hello ./report",
		Args:    args(cobra.MinimumNArgs(1)),
		RunE:    func(cmd *cobra.Command, words []string) error { return c.runOneOff(cmd, o, words) },
	}
	cmd.Flags().BoolVarP(&o.tail, "tail", "t", false, "show its log until interrupted")
	return c.withRun(cmd, &o)
}

// withRun adds the flags that attached and detached dynos share.
func (c *cli) withRun(cmd *cobra.Command, o *runOptions) *cobra.Command {
	flags := cmd.Flags()
	flags.SetInterspersed(false)
	flags.StringArrayVarP(&o.env, "env", "e", nil, "NAME=VALUE for its environment, several behind semicolons")
	flags.StringVarP(&o.size, "size", "s", "", "the size of the dyno (there is one)")
	flags.StringVar(&o.kind, "type", "", "taken as Heroku does, and not used")
	flags.Bool("no-launcher", true, "run the command as it is (always so)")
	return c.withJSON(c.withApp(cmd))
}

func (c *cli) runOneOff(cmd *cobra.Command, o runOptions, words []string) error {
	env, err := parseEnv(o.env)
	if err != nil {
		return err
	}
	if err := checkSize(o.size); err != nil {
		return err
	}
	app, err := c.appName(cmd.Context())
	if err != nil {
		return err
	}
	if o.detached {
		return c.detach(cmd.Context(), app, commandLine(words), env, o.tail)
	}
	err = c.attach(cmd.Context(), app, commandLine(words), env, o.noTTY)
	if _, exited := errors.AsType[exitError](err); exited && !o.exitCode {
		return nil
	}
	return err
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

func (c *cli) detach(ctx context.Context, app, command string, env map[string]string, tail bool) error {
	attach := false
	var d wire.Dyno
	err := c.doing("Running "+c.paint(cyan, command)+" on "+c.hex(app), func() (_ string, err error) {
		d, err = c.client().RunDyno(ctx, app, wire.DynoCreate{Command: command, Attach: &attach, Env: env})
		return ", " + d.Name, err
	})
	if err != nil {
		return err
	}
	if tail {
		return c.showLog(ctx, app, wire.LogSessionCreate{Dyno: d.Name, Tail: true})
	}
	if c.json {
		return c.printJSON(d)
	}
	c.note("To see its output, run: slipway logs --dyno %s%s", d.Name, c.appFlag())
	return nil
}

func (c *cli) attach(ctx context.Context, app, command string, env map[string]string, noTTY bool) error {
	in, out := descriptor(c.Stdin), descriptor(c.Stdout)
	tty := !noTTY && term.IsTerminal(in) && term.IsTerminal(out)
	attach, plain := true, !tty
	req := wire.DynoCreate{Command: command, Attach: &attach, AttachBy: wire.WebSocket, NoTTY: &plain, Env: env}
	if tty {
		req.Env = c.terminalEnv(env, out)
	}
	fmt.Fprintf(c.Stderr, "Running %s on %s... ", c.paintFor(c.Stderr, cyan, command), c.paintFor(c.Stderr, purple, "⬢ "+app))
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
