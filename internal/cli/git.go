package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os/exec"
	"path"
	"strings"

	"github.com/spf13/cobra"
)

// remoteName is the git remote that "slipway create" adds.
const remoteName = "slipway"

// maxInput bounds what is read from standard input and git, in bytes.
const maxInput = 1 << 20

func readAll(r io.Reader) ([]byte, error) { return io.ReadAll(io.LimitReader(r, maxInput)) }

func (c *cli) gitRemote() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "git:remote",
		Short:   "Add the app's git remote to the repository you stand in",
		Example: "  slipway git:remote -a hello",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.app == "" {
				return usageError{errors.New("which app? give -a APP")}
			}
			app, err := c.client().App(cmd.Context(), c.app)
			if err != nil {
				return err
			}
			if err := setRemote(cmd.Context(), app.GitURL); err != nil {
				return err
			}
			c.printf("set git remote %s to %s\n", remoteName, app.GitURL)
			return nil
		},
	}
	return c.withApp(cmd)
}

func inRepository(ctx context.Context) bool {
	return exec.CommandContext(ctx, "git", "rev-parse", "--git-dir").Run() == nil
}

func hasRemote(ctx context.Context) bool {
	return exec.CommandContext(ctx, "git", "remote", "get-url", remoteName).Run() == nil
}

func setRemote(ctx context.Context, address string) error {
	verb := []string{"remote", "add", remoteName, address}
	if hasRemote(ctx) {
		verb = []string{"remote", "set-url", remoteName, address}
	}
	if out, err := exec.CommandContext(ctx, "git", verb...).CombinedOutput(); err != nil {
		return fmt.Errorf("git %s: %w: %s", strings.Join(verb, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// appName is the app that --app names, else the one that the git remote names.
func (c *cli) appName(ctx context.Context) (string, error) {
	if c.app != "" {
		return c.app, nil
	}
	out, err := exec.CommandContext(ctx, "git", "remote", "get-url", remoteName).Output()
	if err != nil {
		return "", usageError{errors.New(`which app? give -a APP, or stand in a repository with a remote "slipway" (slipway git:remote -a APP adds one)`)}
	}
	u, err := url.Parse(strings.TrimSpace(string(out)))
	if err != nil {
		return "", fmt.Errorf("git remote %s: %w", remoteName, err)
	}
	return strings.TrimSuffix(path.Base(u.Path), ".git"), nil
}

// gitCredential is a git credential helper (gitcredentials(7)): it answers with
// the saved sign-in, and ignores what git asks it to store or erase.
func (c *cli) gitCredential() *cobra.Command {
	return &cobra.Command{
		Use:    "git:credential get|store|erase",
		Short:  "Answer git's question for a password (git calls this)",
		Hidden: true,
		Args:   args(cobra.ExactArgs(1)),
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
			if token := c.savedToken(asked["protocol"] + "://" + asked["host"]); token != "" {
				c.printf("username=slipway\npassword=%s\n", token)
			}
			return lines.Err()
		},
	}
}
