package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

func (c *cli) login() *cobra.Command {
	var tokenFile string
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Save the sign-in for a server, and let git use it",
		Long: `Save a token for the server at $SLIPWAY_URL, and tell git to ask slipway for it.

The token is read from --token-file, else from standard input. The server's
first token is in its data directory, as admin-token.`,
		Example: "  slipway login --token-file ~/.local/share/slipway/admin-token\n  slipway login < token.txt",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			token, err := c.readToken(tokenFile)
			if err != nil {
				return err
			}
			cl := c.client()
			cl.Token = token
			if _, err := cl.Apps(cmd.Context()); err != nil {
				return err
			}
			if err := c.saveToken(c.URL, token); err != nil {
				return err
			}
			c.printf("Signed in at %s\n", c.URL)
			return c.teachGit(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&tokenFile, "token-file", "", "read the token from this file")
	return cmd
}

func (c *cli) logout() *cobra.Command {
	return &cobra.Command{
		Use:     "logout",
		Short:   "Forget the saved sign-in for a server",
		Example: "  slipway logout",
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if err := c.saveToken(c.URL, ""); err != nil {
				return err
			}
			c.printf("Signed out of %s\n", c.URL)
			return nil
		},
	}
}

func (c *cli) readToken(file string) (string, error) {
	var raw []byte
	var err error
	if file == "" {
		raw, err = readAll(c.Stdin)
	} else {
		raw, err = os.ReadFile(file)
	}
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	token := strings.TrimSpace(string(raw))
	if token == "" {
		return "", usageError{errors.New("there is no token: give --token-file FILE, or the token on standard input")}
	}
	return token, nil
}

// teachGit makes git ask this program for the password of the server's
// repositories, by both of its addresses: a server answers with TLS and without at
// the same port. A machine without git is signed in all the same.
func (c *cli) teachGit(ctx context.Context) error {
	if _, err := exec.LookPath("git"); err != nil {
		return nil //nolint:nilerr // signing in does not need git
	}
	key := "credential." + c.URL + ".helper"
	helper := fmt.Sprintf("!'%s' git:credential", c.Executable)
	keys := []string{key}
	if host, plain := strings.CutPrefix(c.URL, "http://"); plain {
		keys = append(keys, "credential.https://"+host+".helper")
	}
	for _, key := range keys {
		out, err := exec.CommandContext(ctx, "git", "config", "--global", "--replace-all", key, helper).CombinedOutput()
		if err != nil {
			return fmt.Errorf("tell git about the sign-in: %w: %s", err, strings.TrimSpace(string(out)))
		}
	}
	c.printf("git will use this sign-in for %s (git config --global %s)\n", c.URL, key)
	return nil
}

func (c *cli) signInFile() string { return filepath.Join(c.ConfigDir, "sign-in.json") }

// savedToken is the token saved for a server, or "".
func (c *cli) savedToken(url string) string {
	return c.signIns()[strings.TrimRight(url, "/")]
}

func (c *cli) signIns() map[string]string {
	saved := map[string]string{}
	raw, err := os.ReadFile(c.signInFile())
	if err != nil || json.Unmarshal(raw, &saved) != nil {
		return map[string]string{}
	}
	return saved
}

// saveToken keeps the token for a server; "" forgets it.
func (c *cli) saveToken(url, token string) error {
	saved := c.signIns()
	if url = strings.TrimRight(url, "/"); token == "" {
		delete(saved, url)
	} else {
		saved[url] = token
	}
	raw, err := json.MarshalIndent(saved, "", "  ")
	if err != nil {
		return fmt.Errorf("encode sign-in: %w", err)
	}
	if err := os.MkdirAll(c.ConfigDir, 0o700); err != nil {
		return fmt.Errorf("save sign-in: %w", err)
	}
	tmp := c.signInFile() + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("save sign-in: %w", err)
	}
	if err := os.WriteFile(tmp, raw, 0o600); err != nil {
		return fmt.Errorf("save sign-in: %w", err)
	}
	if err := os.Rename(tmp, c.signInFile()); err != nil {
		return fmt.Errorf("save sign-in: %w", err)
	}
	return nil
}
