package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"
)

// maxInput bounds what is read from standard input and git, in bytes.
const maxInput = 1 << 20

func readAll(r io.Reader) ([]byte, error) { return io.ReadAll(io.LimitReader(r, maxInput)) }

func (c *cli) gitRemote() *cobra.Command {
	var as string
	cmd := &cobra.Command{
		Use:   "git:remote [-- ARGUMENT...]",
		Short: "Add an app's git remote to the repository you stand in",
		Long: `Add an app's git remote to the repository you stand in. What follows two dashes
is passed on to git remote add.`,
		Example: "  slipway git:remote -a hello\n  slipway git:remote -a hello-staging --remote staging",
		RunE: func(cmd *cobra.Command, rest []string) error {
			ctx := cmd.Context()
			name := cmp.Or(c.app, c.App)
			if name == "" && len(rest) > 0 && cmd.ArgsLenAtDash() != 0 {
				name, rest = rest[0], rest[1:]
			}
			if name == "" {
				return usageError{errors.New("which app? give -a APP")}
			}
			app, err := c.client().App(ctx, name)
			if err != nil {
				return err
			}
			as := cmp.Or(as, configuredRemote(ctx), remoteName)
			if err := setRemote(ctx, as, app.GitURL, rest...); err != nil {
				return err
			}
			if c.json {
				return c.printJSON(map[string]string{"app": app.Name, "remote": as, "url": app.GitURL})
			}
			c.printf("set git remote %s to %s\n", c.paint(cyan, as), c.paint(cyan, app.GitURL))
			return nil
		},
	}
	cmd.Flags().StringVarP(&c.app, "app", "a", "", "the app, by name or ID")
	cmd.Flags().StringVarP(&as, "remote", "r", "", `how to name the git remote (default "`+remoteName+`")`)
	c.completeFlag(cmd, "app", c.appNames)
	return c.withJSON(cmd)
}

// configuredRemote is the remote that this repository's configuration prefers.
func configuredRemote(ctx context.Context) string {
	for _, key := range []string{"slipway.remote", "heroku.remote"} {
		if name, err := git(ctx, "config", key); err == nil && name != "" {
			return name
		}
	}
	return ""
}

func (c *cli) gitClone() *cobra.Command {
	var as string
	cmd := &cobra.Command{
		Use:     "git:clone [DIRECTORY]",
		Short:   "Clone an app's repository (into a directory of its name by default)",
		Example: "  slipway git:clone -a hello\n  slipway git:clone -a hello work",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, directory []string) error {
			name := cmp.Or(c.app, c.App)
			if name == "" {
				return usageError{errors.New("which app? give -a APP")}
			}
			app, err := c.client().App(cmd.Context(), name)
			if err != nil {
				return err
			}
			clone := exec.CommandContext(cmd.Context(), "git", "clone", "-o", as, "--", app.GitURL, cmp.Or(strings.Join(directory, ""), app.Name))
			clone.Stdin, clone.Stdout, clone.Stderr = c.Stdin, c.Stdout, c.Stderr
			err = clone.Run()
			if failed, ok := errors.AsType[*exec.ExitError](err); ok && failed.ExitCode() > 0 {
				return exitError{failed.ExitCode()} // git has said why
			}
			if err != nil {
				return fmt.Errorf("run git clone: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&c.app, "app", "a", "", "the app, by name or ID")
	cmd.Flags().StringVarP(&as, "remote", "r", remoteName, "how to name the git remote")
	c.completeFlag(cmd, "app", c.appNames)
	return cmd
}

// gitCredential is a git credential helper (gitcredentials(7)): it answers with
// the saved sign-in, and ignores what git asks it to store or erase.
func (c *cli) gitCredential() *cobra.Command {
	return &cobra.Command{
		Use:     "git:credential get|store|erase",
		Aliases: []string{"git:credentials"},
		Short:   "Answer git's question for a password (git calls this)",
		Hidden:  true,
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, verb []string) error {
			if verb[0] != "get" {
				return nil
			}
			asked := map[string]string{}
			lines := bufio.NewScanner(io.LimitReader(c.Stdin, maxInput))
			for lines.Scan() {
				if key, value, ok := strings.Cut(lines.Text(), "="); ok {
					asked[key] = value
				}
			}
			token := c.savedToken(asked["protocol"] + "://" + asked["host"])
			if token == "" && asked["protocol"] == "https" {
				token = c.savedToken("http://" + asked["host"]) // never the other way: it would be sent in the clear
			}
			if token != "" {
				c.printf("username=slipway\npassword=%s\n", token)
			}
			return lines.Err()
		},
	}
}
