package cli

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"slipway/internal/local"
)

func (c *cli) local() *cobra.Command {
	var o localOptions
	cmd := &cobra.Command{
		Use:     "local [TYPE[=QUANTITY],...]",
		Aliases: []string{"local:start"},
		Short:   "Run the app on this machine",
		Long: `Run the process types of the Procfile on this machine, with the variables of
.env, until one of them ends or Ctrl-C is pressed. No server is needed.

The first process gets port 5006 as PORT, further ones of its type the next
numbers, and each further type begins 100 higher. --port counts from another
number, and so does PORT in .env or in the environment.

.env is JSON, or lines NAME=VALUE. The exit code is that of the process that
ended first.`,
		Example: "  slipway local\n  slipway local web\n  slipway local web=2,worker=1 -p 7000\n  slipway local -e .env,.env.test\n  slipway local --start-cmd 'python app.py'",
		RunE: func(cmd *cobra.Command, types []string) error {
			return c.onThisMachine(cmd.Context(), o, func(ctx context.Context, cfg local.Config) (int, error) {
				cfg.Types = types
				return local.Start(ctx, cfg)
			})
		},
	}
	o.bind(cmd.Flags())
	cmd.Flags().StringVarP(&o.procfile, "procfile", "f", "", "use a different Procfile")
	cmd.Flags().StringVar(&o.start, "start-cmd", "", "command to run as web when no Procfile is present")
	return cmd
}

func (c *cli) localRun() *cobra.Command {
	var o localOptions
	cmd := &cobra.Command{
		Use:   "local:run [flags] [--] COMMAND [ARGUMENT...]",
		Short: "Run a command on this machine with the variables of .env",
		Long: `Run a command on this machine with the variables of .env. Its exit code becomes
that of slipway.

A single argument is a shell's command line; of several, each stays one word.
What follows the command is passed on to it, flags too.`,
		Example: "  slipway local:run bin/migrate\n  slipway local:run -e .env.test -- python manage.py test --failfast",
		Args:    args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, words []string) error {
			return c.onThisMachine(cmd.Context(), o, func(ctx context.Context, cfg local.Config) (int, error) {
				return local.Run(ctx, cfg, commandLine(words))
			})
		},
	}
	cmd.Flags().SetInterspersed(false)
	o.bind(cmd.Flags())
	return cmd
}

// localOptions are the flags of what runs on this machine.
type localOptions struct {
	procfile, port, start string
	env                   []string
}

func (o *localOptions) bind(flags *pflag.FlagSet) {
	flags.StringArrayVarP(&o.env, "env", "e", nil, "env file, several behind commas or each behind its own -e (default: .env)")
	flags.StringVarP(&o.port, "port", "p", "", "port to listen on (default: PORT, or 5006)")
}

// onThisMachine runs something with this process's streams, environment and
// signals, and makes its exit code that of slipway.
func (c *cli) onThisMachine(ctx context.Context, o localOptions, run func(context.Context, local.Config) (int, error)) error {
	signals, unread := make(chan os.Signal, 4), make(chan os.Signal, 1)
	// A closed terminal is a reason to end in order, too: the processes would
	// outlive slipway. So is a reader of the output that has gone, which writing
	// tells, unless the signal ends this process at once.
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	signal.Notify(unread, syscall.SIGPIPE)
	defer signal.Stop(signals)
	defer signal.Stop(unread)
	cfg := local.Config{
		Procfile: o.procfile, Port: o.port, StartCommand: o.start, Environ: c.Environ,
		Stdin: c.Stdin, Stdout: c.Stdout, Stderr: c.Stderr, Signals: signals,
		Color: c.colors(c.Stdout) && c.colors(c.Stderr),
	}
	for _, list := range o.env {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name != "" {
				cfg.EnvFiles = append(cfg.EnvFiles, name)
			}
		}
	}
	// The program's context ends with the same signals, which would hide which it was.
	code, err := run(context.WithoutCancel(ctx), cfg)
	if err == nil && code != 0 {
		return exitError{code}
	}
	return err
}
