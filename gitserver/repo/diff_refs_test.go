package repo_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/repo"
)

// Names made of everything that check-ref-format looks at. Git names those it
// refuses when asked which references of a list are new.
func TestRefNamesAsGitJudgesThem(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 4))
	parts := []string{
		"a", "b", "heads", ".", "..", ".lock", "@", "{", "@{", "}", "~", "^", ":", "?", "*", "[", "]", "\\", "\x7f", "\x01", "\x1f",
		"/", "/", "/", "//", "-", "é", "\xff", "lock", "x.lock", "HEAD", "%", "\"", "'", "$", "!", "\u00a0",
	}
	seen := make(map[string]bool)
	var in strings.Builder
	for len(seen) < 3000 {
		name := "refs/heads/"
		if rnd.IntN(10) == 0 {
			name = "refs/"
		}
		for range 1 + rnd.IntN(6) {
			name += parts[rnd.IntN(len(parts))]
		}
		if !seen[name] && !strings.HasSuffix(name, "^{}") { // which git cuts off
			seen[name] = true
			in.WriteString(name + "\n")
		}
	}
	out := gitIn(t, bare(t), []byte(in.String()), "show-ref", "--exclude-existing")
	taken := make(map[string]bool)
	for name := range strings.Lines(string(out)) {
		taken[strings.TrimSuffix(name, "\n")] = true
	}
	if len(taken) < 300 || len(taken) > 2700 {
		t.Errorf("git takes %d of %d names", len(taken), len(seen))
	}
	for name := range seen {
		if err := repo.CheckRefName(name); (err == nil) != taken[name] {
			t.Errorf("CheckRefName(%q) = %v, git takes it: %v", name, err, taken[name])
		}
	}
}

// Files packed-refs with lines of all kinds read as they do to git.
func TestPackedRefsAsGitReadsThem(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(5, 2))
	src := history(t, 4)
	r := create(t, repo.Options{})
	take(t, r, pack(t, src, "main\n"))
	commits := strings.Fields(git(t, src, "rev-list", "main"))
	read, broken := 0, 0
	for range 60 {
		file := packedFile(rnd, commits)
		write(t, r.Dir(), "packed-refs", file)
		out, err := tryGit(t, r.Dir(), nil, "for-each-ref", "--format=%(refname) %(objectname)")
		refs, ours := r.Refs()
		if (err == nil) != (ours == nil) {
			t.Errorf("%q: Refs = %v, git: %v %s", file, ours, err, out)
		}
		if err != nil || ours != nil {
			broken++
			continue
		}
		read++
		var got strings.Builder
		for _, ref := range refs {
			fmt.Fprintf(&got, "%s %s\n", ref.Name, ref.Hash)
		}
		if got.String() != string(out) {
			t.Errorf("%q: Refs = %s, git says %s", file, got.String(), out)
		}
	}
	if read < 10 || broken < 10 {
		t.Errorf("%d files could be read, %d could not", read, broken)
	}
}

func packedFile(rnd *rand.Rand, commits []string) string {
	var b strings.Builder
	if rnd.IntN(5) > 0 {
		b.WriteString("# pack-refs with: peeled fully-peeled sorted \n")
	}
	for i := range 1 + rnd.IntN(6) {
		h := commits[rnd.IntN(len(commits))]
		switch rnd.IntN(24) {
		case 0:
			h = strings.ToUpper(h)
		case 1:
			h = h[:39]
		case 2:
			h = plumbing.ZeroHash.String()[:39] + "g"
		}
		fmt.Fprintf(&b, "%s refs/heads/%c%s", h, 'a'+i, []string{"", "", "", "/x", ".x", "-y"}[rnd.IntN(6)])
		b.WriteString([]string{"\n", "\n", "\n", "\n", "\n", "\n", "\n", "\n", "\n\n", " \n", "\n^" + commits[0] + "\n", "\n^" + commits[0][:39] + "\n"}[rnd.IntN(12)])
	}
	return b.String()
}
