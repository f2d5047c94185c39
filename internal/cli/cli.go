package cli

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
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
	URL        string   // $SLIPWAY_URL; http://127.0.0.1:5000 if empty
	Token      string   // $SLIPWAY_TOKEN; the saved sign-in if empty
	ConfigDir  string   // where the sign-in is saved
	Executable string   // this program, for git's credential helper
	Editor     string   // $VISUAL or $EDITOR, a shell command; vi if empty
	Browser    string   // $BROWSER or the desktop's opener; addresses are only printed if empty
	Term       string   // $TERM, for one-off dynos
	App        string   // $SLIPWAY_APP, the app where none is named
	NoColor    bool     // $NO_COLOR: no colours, not even on a terminal
	Home       string   // the person's directory, in which SSH keys are looked for
	Environ    []string // NAME=VALUE, for what runs on this machine
	CacheDir   string   // where what can be had again is kept
	SystemCA   string   // where the system's own authorities are added; as on Debian if empty
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
	app     string // --app
	remote  string // --remote
	json    bool   // --json
	debug   bool   // --debug
	noColor bool   // --no-color
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
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownVerb(cmd.Root(), args)
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
	root.PersistentFlags().BoolVar(&c.debug, "debug", false, "tell what the server is asked, on standard error")
	root.PersistentFlags().BoolVar(&c.noColor, "no-color", false, "no colours (on a terminal; NO_COLOR does the same)")
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(c.verbs()...)
	root.AddCommand(c.accountVerbs()...)
	root.AddCommand(c.buildVerbs()...)
	c.addHelp(root)
	return root
}

// verbs are the commands, by topic.
func (c *cli) verbs() []*cobra.Command {
	return []*cobra.Command{
		c.login(), c.logout(), c.trust(), c.showVersion(), c.commands(), c.completion(),
		c.create(), c.apps(), c.appsInfo(), c.appsDestroy(), c.open(), c.audit(),
		c.gitRemote(), c.gitClone(), c.gitCredential(),
		c.releases(), c.releasesInfo(), c.releasesOutput(), c.rollback(),
		c.config(), c.configGet(), c.configSet(), c.configUnset(), c.configEdit(),
		c.ps(), c.psScale(), c.psType(), c.psRestart(), c.psStop(), c.psWait(), c.psIdle(),
		c.run(), c.runDetached(), c.logs(), c.local(), c.localRun(), c.detect(),
		c.domains(), c.domainsAdd(), c.domainsInfo(), c.domainsRemove(), c.domainsClear(), c.domainsWait(),
		c.certs(), c.certsAdd(), c.certsInfo(), c.certsUpdate(), c.certsRemove(),
		c.drains(), c.drainsAdd(), c.drainsRemove(),
		c.buildpacksOf(), c.buildpacksSet(), c.buildpacksAdd(), c.buildpacksRemove(), c.buildpacksClear(),
		c.keys(), c.keysAdd(), c.keysRemove(), c.keysClear(),
		c.maintenance(), c.maintenanceOn(), c.maintenanceOff(),
	}
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
		err = unknownVerb(root, args)
	}
	debug, _ := root.PersistentFlags().GetBool("debug") // false where it could not be read
	fmt.Fprintf(root.ErrOrStderr(), " !     %s\n", strings.ReplaceAll(hint(err, debug), "\n", "\n !     "))
	if usage := interface{ WrongUsage() }(nil); errors.As(err, &usage) {
		return 2
	}
	return 1
}

// hint adds to an error what to do next, where that is known, and with --debug
// what the server calls the request.
func hint(err error, debug bool) string {
	var answer *client.Error
	if debug && errors.As(err, &answer) {
		return fmt.Sprintf("%s\n(%d %s, request %s)", hint(err, false), answer.Status, answer.Body.ID, cmp.Or(answer.Request, "without an ID"))
	}
	if errors.As(err, &answer) {
		return hintOf(answer)
	}
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return err.Error() + ": if it is the server's own authority, run slipway trust"
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return err.Error() + ": is it running? Start it with slipway serve, or name another with SLIPWAY_URL"
	}
	return err.Error()
}

// hintOf adds to what the server says what to do next.
func hintOf(answer *client.Error) string {
	switch said := strings.TrimSuffix(answer.Body.Message, "."); {
	case answer.Body.ID == "unauthorized":
		return "not signed in, or with a token that this server does not know: run slipway login --token-file FILE (the server's first token is in its data directory, as admin-token), or set SLIPWAY_TOKEN"
	case answer.Body.ID == "forbidden":
		return said + ": its owner can let you with slipway access:add"
	case answer.Body.ID == "not_found" && answer.Body.Resource == "app":
		return said + ": slipway apps lists those that there are"
	case answer.Body.ID == "rate_limit":
		return said + ": try again in a minute"
	default:
		return answer.Body.Message
	}
}

// args checks how many arguments a verb has, and calls a miscount wrong usage.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		if err == nil {
			return nil
		}
		// "config set" for config:set.
		if len(args) > 0 && verbNamed(cmd.Root(), cmd.Name()+":"+args[0]) != nil {
			return usageError{fmt.Errorf("%w. Did you mean %s:%s?", err, cmd.CommandPath(), args[0])}
		}
		return usageError{fmt.Errorf("%w: usage: %s", err, cmd.UseLine())}
	}
}

// exclusive lets a verb have one of some flags at most.
func exclusive(cmd *cobra.Command, flags ...string) {
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		given := slices.DeleteFunc(slices.Clone(flags), func(name string) bool { return !cmd.Flags().Changed(name) })
		if len(given) < 2 {
			return nil
		}
		return usageError{fmt.Errorf("--%s exclude each other: give one of them", strings.Join(given, " and --"))}
	}
}

func (c *cli) withJSON(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVarP(&c.json, "json", "j", false, "print JSON")
	return cmd
}

func (c *cli) withApp(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().StringVarP(&c.app, "app", "a", "", "the app, by name or ID (default: what the git remote names)")
	cmd.Flags().StringVarP(&c.remote, "remote", "r", "", "the git remote that names the app")
	c.completeFlag(cmd, "app", c.appNames)
	c.completeFlag(cmd, "remote", c.remoteNames)
	return cmd
}

// client signs in with what is at hand.
func (c *cli) client() *client.Client {
	token := c.Token
	if token == "" {
		token = c.savedToken(c.URL)
	}
	cl := &client.Client{URL: c.URL, Token: token, Agent: "slipway/" + cmp.Or(c.Version, "dev")}
	if c.debug {
		cl.Debug = c.Stderr
	}
	if ca := c.savedCA(); ca != nil {
		cl.Roots = client.TrustAlso(ca)
	}
	return cl
}

func (c *cli) printJSON(v any) error {
	enc := json.NewEncoder(c.Stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// note prints what a person may want to know or do next.
func (c *cli) note(format string, a ...any) {
	fmt.Fprintf(c.Stderr, " ▸    "+format+"\n", a...)
}

func (c *cli) printf(format string, a ...any) {
	fmt.Fprintf(c.Stdout, format, a...)
}
