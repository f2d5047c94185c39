//go:build bench

package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A gitEnv runs git apart from the configuration of whoever runs the bench.
type gitEnv struct {
	home string
	env  []string
}

func newGitEnv(t *testing.T) *gitEnv {
	t.Helper()
	home := t.TempDir()
	config := filepath.Join(home, "config")
	// Another user's repository may be measured, and no proxy stands between.
	text := "[user]\n\tname = Bench\n\temail = bench@example.com\n[safe]\n\tdirectory = *\n[http]\n\tproxy =\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	own := []string{
		"HOME=" + home, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + config, "GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "NO_PROXY=127.0.0.1",
	}
	return &gitEnv{home: home, env: append(os.Environ(), own...)}
}

// git is a command of git in a directory.
func (g *gitEnv) git(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = dir, g.env
	return cmd
}

// role is a process of this test's binary.
func (g *gitEnv) role(ctx context.Context, role, dir string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestGitRole$")
	cmd.Env = append(slices.Clip(g.env), roleVar+"="+role, dirVar+"="+dir)
	return cmd
}

// must runs git, and returns what it says.
func (g *gitEnv) must(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := g.git(t.Context(), dir, args...).Output()
	if err != nil {
		t.Fatalf("git %s: %v", args[0], explained(err))
	}
	return strings.TrimSpace(string(out))
}

// explained adds what a program that failed has said.
func explained(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return err
}
