package gitserver_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"slipway/gitserver"
	"slipway/gitserver/repo"
)

func TestMain(m *testing.M) {
	if how := os.Getenv(localEnv); how != "" {
		os.Exit(local(how))
	}
	goleak.VerifyTestMain(m)
}

const token = "a-good-token"

// users is an Authorizer: one token, some keys, and words for one repository.
type users struct {
	mu   sync.Mutex
	keys map[string]string // fingerprint -> user
}

var _ gitserver.Authorizer = (*users)(nil)

func (u *users) Token(_ context.Context, t string) (string, error) {
	if t != token {
		return "", gitserver.ErrUnauthorized
	}
	return "ann", nil
}

func (u *users) Key(_ context.Context, key ssh.PublicKey) (string, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if user := u.keys[ssh.FingerprintSHA256(key)]; user != "" {
		return user, nil
	}
	return "", gitserver.ErrUnauthorized
}

func (u *users) Repository(_ context.Context, access gitserver.Access) error {
	switch access.Repo {
	case "missing":
		return gitserver.ErrNotFound
	case "forbidden":
		return gitserver.ErrForbidden
	case "explained":
		return &gitserver.UserError{Text: "the trial of explained is over; renew it"}
	case "broken":
		return errors.New("secret database password")
	case "readonly":
		if access.Write {
			return gitserver.ErrForbidden
		}
	}
	return nil
}

// receiver is a Receiver made of a function, which remembers what it saw.
type receiver struct {
	fn func(ctx context.Context, p *gitserver.Push, progress io.Writer) (gitserver.CommitFunc, error)

	mu     sync.Mutex
	pushes []*gitserver.Push
}

func (r *receiver) Receive(ctx context.Context, p *gitserver.Push, progress io.Writer) (gitserver.CommitFunc, error) {
	r.mu.Lock()
	r.pushes = append(r.pushes, p)
	r.mu.Unlock()
	if r.fn == nil {
		return nil, nil
	}
	return r.fn(ctx, p, progress)
}

func (r *receiver) last(t *testing.T) *gitserver.Push {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.pushes) == 0 {
		t.Fatal("the Receiver was not asked")
	}
	return r.pushes[len(r.pushes)-1]
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pushes)
}

// A world is a server on both transports and a home for git clients.
type world struct {
	t      *testing.T
	srv    *gitserver.Server
	users  *users
	recv   *receiver
	dir    string // repositories
	home   string
	http   *httptest.Server
	ssh    string // address
	sshKey string // file of a known key
}

func newWorld(t *testing.T, recv *receiver, change ...func(*gitserver.Config)) *world {
	t.Helper()
	if recv == nil {
		recv = &receiver{}
	}
	w := &world{t: t, recv: recv, users: &users{keys: map[string]string{}}, dir: t.TempDir(), home: t.TempDir()}
	cfg := gitserver.Config{
		Dir: w.dir, HostKeyDir: filepath.Join(w.home, "hostkeys"), Receiver: recv, Authorizer: w.users,
		Agent: "slipway/test", Repo: repo.Options{NoSync: true},
	}
	for _, c := range change {
		c(&cfg)
	}
	srv, err := gitserver.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.srv = srv
	mux := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !srv.MatchHTTP(r) {
			http.NotFound(rw, r)
			return
		}
		srv.HTTP().ServeHTTP(rw, r)
	})
	w.http = httptest.NewServer(mux)
	t.Cleanup(w.http.Close)
	w.sshKey = w.newKey("known", "bob")
	w.serveSSH()
	return w
}

func (w *world) serveSSH() {
	w.t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(w.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.ssh = ln.Addr().String()
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.srv.ServeSSH(ctx, ln) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("ServeSSH() = %v, want nil", err)
		}
	})
}

// newKey makes a key pair; without a user, the server does not know it.
func (w *world) newKey(name, user string) string {
	w.t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, name)
	if err != nil {
		w.t.Fatal(err)
	}
	file := filepath.Join(w.home, name)
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		w.t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(pub)
	if err != nil {
		w.t.Fatal(err)
	}
	if user != "" {
		w.users.keys[ssh.FingerprintSHA256(public)] = user
	}
	return file
}

// url is a repository's address over one transport.
func (w *world) url(transport, name string) string {
	if transport == gitserver.TransportSSH {
		return "ssh://git@" + w.ssh + "/" + name
	}
	return strings.Replace(w.http.URL, "http://", "http://any:"+token+"@", 1) + "/" + name
}

func (w *world) env(key string) []string {
	return append(os.Environ(),
		"HOME="+w.home, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "SSH_AUTH_SOCK=",
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com", "GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.com",
		"GIT_SSH_COMMAND="+w.sshCommand(key), "LC_ALL=C",
		"http_proxy=", "https_proxy=", "HTTP_PROXY=", "HTTPS_PROXY=",
	)
}

func (w *world) sshCommand(key string) string {
	return fmt.Sprintf("ssh -F /dev/null -i %s -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=%s -o LogLevel=INFO",
		key, filepath.Join(w.home, "known_hosts"))
}

// command prepares git, in a directory.
func (w *world) command(dir string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.t.Context()), 60*time.Second) // cleanups run git, too
	w.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "git", append([]string{
		"-c", "init.defaultBranch=main", "-c", "protocol.version=2", "-c", "advice.detachedHead=false", "-c", "gc.auto=0",
	}, args...)...)
	cmd.Dir = dir
	cmd.Env = w.env(w.sshKey)
	return cmd
}

// git runs git, and fails the test if git does. It returns all of the output.
func (w *world) git(dir string, args ...string) string {
	w.t.Helper()
	out, err := w.command(dir, args...).CombinedOutput()
	if err != nil {
		w.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// gitFails runs git, and fails the test unless git does.
func (w *world) gitFails(dir string, args ...string) string {
	w.t.Helper()
	out, err := w.command(dir, args...).CombinedOutput()
	if err == nil {
		w.t.Fatalf("git %s succeeded, want a failure\n%s", strings.Join(args, " "), out)
	}
	return string(out)
}

// clone makes a work tree with one commit.
func (w *world) work() string {
	w.t.Helper()
	dir := w.t.TempDir()
	w.git(dir, "init", "-q")
	w.commit(dir, "runtime.txt", "python-3.13\n")
	return dir
}

func (w *world) commit(dir, file, text string) string {
	w.t.Helper()
	path := filepath.Join(dir, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
	w.git(dir, "add", "-A")
	w.git(dir, "commit", "-q", "-m", "change "+file)
	return w.rev(dir, "HEAD")
}

func (w *world) rev(dir, name string) string {
	w.t.Helper()
	return strings.TrimSpace(w.git(dir, "rev-parse", name))
}

// ref is where a ref of the server is, "" if it does not exist.
func (w *world) ref(name, ref string) string {
	w.t.Helper()
	out, err := w.command(w.dir, "--git-dir", filepath.Join(w.dir, name+".git"), "rev-parse", "-q", "--verify", ref).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// check asks git whether a repository of the server is sound, and looks for
// leftovers.
func (w *world) check(name string) {
	w.t.Helper()
	dir := filepath.Join(w.dir, name+".git")
	out, err := w.command(w.dir, "--git-dir", dir, "fsck", "--strict", "--full").CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("error")) {
		w.t.Errorf("git fsck --strict of %s: %v\n%s", name, err, out)
	}
	w.clean(name)
}

// clean looks for quarantines, locks and temporary files.
func (w *world) clean(name string) {
	w.t.Helper()
	if left := w.leftovers(name); len(left) > 0 {
		w.t.Errorf("left behind in %s: %q", name, left)
	}
}

func (w *world) leftovers(name string) []string {
	var left []string
	_ = filepath.WalkDir(filepath.Join(w.dir, name+".git"), func(path string, _ os.DirEntry, err error) error {
		base := filepath.Base(path)
		if err == nil && (strings.Contains(base, "quarantine") || strings.HasSuffix(base, ".lock") || strings.Contains(base, "tmp")) {
			left = append(left, path)
		}
		return nil
	})
	return left
}

func (w *world) quarantines(name string) []string {
	found, _ := filepath.Glob(filepath.Join(w.dir, name+".git", "objects", "tmp_objdir-*"))
	return found
}

// eventually waits for a condition that nothing announces, such as a file that
// another goroutine removes.
func eventually(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(within)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within %v", what, within)
		}
	}
}

// transports are the doors that most tests go through.
var transports = []string{gitserver.TransportHTTP, gitserver.TransportSSH}

func wantText(t *testing.T, out string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(out, text) {
			t.Errorf("output lacks %q:\n%s", text, out)
		}
	}
}

func hash(s string) plumbing.Hash { return plumbing.NewHash(s) }

func noise(n int) string {
	r := mathrand.New(mathrand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

// A lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// hide configures hidden refs.
func hide(rules ...string) func(*gitserver.Config) {
	return func(c *gitserver.Config) { c.HiddenRefs = rules }
}
