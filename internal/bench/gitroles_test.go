//go:build bench

package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"golang.org/x/crypto/ssh"

	"slipway/gitserver"
	"slipway/gitserver/repo"
)

const (
	dirVar     = "SLIPWAY_BENCH_DIR"     // of one repository, or of all
	programVar = "SLIPWAY_BENCH_PROGRAM" // git http-backend

	benchToken = "bench"
)

// TestGitRole is no test: it is what the processes of TestGit run.
func TestGitRole(t *testing.T) {
	dir := os.Getenv(dirVar)
	switch os.Getenv(roleVar) {
	case "":
		t.Skip("only a part of TestGit")
	case "git-server":
		serveOurs(t, dir)
	case "git-backend":
		serveBackend(t, dir, os.Getenv(programVar))
	case "git-ingest":
		if err := takeIn(t, dir, unlimited); err != nil {
			t.Fatal(err)
		}
	case "git-refuse":
		if err := takeIn(t, dir, repo.Options{}); !errors.Is(err, repo.ErrLimit) {
			t.Fatalf("the pack should be refused for a limit, got: %v", err)
		}
	case "git-send":
		send(t, dir)
	}
}

// unlimited is for histories of any size.
var unlimited = repo.Options{MaxPackBytes: -1, MaxObjects: -1, MaxInflated: -1}

// takeIn does what a push does with the pack on standard input, with fsync.
func takeIn(t *testing.T, dir string, o repo.Options) (err error) {
	t.Helper()
	r, err := repo.Open(dir, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	q, err := r.Ingest(t.Context(), os.Stdin, repo.IngestOptions{EOF: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, q.Discard()) }()
	if err := q.CheckConnected(t.Context(), nil); err != nil {
		return err
	}
	return q.Migrate()
}

// send writes a pack of everything that references reach to nowhere, and says
// on standard error how many objects it had.
func send(t *testing.T, dir string) {
	t.Helper()
	r, err := repo.Open(dir, unlimited)
	if err != nil {
		t.Fatal(err)
	}
	refs, err := r.Refs()
	if err != nil {
		t.Fatal(err)
	}
	var tips []plumbing.Hash
	for _, ref := range refs {
		tips = append(tips, ref.Hash)
	}
	w := &packHead{}
	if err := r.WritePack(t.Context(), w, tips, nil, repo.PackOptions{OfsDelta: true}); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	n, err := w.count()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(os.Stderr, n)
}

// packHead throws a pack away but for its first bytes.
type packHead struct{ head []byte }

func (p *packHead) Write(b []byte) (int, error) {
	if missing := 12 - len(p.head); missing > 0 {
		p.head = append(p.head, b[:min(missing, len(b))]...)
	}
	return len(b), nil
}

// count is the number of objects in the pack.
func (p *packHead) count() (int, error) {
	if len(p.head) < 12 || !bytes.HasPrefix(p.head, []byte("PACK")) {
		return 0, fmt.Errorf("this does not begin as a pack: %q", p.head)
	}
	return int(binary.BigEndian.Uint32(p.head[8:])), nil
}

// serveOurs serves a directory by HTTP and SSH. Every push stands.
func serveOurs(t *testing.T, dir string) {
	t.Helper()
	srv, err := gitserver.New(gitserver.Config{Dir: dir, Authorizer: anybody{}, Repo: unlimited, MaxCommands: 1 << 20, MaxRequest: 1 << 40})
	if err != nil {
		t.Fatal(err)
	}
	var lc net.ListenConfig
	web, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	shell, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	go func() { ended <- srv.ServeSSH(t.Context(), shell) }()
	go func() { ended <- serveHTTP(web, srv.HTTP()) }()
	fmt.Println(web.Addr(), shell.Addr())
	t.Fatal(<-ended) // it is killed
}

func serveHTTP(l net.Listener, h http.Handler) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	return s.Serve(l)
}

// anybody lets everybody in who knows the token or has a key.
type anybody struct{}

func (anybody) Token(_ context.Context, token string) (string, error) {
	if token != benchToken {
		return "", gitserver.ErrUnauthorized
	}
	return "bench", nil
}

func (anybody) Key(context.Context, ssh.PublicKey) (string, error) { return "bench", nil }

func (anybody) Repository(context.Context, gitserver.Access) error { return nil }

// serveBackend serves a directory by git http-backend, behind the same sign-in.
func serveBackend(t *testing.T, dir, program string) {
	t.Helper()
	backend := &cgi.Handler{
		Path: program, Dir: dir, Stderr: io.Discard,
		Env:        []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1"},
		InheritEnv: []string{"HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "LC_ALL"},
	}
	web, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(web.Addr())
	t.Fatal(serveHTTP(web, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, token, _ := r.BasicAuth(); token != benchToken {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		// Go's CGI takes no chunked body. Git's needs no length: it reads to the end.
		r.TransferEncoding = nil
		backend.ServeHTTP(w, r)
	})))
}
