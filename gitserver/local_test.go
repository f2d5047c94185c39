package gitserver_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/gitserver"
	"slipway/gitserver/pktline"
	"slipway/gitserver/repo"
)

// localEnv has the test binary stand for git's programs.
const localEnv = "GITSERVER_TEST_LOCAL"

func local(how string) int {
	l := gitserver.Local{
		Dir: os.Args[len(os.Args)-1], Push: strings.HasPrefix(how, "receive"),
		Protocol: os.Getenv("GIT_PROTOCOL"), Stderr: os.Stderr,
	}
	if strings.HasSuffix(how, "+hooks") {
		l.Hooks = &gitserver.Hooks{Env: os.Environ()}
	}
	for _, arg := range os.Args[1:] {
		l.Stateless = l.Stateless || arg == "--stateless-rpc"
		l.Advertise = l.Advertise || arg == "--http-backend-info-refs" || arg == "--advertise-refs"
	}
	if err := gitserver.ServeLocal(context.Background(), gitserver.Config{Repo: repo.Options{NoSync: true}}, l, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "fatal:", err)
		return 128
	}
	return 0
}

// program is what git is told to run.
func program(t *testing.T, how string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return "env " + localEnv + "=" + how + " " + self
}

// A home has git and directories, but no server.
func newHome(t *testing.T) *world {
	t.Helper()
	return &world{t: t, users: &users{keys: map[string]string{}}, dir: t.TempDir(), home: t.TempDir()}
}

func TestLocal(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("every way of git takes its time: not with -short")
	}
	w := newHome(t)
	dir := w.work()
	first := w.commit(dir, "a", "one\n")
	for _, name := range []string{"bare.git", "bare", "with space"} {
		w.git(w.dir, "init", "-q", "--bare", name)
		path := filepath.Join(w.dir, name)
		w.git(dir, "push", "--receive-pack="+program(t, "receive"), path, "main")
		if got := w.rev(path, "refs/heads/main"); got != first {
			t.Errorf("%s: main = %s, want %s", name, got, first)
		}
		w.git(path, "fsck", "--strict")
		for _, version := range []string{"0", "1", "2"} {
			to := filepath.Join(t.TempDir(), "clone")
			w.git(w.dir, "-c", "protocol.version="+version, "clone", "-q", "--upload-pack="+program(t, "upload"), "file://"+path, to)
			if got := w.rev(to, "HEAD"); got != first {
				t.Errorf("%s, version %s: HEAD = %s, want %s", name, version, got, first)
			}
		}
	}
	// ".git" may be left out, and a work tree stands for its repository.
	w.git(dir, "push", "-q", "--receive-pack="+program(t, "receive"), filepath.Join(w.dir, "bare.git"), "main:again")
	w.git(dir, "ls-remote", "--upload-pack="+program(t, "upload"), "file://"+dir)
	out := w.gitFails(dir, "push", "--receive-pack="+program(t, "receive"), "--force", "file://"+dir, "HEAD~1:main")
	wantText(t, out, "branch is currently checked out", "push to another branch")
	if got := w.rev(dir, "main"); got != first {
		t.Errorf("the checked out branch moved to %s", got)
	}
	out = w.gitFails(dir, "push", "--receive-pack="+program(t, "receive"), "file://"+w.dir, "main")
	wantText(t, out, "does not appear to be a git repository")
}

func TestLocalRefusesFormats(t *testing.T) {
	t.Parallel()
	w := newHome(t)
	dir := w.work()
	sha256 := filepath.Join(w.dir, "sha256.git")
	w.git(w.dir, "init", "-q", "--bare", "--object-format=sha256", sha256)
	shared := filepath.Join(w.dir, "shared.git")
	w.git(w.dir, "clone", "-q", "--bare", "--shared", dir, shared)
	for path, text := range map[string]string{sha256: "sha256", shared: "git repack -a"} {
		wantText(t, w.gitFails(dir, "push", "--receive-pack="+program(t, "receive"), path, "main"), text)
		wantText(t, w.gitFails(dir, "ls-remote", "--upload-pack="+program(t, "upload"), path), text)
	}
}

// Behind a web server, one process advertises and another takes the request.
func TestLocalStateless(t *testing.T) {
	t.Parallel()
	w := newHome(t)
	dir := w.work()
	path := filepath.Join(w.dir, "shop.git")
	w.git(w.dir, "init", "-q", "--bare", path)
	run := func(in []byte, l gitserver.Local) string {
		t.Helper()
		var out bytes.Buffer
		l.Dir = path
		if err := gitserver.ServeLocal(t.Context(), gitserver.Config{}, l, bytes.NewReader(in), &out); err != nil {
			t.Errorf("ServeLocal(%+v) = %v", l, err)
		}
		return out.String()
	}
	wantText(t, run(nil, gitserver.Local{Push: true, Advertise: true}), "capabilities^{}", "report-status-v2")
	body := w.pushBody(t, dir, "refs/heads/main", "report-status side-band-64k")
	wantText(t, run(body, gitserver.Local{Push: true, Stateless: true}), "unpack ok", "ok refs/heads/main")
	wantText(t, run(nil, gitserver.Local{Advertise: true}), w.rev(dir, "main")+" refs/heads/main")
	wantText(t, run(nil, gitserver.Local{Advertise: true, Protocol: "version=2"}), "version 2", "ls-refs")
	wantText(t, run([]byte("0013command=ls-refs0000"), gitserver.Local{Stateless: true, Protocol: "version=2"}), "refs/heads/main")
}

// Who starts a push and falls silent is ended by the context, or the time-out.
func TestLocalEnds(t *testing.T) {
	t.Parallel()
	w := newHome(t)
	dir := w.work()
	path := filepath.Join(w.dir, "shop.git")
	w.git(w.dir, "init", "-q", "--bare", path)
	body := w.pushBody(t, dir, "refs/heads/main", "report-status side-band-64k")
	for _, how := range []string{"cancelled", "timed out"} {
		ctx, cancel := context.WithCancel(t.Context())
		cfg := gitserver.Config{PushTimeout: time.Hour}
		if how == "timed out" {
			cfg.PushTimeout = 300 * time.Millisecond
		}
		r, pw := io.Pipe()
		done := make(chan error, 1)
		out := &lockedBuffer{}
		go func() {
			done <- gitserver.ServeLocal(ctx, cfg, gitserver.Local{Dir: path, Push: true}, r, out)
		}()
		if _, err := pw.Write(body[:len(body)-20]); err != nil {
			t.Fatal(err)
		}
		if how == "cancelled" {
			eventually(t, 5*time.Second, "a quarantine is there", func() bool { return len(w.quarantines("shop")) == 1 })
			cancel()
		}
		if err := <-done; errors.Is(err, context.Canceled) != (how == "cancelled") {
			t.Errorf("%s: ServeLocal() = %v", how, err)
		}
		wantText(t, out.String(), "ng refs/heads/main")
		cancel()
		pw.Close()
		w.clean("shop")
	}
}

func TestLocalGarbage(t *testing.T) {
	t.Parallel()
	w := newHome(t)
	path := filepath.Join(w.dir, "shop.git")
	w.git(w.dir, "init", "-q", "--bare", path)
	for in, want := range map[string]error{"": nil, "0000": nil, "garbage": pktline.ErrLength, "0008": io.ErrUnexpectedEOF} {
		err := gitserver.ServeLocal(t.Context(), gitserver.Config{}, gitserver.Local{Dir: path, Push: true}, strings.NewReader(in), io.Discard)
		if in == "" {
			if err == nil {
				t.Error("hung up: no error")
			}
			continue
		}
		if !errors.Is(err, want) {
			t.Errorf("%q: ServeLocal() = %v, want %v", in, err, want)
		}
	}
	err := gitserver.ServeLocal(t.Context(), gitserver.Config{}, gitserver.Local{Dir: w.home}, strings.NewReader(""), io.Discard)
	if !errors.Is(err, repo.ErrNotRepository) {
		t.Errorf("ServeLocal() = %v, want %v", err, repo.ErrNotRepository)
	}
}
