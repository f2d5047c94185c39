//go:build bench

package bench

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
)

// A door is one server as a git client sees it.
type door struct {
	url  string // ends where the repository's name begins
	dir  string // where it keeps its repositories
	make func(dir string) error
}

// address is what git pushes to.
func (d *door) address(name string) string { return d.url + name + ".git" }

func (d *door) path(name string) string { return filepath.Join(d.dir, name+".git") }

// gitDoors are our server, git http-backend and OpenSSH's sshd, each in a
// process of its own.
type gitDoors struct {
	oursHTTP, oursSSH *door
	backend, sshd     *door
}

func openDoors(t *testing.T, g *gitEnv) *gitDoors {
	t.Helper()
	for program, name := range map[string]string{"ssh": "openssh-client", "ssh-keygen": "openssh-client", sshdPath: "openssh-server"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v: install it with make bench, or apt-get install %s", err, name)
		}
	}
	ours, theirs := t.TempDir(), t.TempDir()
	both := spawn(t, g.role(t.Context(), "git-server", ours))
	web, shell, _ := strings.Cut(both, " ")

	backend := filepath.Join(g.must(t, "", "--exec-path"), "git-http-backend")
	if _, err := os.Stat(backend); err != nil {
		t.Fatalf("%v: it is part of git; apt-get install git", err)
	}
	cgi := spawn(t, g.role(t.Context(), "git-backend", theirs), programVar+"="+backend)

	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	sshd := g.startSSHD(t, me.Username)
	bare := g.bareMaker(t)
	anew := func(string) error { return nil } // the first push makes it
	return &gitDoors{
		oursHTTP: &door{url: "http://bench:" + benchToken + "@" + web + "/", dir: ours, make: anew},
		oursSSH:  &door{url: "ssh://git@" + shell + "/", dir: ours, make: anew},
		backend:  &door{url: "http://bench:" + benchToken + "@" + cgi + "/", dir: theirs, make: bare},
		sshd:     &door{url: "ssh://" + me.Username + "@" + sshd + theirs + "/", dir: theirs, make: bare},
	}
}

// bareMaker returns what makes a repository that git http-backend takes pushes
// to, by copying one: a round needs hundreds.
func (g *gitEnv) bareMaker(t *testing.T) func(dir string) error {
	t.Helper()
	model := filepath.Join(t.TempDir(), "model.git")
	g.must(t, "", "init", "-q", "--bare", "--template=", "-b", "main", model)
	g.must(t, model, "config", "http.receivepack", "true")
	return func(dir string) error { return os.CopyFS(dir, os.DirFS(model)) }
}

const sshdPath = "/usr/sbin/sshd" // it insists on an absolute path

// startSSHD starts OpenSSH's server for one user and one new key, and makes
// git's clients use that key. What would only make it slower is left out: PAM,
// which Debian switches on, and the files that the user's shell reads first.
func (g *gitEnv) startSSHD(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	for _, key := range []string{"host", "key"} {
		run(t, dir, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	}
	if os.Geteuid() == 0 { // where the part that reads the network is locked up
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	addr := freeAddress(t)
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{
		"ListenAddress 127.0.0.1", "Port " + port, "HostKey " + dir + "/host", "AuthorizedKeysFile " + dir + "/key.pub",
		"AllowUsers " + name, "PermitRootLogin prohibit-password", "PasswordAuthentication no", "KbdInteractiveAuthentication no",
		"UsePAM no", "StrictModes no", "PidFile none", "MaxStartups 100", "LogLevel ERROR",
		fmt.Sprintf("SetEnv HOME=%[1]s GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=%[1]s/config", g.home), "",
	}
	config := filepath.Join(dir, "config")
	if err := os.WriteFile(config, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), sshdPath, "-D", "-e", "-f", config)
	cmd.Stderr = &said
	stopAfter(t, cmd)
	listens(t, addr, &said)
	g.env = append(g.env, fmt.Sprintf("GIT_SSH_COMMAND=ssh -F none -i %s/key -o IdentitiesOnly=yes -o IdentityAgent=none "+
		"-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR", dir))
	return addr
}
