package project

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// git is the judge: what it ignores is left out. Names and patterns are put
// together at random, of parts in which the rules' corners lie.
func TestPatternsAgreeWithGit(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	files := []string{
		"a", "b/a", "b/c/a", "b/c/d/e.txt", "c/b/a.txt", "d.txt", "e/.f", "g h/i ", "#k", "!l", "b/d/c", "x/a/b/c", "x/[a]", "x/]", "-", "x/b-a",
	}
	lists := [][]string{
		{"a"},
		{"/a"},
		{"b/"},
		{"a/"},
		{"b/c"},
		{"c/a"},
		{"*.txt"},
		{"/*.txt"},
		{"b/*"},
		{"b/**"},
		{"**/c"},
		{"b/**/a"},
		{"**"},
		{"*", "!b"},
		{"*", "!b/", "!b/c", "b/c/a"},
		{`\#k`, `\!l`},
		{"# a"},
		{`i\ `},
		{"i "},
		{"[a-b]"},
		{"x/[[]a]"},
		{"x/[]]"},
		{"[!a]"},
		{"[a"},
		{"e/.*"},
		{`\`},
		{"!a"},
		{"/"},
		{"//a"},
		{"b//c"},
		{"x/b[a-]a"},
		{"[[:alpha:]]"},
		{"[[:nope:]]"},
		{"***"},
		{"b/***/a"},
		{"a\r"},
		{"", "a"},
		{"./a"},
		{"b/../a"},
		{"x/**/"},
		{"**/"},
		{"b**a"},
		{"?"},
		{"b/?"},
	}
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same lists each time
	parts := []string{"a", "b", "c", "d", "x", "/", "/", "*", "**", "?", "[ab]", ".txt", "!", "/**/", `\a`, "[!b]", "e"}
	for range 60 {
		var list []string
		for range 1 + r.IntN(3) {
			var line strings.Builder
			for range 1 + r.IntN(4) {
				line.WriteString(parts[r.IntN(len(parts))])
			}
			list = append(list, line.String())
		}
		lists = append(lists, list)
	}
	// Each list has a folder of its own, so that git need run once only.
	dir := t.TempDir()
	runGit(t, dir, "", "init", "-q")
	var paths []string
	for i, list := range lists {
		base := filepath.Join(dir, fmt.Sprint(i))
		for _, name := range files {
			write(t, filepath.Join(base, name), "")
			paths = append(paths, fmt.Sprintf("%d/%s\x00", i, name))
		}
		write(t, filepath.Join(base, ".gitignore"), strings.Join(list, "\n")+"\n")
	}
	ignored := strings.Split(runGit(t, dir, strings.Join(paths, ""), "check-ignore", "-z", "--no-index", "--stdin"), "\x00")
	for i, list := range lists {
		patterns, err := compile("", list)
		if err != nil {
			t.Fatalf("compile(%q) = %v", list, err)
		}
		l := leaving{patterns: patterns, limits: Limits{Files: 1000, work: matchWork}}
		tree, _, err := leave(t.Context(), os.DirFS(filepath.Join(dir, fmt.Sprint(i))), l)
		if err != nil {
			t.Fatalf("leave(%q) = %v", list, err)
		}
		var got, want []string
		for _, name := range files {
			if tree.has("", name) != nil {
				got = append(got, name)
			}
			if slices.Contains(ignored, fmt.Sprintf("%d/%s", i, name)) {
				want = append(want, name)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("patterns %q leave out %q, want as git %q", list, got, want)
		}
	}
	if len(ignored) < len(lists) {
		t.Errorf("git ignores %d files with %d lists of patterns: it was not asked right", len(ignored), len(lists))
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func runGit(t *testing.T, dir, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := cmd.Output()
	if exit, is := err.(*exec.ExitError); is && exit.ExitCode() == 1 { //nolint:errorlint // as exec returns it
		err = nil // nothing is ignored
	}
	if err != nil {
		t.Fatalf("git %s: %v", args, err)
	}
	return string(out)
}

// Stars that would take for ever in a naive matcher cost a bounded amount.
func TestMatchingIsBounded(t *testing.T) {
	t.Parallel()
	tree := flat(2000, strings.Repeat("a", 200))
	var many []string
	for i := range maxPatterns {
		many = append(many, strings.Repeat("*a", 200)+fmt.Sprint(i))
	}
	tree[".slugignore"] = file(strings.Join(many, "\n"))
	_, err := Open(t.Context(), tree, Limits{work: 1 << 20})
	if err == nil || !strings.Contains(err.Error(), "take too long") {
		t.Errorf("Open() with %d costly patterns = %v, want that they take too long", maxPatterns, err)
	}
}

func TestTooMuchIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tree map[string]string
		want string
	}{
		"a long pattern":            {map[string]string{".slugignore": "a\n" + strings.Repeat("b", maxPattern+1)}, ".slugignore, line 2: the pattern"},
		"many patterns":             {map[string]string{".slugignore": strings.Repeat("a\n", maxPatterns+1)}, ".slugignore, line 1001: there are more than 1000 patterns"},
		"a long pattern to exclude": {map[string]string{"project.toml": descriptor("exclude = ['a', '" + strings.Repeat("b", maxPattern+1) + "']")}, "project.toml: pattern 2: the pattern"},
		"a large .slugignore":       {map[string]string{".slugignore": strings.Repeat("a", maxFile+1)}, "larger than 1024 KB"},
		"a large project.toml":      {map[string]string{"project.toml": strings.Repeat("#", maxFile+1)}, "larger than 1024 KB"},
	} {
		_, err := Open(t.Context(), files(c.tree), Limits{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Open() of %s = %v, want %q", name, err, c.want)
		}
	}
	tree := flat(50, "f")
	maps.Copy(tree, files(map[string]string{".slugignore": "f*"}))
	if _, err := Open(t.Context(), tree, Limits{Files: 10}); err == nil || !strings.Contains(err.Error(), "more than 40 files") {
		t.Errorf("Open() of 51 files where 10 may be = %v, want that they are too many", err)
	}
}
