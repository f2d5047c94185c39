package gitserver_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"slipway/gitserver"
)

// A foreignClient is a git client that is not git: a program that is told push,
// clone or fetch.
type foreignClient struct {
	name  string
	doors []string
	// command runs a verb on a repository, with refspecs for a push.
	command func(verb, url, dir string, refspecs ...string) []string
	// lenient is whether it ends well, too, when a push was refused.
	lenient bool
}

// foreignClients are those that people push with beside git and go-git. JGit
// compresses its requests; dulwich and libgit2 send them in chunks, libgit2 with
// a line end behind its capabilities; isomorphic-git sends no User-Agent.
func foreignClients() []foreignClient {
	script := func(program, file string) func(verb, url, dir string, refspecs ...string) []string {
		return func(verb, url, dir string, refspecs ...string) []string {
			return append([]string{program, filepath.Join("testdata", "clients", file), verb, url, dir}, refspecs...)
		}
	}
	// Debian's own Python has the modules of Debian's packages.
	const python = "/usr/bin/python3"
	return []foreignClient{
		{name: "JGit", doors: transports, lenient: true, command: jgit},
		{name: "dulwich", doors: transports, lenient: true, command: script(python, "dulwich_client.py")},
		{name: "libgit2", doors: transports, command: script(python, "libgit2_client.py")},
		{name: "isomorphic-git", doors: transports[:1], command: script("node", "isomorphic_client.mjs")},
	}
}

// jgit is what Debian's jgit runs, which itself leaves out a library that it needs.
func jgit(verb, url, dir string, refspecs ...string) []string {
	args := []string{"java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.awt.headless=true", "-cp", "/usr/share/java/*", "org.eclipse.jgit.pgm.Main"}
	if verb == "clone" {
		return append(args, "clone", url, dir)
	}
	args = append(args, "--git-dir", filepath.Join(dir, ".git"), verb, url)
	if verb == "fetch" {
		return append(args, "+refs/heads/*:refs/remotes/origin/*")
	}
	return append(args, refspecs...)
}

func TestForeignClients(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts Java, Python and Node.js")
	}
	for _, c := range foreignClients() {
		for _, door := range c.doors {
			t.Run(c.name+" over "+door, func(t *testing.T) {
				t.Parallel()
				testForeign(t, c, door)
			})
		}
	}
}

func testForeign(t *testing.T, c foreignClient, door string) {
	t.Helper()
	refuse := &receiver{fn: func(_ context.Context, p *gitserver.Push, progress io.Writer) (gitserver.CommitFunc, error) {
		if _, err := io.WriteString(progress, "-----> Looking at it\n"); err != nil {
			return nil, err
		}
		if p.Commands[0].Ref == "refs/heads/refused" {
			return nil, errors.New("this one is not for us")
		}
		return nil, nil
	}}
	w := newWorld(t, refuse)
	f := &foreign{world: w, client: c, url: w.url(door, "shop.git"), key: w.pemKey(t)}
	// Where JGit looks for a password.
	netrc := "machine 127.0.0.1 login any password " + token + "\n"
	if err := os.WriteFile(filepath.Join(w.home, ".netrc"), []byte(netrc), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := w.work()
	main := w.rev(dir, "HEAD")
	f.run(t, "push", dir, "refs/heads/main:refs/heads/main")
	f.at(t, "refs/heads/main", main)

	w.git(dir, "tag", "-a", "v1", "-m", "one")
	main = w.commit(dir, "lib/app.py", strings.Repeat("print('hello')\n", 200))
	out := f.run(t, "push", dir, "refs/heads/main:refs/heads/main", "refs/tags/v1:refs/tags/v1")
	wantText(t, out, "Looking at it")
	f.at(t, "refs/heads/main", main)
	f.at(t, "refs/tags/v1", w.rev(dir, "v1"))

	out = f.fails(t, "push", dir, "refs/heads/main:refs/heads/refused")
	wantText(t, out, "this one is not for us")
	f.at(t, "refs/heads/refused", "")

	copied := filepath.Join(t.TempDir(), "copy")
	f.run(t, "clone", copied)
	if got := w.rev(copied, "HEAD"); got != main {
		t.Errorf("HEAD of the clone = %s, want %s", got, main)
	}

	w.git(dir, "commit", "-q", "--amend", "-m", "another message")
	main = w.rev(dir, "HEAD")
	f.run(t, "push", dir, "+refs/heads/main:refs/heads/main", ":refs/tags/v1")
	f.at(t, "refs/heads/main", main)
	f.at(t, "refs/tags/v1", "")

	f.run(t, "fetch", copied)
	w.git(copied, "fsck", "--strict")
	if got := strings.TrimSpace(w.git(copied, "cat-file", "-t", main)); got != "commit" {
		t.Errorf("what was fetched is a %s, want a commit", got)
	}
	w.check("shop")
}

// A foreign is a client at work.
type foreign struct {
	*world
	client foreignClient
	url    string
	key    string
}

func (f *foreign) start(t *testing.T, verb, dir string, refspecs ...string) (string, error) {
	t.Helper()
	args := f.client.command(verb, f.url, dir, refspecs...)
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Env = append(f.env(f.sshKey),
		"CLIENT_TOKEN="+token, "CLIENT_KEY="+f.key, "GIT_SSH="+f.sshProgram(t),
		"JAVA_TOOL_OPTIONS=-Duser.home="+f.home)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (f *foreign) run(t *testing.T, verb, dir string, refspecs ...string) string {
	t.Helper()
	out, err := f.start(t, verb, dir, refspecs...)
	if err != nil {
		t.Fatalf("%s %s: %v (the packages that it needs come with make deps-test)\n%s", f.client.name, verb, err, out)
	}
	return out
}

func (f *foreign) fails(t *testing.T, verb, dir string, refspecs ...string) string {
	t.Helper()
	out, err := f.start(t, verb, dir, refspecs...)
	if err == nil && !f.client.lenient {
		t.Errorf("%s %s %s succeeded, want a failure\n%s", f.client.name, verb, refspecs, out)
	}
	return out
}

func (f *foreign) at(t *testing.T, ref, want string) {
	t.Helper()
	if got := f.ref("shop", ref); got != want {
		t.Fatalf("%s = %q after a push by %s, want %q", ref, got, f.client.name, want)
	}
}

// sshProgram is for clients that run ssh, but take no command line for it.
func (f *foreign) sshProgram(t *testing.T) string {
	t.Helper()
	path := filepath.Join(f.home, "ssh-program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexec "+f.sshCommand(f.sshKey)+" \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// pemKey is a key that the server knows, as libssh2 reads it.
func (w *world) pemKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(w.home, "pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+".pub", ssh.MarshalAuthorizedKey(public), 0o600); err != nil {
		t.Fatal(err)
	}
	w.users.mu.Lock()
	defer w.users.mu.Unlock()
	w.users.keys[ssh.FingerprintSHA256(public)] = "bob"
	return file
}
