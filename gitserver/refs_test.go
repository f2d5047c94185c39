package gitserver_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What becomes of refs is what becomes of them with git's own receive-pack.
func TestRefsAsGit(t *testing.T) {
	t.Parallel()
	for name, push := range map[string][]string{
		"directory in the place of a file": {":topic", "main:refs/heads/topic/x"},
		"file in the place of a directory": {":dir/a", "main:refs/heads/dir"},
		"the same, all at once":            {"--atomic", ":dir/a", "main:refs/heads/dir"},
		"a file that stays":                {"main:refs/heads/topic/x", "main:refs/heads/y"},
		"a directory that stays":           {"main:refs/heads/dir", "main:refs/heads/y"},
		"all or none":                      {"--atomic", "main:refs/heads/dir", "main:refs/heads/y"},
		"one level":                        {"main:refs/foo", "main:refs/heads/y"},
		"stash":                            {"main:refs/stash"},
		"other folders":                    {"main:refs/notes/x", "main:refs/changes/01/1", "main:refs/tags/t"},
		"deletions":                        {":topic", ":dir/a"},
		"HEAD's branch":                    {":main"},
		"a tag object on a branch":         {"v1:refs/heads/y"},
		"a tree on a tag":                  {"main^{tree}:refs/tags/tree"},
		"not forced":                       {"main~1:refs/heads/topic"},
		"forced":                           {"+main~1:refs/heads/topic"},
		"one of two names, which is in packed-refs": {":packed", "main:refs/heads/packed/x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newHome(t)
			dir := w.work()
			w.commit(dir, "a", "two")
			w.git(dir, "tag", "-a", "-m", "one", "v1")
			var refs, verdicts [2]string
			for i, receive := range []string{"git-receive-pack", program(t, "receive")} {
				path := filepath.Join(w.dir, []string{"theirs", "ours"}[i])
				w.git(w.dir, "init", "-q", "--bare", path)
				w.git(dir, "push", "-q", path, "main", "main:topic", "main:dir/a", "main:packed")
				w.git(path, "pack-refs", "--all")
				w.git(dir, "push", "-q", "-f", path, "main~1:topic")
				w.git(dir, "push", "-q", path, "main:topic") // loose
				out, _ := w.command(dir, append([]string{"push", "--porcelain", "--receive-pack=" + receive, path}, push...)...).CombinedOutput()
				verdicts[i] = verdictsOf(string(out))
				refs[i] = w.git(path, "for-each-ref", "--format=%(refname) %(objectname)")
				w.git(path, "fsck", "--strict")
			}
			if refs[0] != refs[1] {
				t.Errorf("refs of git:\n%s\nours:\n%s", refs[0], refs[1])
			}
			if verdicts[0] != verdicts[1] || verdicts[0] == "" {
				t.Errorf("verdicts of git:\n%s\nours:\n%s", verdicts[0], verdicts[1])
			}
		})
	}
}

var reasons = regexp.MustCompile(`\(.*\)`)

// verdictsOf leaves of git push --porcelain what became of each ref, without
// the reasons, which are worded by others.
func verdictsOf(out string) string {
	var b strings.Builder
	for line := range strings.Lines(out) {
		if len(line) > 1 && line[1] == '\t' {
			b.WriteString(reasons.ReplaceAllString(line, "(reason)"))
		}
	}
	return b.String()
}
