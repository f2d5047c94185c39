package gitserver_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	git "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
	"golang.org/x/crypto/ssh"

	"slipway/gitserver"
)

// go-git pushes with an empty section of options, and fetches without
// multi_ack_detailed.
func TestGoGit(t *testing.T) {
	t.Parallel()
	for _, door := range transports {
		t.Run(door, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			dir := w.work()
			url := w.url(door, "shop.git")
			auth := w.goGitAuth(t, door)
			r, err := git.PlainOpen(dir)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.CreateRemote(&config.RemoteConfig{Name: "origin", URLs: []string{url}}); err != nil {
				t.Fatal(err)
			}
			var progress bytes.Buffer
			push := &git.PushOptions{
				Auth: auth, Progress: &progress,
				RefSpecs: []config.RefSpec{"refs/heads/main:refs/heads/main"},
			}
			if err := r.PushContext(t.Context(), push); err != nil {
				t.Fatalf("first push: %v", err)
			}
			want := w.commit(dir, "app.py", "print('hello')\n")
			push.Options = map[string]string{"no-cache": "1"}
			if err := r.PushContext(t.Context(), push); err != nil {
				t.Fatalf("second push: %v", err)
			}
			if got := w.ref("shop", "refs/heads/main"); got != want {
				t.Errorf("main = %s, want %s", got, want)
			}
			if got := strings.Join(w.recv.last(t).Options, "|"); got != "no-cache=1" {
				t.Errorf("Options = %q", got)
			}
			w.check("shop")
			copied, err := git.PlainCloneContext(t.Context(), t.TempDir(), false, &git.CloneOptions{URL: url, Auth: auth})
			if err != nil {
				t.Fatalf("clone: %v", err)
			}
			head, err := copied.Head()
			if err != nil || head.Hash().String() != want {
				t.Errorf("clone: HEAD = %v, %v, want %s", head, err, want)
			}
			next := w.commit(dir, "app.py", "print('you')\n")
			if err := r.PushContext(t.Context(), push); err != nil {
				t.Fatalf("third push: %v", err)
			}
			if err := copied.FetchContext(t.Context(), &git.FetchOptions{Auth: auth}); err != nil {
				t.Fatalf("fetch: %v", err)
			}
			if ref, err := copied.Reference("refs/remotes/origin/main", true); err != nil || ref.Hash().String() != next {
				t.Errorf("fetch: origin/main = %v, %v, want %s", ref, err, next)
			}
		})
	}
}

func (w *world) goGitAuth(t *testing.T, door string) transport.AuthMethod {
	t.Helper()
	if door == gitserver.TransportHTTP {
		return &githttp.BasicAuth{Username: "any", Password: token}
	}
	text, err := os.ReadFile(w.sshKey)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := gitssh.NewPublicKeys("git", text, "")
	if err != nil {
		t.Fatal(err)
	}
	keys.HostKeyCallback = ssh.InsecureIgnoreHostKey()
	return keys
}
