package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"slipway/internal/client"
)

// Config is what the command line knows of the process it runs in.
type Config struct {
	Version    string
	Stdin      io.Reader
	Stdout     io.Writer
	Stderr     io.Writer
	URL        string // $SLIPWAY_URL; http://127.0.0.1:5000 if empty
	Token      string // $SLIPWAY_TOKEN; the saved sign-in if empty
	ConfigDir  string // where the sign-in is saved
	Executable string // this program, for git's credential helper
	Editor     string // $VISUAL or $EDITOR, a shell command; vi if empty
	Browser    string // $BROWSER or the desktop's opener; addresses are only printed if empty
	Term       string // $TERM, for one-off dynos
}

// DefaultURL is where the client looks for a server that nobody named.
const DefaultURL = "http://127.0.0.1:5000"

// A usageError is a command line that cannot be understood: exit code 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// WrongUsage marks the error, as those of other packages' verbs are.
func (e usageError) WrongUsage() {}

// An exitError is the exit code of a one-off dyno, which is then this program's.
type exitError struct{ code int }

func (e exitError) Error() string { return fmt.Sprintf("the command exited with %d", e.code) }

// Exit marks the error, as those of other packages' verbs are.
func (e exitError) Exit() int { return e.code }

type cli struct {
	Config
	app  string // --app
	json bool   // --json
}

// New returns the root command with every verb of the client.
func New(cfg Config) *cobra.Command {
	if cfg.URL == "" {
		cfg.URL = DefaultURL
	}
	c := &cli{Config: cfg}
	root := &cobra.Command{
		Use:     "slipway",
		Version: cfg.Version,
		Short:   "git push, and the app is an OCI image, released and running",
		Long: `Slipway builds what you git push into an OCI image, releases it and runs it.

Run a server with "slipway serve"; every other command talks to one, at
$SLIPWAY_URL (default ` + DefaultURL + `) with $SLIPWAY_TOKEN or the sign-in
saved by "slipway login".`,
		Example: `  slipway serve
  slipway login --token-file ~/.local/share/slipway/admin-token
  slipway create hello
  git push slipway main
  slipway open
  slipway ps:scale web=2 worker=1
  slipway logs --tail
  slipway config:set GREETING=hello
  slipway run -- python manage.py migrate
  slipway rollback`,
		SilenceErrors: true, SilenceUsage: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("there is no command %q: see slipway --help", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(cfg.Stdin)
	root.SetOut(cfg.Stdout)
	root.SetErr(cfg.Stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w: see %s --help", err, cmd.CommandPath())}
	})
	root.AddCommand(c.login(), c.logout(), c.keys(), c.keysAdd(), c.keysRemove(), c.gitRemote(), c.gitCredential(), c.showVersion(),
		c.create(), c.apps(), c.appsInfo(), c.appsDestroy(), c.open(), c.audit(),
		c.releases(), c.releasesInfo(), c.rollback(),
		c.config(), c.configGet(), c.configSet(), c.configUnset(), c.configEdit(),
		c.ps(), c.psScale(), c.psRestart(), c.psStop(), c.psIdle(), c.run(), c.logs(),
		c.domains(), c.domainsAdd(), c.domainsRemove(), c.certs(), c.certsAdd(), c.certsRemove(),
		c.drains(), c.drainsAdd(), c.drainsRemove())
	return root
}

// Run runs the command line and returns the exit code: 0 done, 1 failed, 2
// wrong usage, and that of its command for "slipway run", or of git for what stands in for git. It is the one place where an error becomes words.
func Run(ctx context.Context, root *cobra.Command, args []string) int {
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if exit := interface{ Exit() int }(nil); errors.As(err, &exit) {
		return exit.Exit()
	}
	// A flag that belongs to no verb is complained of before the verb is looked at.
	if found, _, _ := root.Find(args); found == root && len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		err = usageError{fmt.Errorf("there is no command %q: see slipway --help", args[0])}
	}
	fmt.Fprintf(root.ErrOrStderr(), " !     %s\n", hint(err))
	if usage := interface{ WrongUsage() }(nil); errors.As(err, &usage) {
		return 2
	}
	return 1
}

// hint adds to an error what to do next, where that is known.
func hint(err error) string {
	var answer *client.Error
	if errors.As(err, &answer) && answer.Body.ID == "unauthorized" {
		return "not signed in, or with a token that this server does not know: run slipway login --token-file FILE (the server's first token is in its data directory, as admin-token), or set SLIPWAY_TOKEN"
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return err.Error() + ": is it running? Start it with slipway serve, or name another with SLIPWAY_URL"
	}
	return err.Error()
}

// args checks how many arguments a verb has, and calls a miscount wrong usage.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{fmt.Errorf("%w: usage: %s", err, cmd.UseLine())}
		}
		return nil
	}
}

func (c *cli) withJSON(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVar(&c.json, "json", false, "print JSON")
	return cmd
}

func (c *cli) withApp(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().StringVarP(&c.app, "app", "a", "", "the app (default: what the git remote names)")
	return cmd
}

// client signs in with what is at hand.
func (c *cli) client() *client.Client {
	token := c.Token
	if token == "" {
		token = c.savedToken(c.URL)
	}
	return &client.Client{URL: c.URL, Token: token}
}

func (c *cli) printJSON(v any) error {
	enc := json.NewEncoder(c.Stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// doing says what is done, does it, and says that it is done, or that it failed.
// With --json it says nothing.
func (c *cli) doing(what string, do func() (done string, err error)) error {
	if c.json {
		_, err := do()
		return err
	}
	c.printf("%s... ", what)
	done, err := do()
	if err != nil {
		c.printf("!\n")
		return err
	}
	c.printf("done%s\n", done)
	return nil
}

// note prints what a person may want to know or do next.
func (c *cli) note(format string, a ...any) {
	fmt.Fprintf(c.Stderr, " ▸    "+format+"\n", a...)
}

func (c *cli) printf(format string, a ...any) {
	fmt.Fprintf(c.Stdout, format, a...)
}
