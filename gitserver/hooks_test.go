package gitserver_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// spy is a hook that writes down what it is told, and whether it can read the
// pushed objects.
const spy = `#!/bin/sh
{
	echo "== $(basename "$0") $*"
	case "$(basename "$0")" in pre-receive|post-receive|reference-transaction) sed 's/^/in: /';; esac
	env | grep '^GIT_PUSH_OPTION\|^GIT_DIR=\|^GIT_QUARANTINE_PATH=\|^GIT_OBJECT_DIRECTORY=\|^GIT_ALTERNATE' | sort
	pwd
	for h in $NEW; do git cat-file -t $h; done
} >>"$HOOKLOG"
echo "hook $(basename "$0") speaks"
echo "and complains" >&2
case "$DECLINE" in
"$(basename "$0")"|"$(basename "$0") $1") exit 3;;
esac
`

// The same pushes, to git's own receive-pack and to ours: hooks see the same,
// and are obeyed the same.
func TestHooksAsGit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		decline string
		args    []string
		fails   bool
	}{
		"accepted":              {"", []string{"-o", "one", "-o", "two words", "main", "main:refs/heads/b"}, false},
		"deletion":              {"", []string{":refs/heads/old"}, false},
		"pre-receive":           {"pre-receive", []string{"main", "main:refs/heads/b"}, true},
		"update":                {"update refs/heads/b", []string{"main", "main:refs/heads/b"}, true},
		"update, atomic":        {"update refs/heads/b", []string{"--atomic", "main", "main:refs/heads/b"}, true},
		"reference-transaction": {"reference-transaction prepared", []string{"--atomic", "main"}, true},
		"post-receive":          {"post-receive", []string{"main"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newHome(t)
			dir := w.work()
			var logs, outs [2]string
			for i, receive := range []string{"git-receive-pack", program(t, "receive+hooks")} {
				home := t.TempDir()
				path, log := filepath.Join(home, "shop.git"), filepath.Join(home, "log")
				w.git(home, "init", "-q", "--bare", path)
				w.git(path, "config", "receive.advertisePushOptions", "true")
				w.git(dir, "push", "-q", path, "main:refs/heads/old")
				next := w.commit(dir, "a", name+receive)
				for _, hook := range []string{"pre-receive", "update", "post-receive", "post-update", "reference-transaction"} {
					if hook == "reference-transaction" && name != hook {
						continue // git makes a transaction of each ref, and tells of packed-refs
					}
					if err := os.WriteFile(filepath.Join(path, "hooks", hook), []byte(spy), 0o755); err != nil {
						t.Fatal(err)
					}
				}
				cmd := w.command(dir, append([]string{"push", "--receive-pack=" + receive, path}, c.args...)...)
				sees := next
				if name == "deletion" {
					sees = ""
				}
				cmd.Env = append(cmd.Env, "HOOKLOG="+log, "DECLINE="+c.decline, "NEW="+sees)
				out, err := cmd.CombinedOutput()
				if (err != nil) != c.fails {
					t.Errorf("push: %v\n%s", err, out)
				}
				told, err := os.ReadFile(log)
				if err != nil {
					t.Fatal(err)
				}
				replace := strings.NewReplacer("/./objects", "/objects", home, "HOME", next, "NEXT", receive, "RECEIVE")
				logs[i], outs[i] = quarantine.ReplaceAllString(replace.Replace(string(told)), "QUARANTINE"), replace.Replace(string(out))
				w.git(path, "fsck", "--strict")
				w.git(dir, "reset", "-q", "--hard", "HEAD~1")
				if left, _ := filepath.Glob(filepath.Join(path, "objects", "tmp_*")); len(left) > 0 {
					t.Errorf("left behind: %q", left)
				}
			}
			logs[0] = strings.ReplaceAll(logs[0], "in: 0000000000000000000000000000000000000000 NEXT HEAD\n", "") // which the log of HEAD is for
			if logs[0] != logs[1] {
				t.Errorf("hooks of git saw\n%s\nof ours\n%s", logs[0], logs[1])
			}
			if outs[0] != outs[1] && name != "reference-transaction" { // there, git dies
				t.Errorf("git's client printed\n%s\nwith ours\n%s", outs[0], outs[1])
			}
		})
	}
}

var quarantine = regexp.MustCompile(`tmp_objdir-incoming-\w+`)

// Without being asked to, no hook runs.
func TestNoHooks(t *testing.T) {
	t.Parallel()
	w := newHome(t)
	dir := w.work()
	path := filepath.Join(w.dir, "shop.git")
	w.git(w.dir, "init", "-q", "--bare", path)
	for _, hook := range []string{"pre-receive", "update", "post-receive"} {
		if err := os.WriteFile(filepath.Join(path, "hooks", hook), []byte("#!/bin/sh\necho a hook runs; exit 1\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out := w.git(dir, "push", "--receive-pack="+program(t, "receive"), path, "main"); strings.Contains(out, "a hook runs") {
		t.Errorf("a hook ran:\n%s", out)
	}
}
