package gitserver_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/crypto/ssh"

	"slipway/gitserver"
)

// friends lets in whoever knows the token, to any repository.
type friends struct{}

func (friends) Token(_ context.Context, token string) (string, error) {
	if token != "open-sesame" {
		return "", gitserver.ErrUnauthorized
	}
	return "friend", nil
}

func (friends) Key(context.Context, ssh.PublicKey) (string, error) {
	return "", gitserver.ErrUnauthorized
}

func (friends) Repository(context.Context, gitserver.Access) error { return nil }

// readme rejects pushes without a README.
type readme struct{}

func (readme) Receive(_ context.Context, p *gitserver.Push, progress io.Writer) (gitserver.CommitFunc, error) {
	for _, cmd := range p.Commands {
		if cmd.IsDelete() {
			continue
		}
		tree, err := p.Tree(cmd.New)
		if err != nil {
			return nil, err
		}
		text, err := fs.ReadFile(tree, "README")
		if err != nil {
			return nil, &gitserver.RejectError{Text: " !     Add a README, then push again.", Reason: "no README"}
		}
		fmt.Fprintf(progress, "-----> %s", text)
	}
	return nil, nil
}

// A git server of its own, with a rule.
func Example() {
	dir, err := os.MkdirTemp("", "gitserver")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	srv, err := gitserver.New(gitserver.Config{Dir: dir + "/repositories", Authorizer: friends{}, Receiver: readme{}})
	if err != nil {
		panic(err)
	}
	if err := srv.Recover(context.Background()); err != nil { // what a crash may have left
		panic(err)
	}
	web := httptest.NewServer(srv.HTTP()) // or http.ListenAndServe
	defer web.Close()
	defer http.DefaultClient.CloseIdleConnections()

	script := `
		git init -q work && cd work
		echo hello >app && git add app && git commit -q -m one
		git push -q "$1" HEAD:main
		echo Welcome >README && git add README && git commit -q -m two
		git push -q "$1" HEAD:main`
	url := strings.Replace(web.URL, "://", "://x:open-sesame@", 1) + "/shop.git"
	cmd := exec.CommandContext(context.Background(), "sh", "-c", script, "sh", url)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@b")
	out, err := cmd.CombinedOutput()
	if err != nil {
		fmt.Println(err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "remote:") || strings.Contains(line, "[remote rejected]") {
			fmt.Println(strings.TrimSpace(line))
		}
	}
	// Output:
	// remote:  !     Add a README, then push again.
	// ! [remote rejected] HEAD -> main (no README)
	// remote: -----> Welcome
}
