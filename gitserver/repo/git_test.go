package repo_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/repo"
)

// git runs the real git in dir and returns what it prints.
func git(tb testing.TB, dir string, args ...string) string {
	tb.Helper()
	return string(gitIn(tb, dir, nil, args...))
}

func gitIn(tb testing.TB, dir string, stdin []byte, args ...string) []byte {
	tb.Helper()
	out, err := tryGit(tb, dir, stdin, args...)
	if err != nil {
		tb.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func tryGit(tb testing.TB, dir string, stdin []byte, args ...string) ([]byte, error) {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Env = append(os.Environ(),
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "LC_ALL=C",
		"GIT_AUTHOR_NAME=A U Thor", "GIT_AUTHOR_EMAIL=author@example.com", "GIT_AUTHOR_DATE=1700000000 +0100",
		"GIT_COMMITTER_NAME=C O Mitter", "GIT_COMMITTER_EMAIL=committer@example.com", "GIT_COMMITTER_DATE=1700000000 +0100",
	)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return append(out.Bytes(), errs.Bytes()...), err
	}
	return out.Bytes(), nil
}

func head(tb testing.TB, dir string) plumbing.Hash {
	tb.Helper()
	return rev(tb, dir, "HEAD")
}

func rev(tb testing.TB, dir, name string) plumbing.Hash {
	tb.Helper()
	return plumbing.NewHash(strings.TrimSpace(git(tb, dir, "rev-parse", name)))
}

func write(tb testing.TB, dir, name, text string) {
	tb.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
}

// history makes a work tree with n commits over growing files.
func history(tb testing.TB, n int) string {
	tb.Helper()
	dir := tb.TempDir()
	git(tb, dir, "init", "-q", "-b", "main")
	var in bytes.Buffer
	var body strings.Builder
	for i := range n {
		fmt.Fprintf(&body, "line %d of a file that grows %x\n", i, i*i*7919)
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter C <c@example.com> %d +0000\ndata 9\ncommit %02d\n", 1700000000+i, i%100)
		for _, name := range []string{"README", "src/main.py", fmt.Sprintf("src/pkg%d/mod.py", i%7)} {
			text := name + "\n" + body.String()
			fmt.Fprintf(&in, "M 100644 inline %s\ndata %d\n%s\n", name, len(text), text)
		}
		fmt.Fprintln(&in)
	}
	gitIn(tb, dir, in.Bytes(), "fast-import", "--quiet")
	git(tb, dir, "reset", "-q", "--hard")
	return dir
}

// pack makes a pack of revisions as a push would.
func pack(tb testing.TB, dir, revs string, args ...string) []byte {
	tb.Helper()
	args = append([]string{"pack-objects", "--stdout", "--revs", "-q"}, args...)
	return gitIn(tb, dir, []byte(revs), args...)
}

func create(tb testing.TB, o repo.Options) *repo.Repo {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "app.git")
	if err := repo.Create(dir); err != nil {
		tb.Fatal(err)
	}
	return open(tb, dir, o)
}

func open(tb testing.TB, dir string, o repo.Options) *repo.Repo {
	tb.Helper()
	r, err := repo.Open(dir, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := r.Close(); err != nil {
			tb.Error(err)
		}
	})
	return r
}

// take ingests a pack, checks it and migrates it.
func take(tb testing.TB, r *repo.Repo, data []byte, tips ...plumbing.Hash) *repo.Quarantine {
	tb.Helper()
	q, err := r.Ingest(tb.Context(), bytes.NewReader(data), repo.IngestOptions{EOF: true})
	if err != nil {
		tb.Fatalf("Ingest: %v", err)
	}
	if err := q.CheckConnected(tb.Context(), tips); err != nil {
		tb.Fatalf("CheckConnected: %v", err)
	}
	if err := q.Migrate(); err != nil {
		tb.Fatalf("Migrate: %v", err)
	}
	return q
}

// fsck runs git's own check, which must have nothing to say.
func fsck(tb testing.TB, r *repo.Repo) {
	tb.Helper()
	out := gitIn(tb, r.Dir(), nil, "fsck", "--strict", "--full", "--no-dangling")
	if len(bytes.TrimSpace(out)) > 0 {
		tb.Errorf("git fsck --strict says:\n%s", out)
	}
	entries, err := os.ReadDir(filepath.Join(r.Dir(), "objects"))
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "tmp_") {
			tb.Errorf("%s was left behind", e.Name())
		}
	}
}

// notShort skips a test that takes seconds.
func notShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes seconds")
	}
}
