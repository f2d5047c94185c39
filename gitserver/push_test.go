package gitserver_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"slipway/gitserver"
)

func TestPushes(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			url, dir := w.url(transport, "shop.git"), w.work()

			first := w.rev(dir, "HEAD")
			w.git(dir, "push", url, "main")
			if got := w.ref("shop", "refs/heads/main"); got != first {
				t.Errorf("first push: main = %s, want %s", got, first)
			}
			w.check("shop")
			p := w.recv.last(t)
			if p.Repo != "shop" || p.Transport != transport || p.User == "" || p.ID == "" || len(p.Commands) != 1 ||
				!p.Commands[0].IsCreate() || p.Commands[0].Ref != "refs/heads/main" {
				t.Errorf("the Receiver saw %+v", p)
			}

			second := w.commit(dir, "app.py", strings.Repeat("print('hello')\n", 100))
			third := w.commit(dir, "app.py", strings.Repeat("print('hello')\n", 100)+"print('you')\n")
			w.git(dir, "push", url, "main")
			if got := w.ref("shop", "refs/heads/main"); got != third {
				t.Errorf("second push: main = %s, want %s", got, third)
			}
			w.check("shop")

			w.git(dir, "reset", "-q", "--hard", second)
			forced := w.commit(dir, "app.py", "print('changed my mind')\n")
			w.gitFails(dir, "push", url, "main")
			w.git(dir, "push", "--force", url, "main")
			if got := w.ref("shop", "refs/heads/main"); got != forced {
				t.Errorf("force push: main = %s, want %s", got, forced)
			}
			w.check("shop")

			w.git(dir, "tag", "-a", "-m", "one", "v1.0")
			w.git(dir, "push", url, "v1.0", "main:refs/heads/topic/x")
			if got, want := w.ref("shop", "refs/tags/v1.0"), w.rev(dir, "v1.0"); got != want {
				t.Errorf("tag: v1.0 = %s, want %s", got, want)
			}
			out := w.gitFails(dir, "push", url, ":main")
			wantText(t, out, "deletion of the current branch prohibited", "it cannot be deleted")
			w.git(dir, "push", url, ":topic/x", ":v1.0")
			if w.ref("shop", "refs/heads/topic/x") != "" || w.ref("shop", "refs/tags/v1.0") != "" {
				t.Error("deleted refs are still there")
			}
			if got := w.git(dir, "push", url, "main"); !strings.Contains(got, "Everything up-to-date") {
				t.Errorf("push of nothing new: %s", got)
			}
			w.check("shop")
		})
	}
}

func TestPathsWithAndWithoutGit(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			dir := w.work()
			w.git(dir, "push", w.url(transport, "shop"), "main")
			w.git(dir, "push", w.url(transport, "shop.git"), "main:other")
			if w.ref("shop", "refs/heads/other") == "" || w.ref("shop", "refs/heads/main") == "" {
				t.Error("shop and shop.git are not the same repository")
			}
		})
	}
}

func TestScpStyleAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	dir := w.work()
	host, port, _ := strings.Cut(w.ssh, ":")
	cmd := w.command(dir, "push", "git@"+host+":shop.git", "main")
	cmd.Env = append(cmd.Env, "GIT_SSH_COMMAND="+w.sshCommand(w.sshKey)+" -p "+port)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("push: %v\n%s", err, out)
	}
}

func TestTheReceiverReadsTheCommit(t *testing.T) {
	t.Parallel()
	recv := &receiver{fn: func(_ context.Context, p *gitserver.Push, progress io.Writer) (gitserver.CommitFunc, error) {
		h := p.Commands[0].New
		tree, err := p.Tree(h)
		if err != nil {
			return nil, err
		}
		text, err := fs.ReadFile(tree, "sub/app.py")
		if err != nil {
			return nil, err
		}
		c, err := p.Commit(h)
		fmt.Fprintf(progress, "%s by %s <%s>: %s", c.Subject, c.Author, c.Email, text)
		return nil, err
	}}
	w := newWorld(t, recv)
	dir := w.work()
	w.commit(dir, "sub/app.py", "print('hello')\n")
	out := w.git(dir, "push", w.url("http", "shop"), "main")
	wantText(t, out, "remote: change sub/app.py by Ann <ann@example.com>: print('hello')")
	out = w.git(dir, "-c", "tag.gpgSign=false", "push", w.url("ssh", "shop"), "HEAD:refs/heads/again")
	wantText(t, out, "remote: change sub/app.py by Ann")
}

func TestRejectedByTheReceiver(t *testing.T) {
	t.Parallel()
	recv := &receiver{fn: func(_ context.Context, p *gitserver.Push, progress io.Writer) (gitserver.CommitFunc, error) {
		if len(p.Options) > 0 {
			return nil, &gitserver.RejectError{Text: "for a reason", Reason: "no", Reasons: map[string]string{"refs/heads/b": "never"}}
		}
		fmt.Fprintln(progress, "-----> Building")
		return nil, errors.New(" !     No default language could be detected for this app.") //nolint:revive // shown to the pusher as it stands
	}}
	w := newWorld(t, recv)
	dir := w.work()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			out := w.gitFails(dir, "push", w.url(transport, "shop"), "main")
			wantText(t, out, "remote: -----> Building", "remote:  !     No default language",
				"! [remote rejected] main -> main (pre-receive hook declined)")
			out = w.gitFails(dir, "push", "-o", "x", w.url(transport, "shop"), "main:a", "main:b")
			wantText(t, out, "remote: for a reason", "main -> a (no)", "main -> b (never)")
		})
	}
	t.Cleanup(func() {
		if got := w.ref("shop", "refs/heads/main"); got != "" {
			t.Errorf("main = %s after a rejected push", got)
		}
		w.check("shop")
	})
}

func TestCommitFunc(t *testing.T) {
	t.Parallel()
	fail := errors.New("could not record the release")
	var seen string
	var w *world
	recv := &receiver{fn: func(_ context.Context, p *gitserver.Push, _ io.Writer) (gitserver.CommitFunc, error) {
		return func(context.Context) error {
			//nolint:contextcheck // the test's own git, which must not end with the push
			seen = w.ref("shop", "refs/heads/main") + "," + w.git(w.dir, "--git-dir", filepath.Join(w.dir, "shop.git"), "cat-file", "-t", p.Commands[0].New.String())
			if len(p.Options) > 0 {
				return fail
			}
			return nil
		}, nil
	}}
	w = newWorld(t, recv)
	dir := w.work()
	out := w.gitFails(dir, "push", "-o", "fail", w.url("http", "shop"), "main")
	wantText(t, out, "remote: "+fail.Error(), "pre-receive hook declined")
	if got := w.ref("shop", "refs/heads/main"); got != "" {
		t.Errorf("main = %s after a failed CommitFunc", got)
	}
	w.check("shop")
	w.git(dir, "push", w.url("http", "shop"), "main")
	if seen != ",commit\n" {
		t.Errorf("the CommitFunc saw %q, want no ref and a commit", seen)
	}
}

func TestAtomicPush(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			url, dir := w.url(transport, "shop"), w.work()
			w.git(dir, "push", url, "main")
			w.commit(dir, "a", "a")
			out := w.gitFails(dir, "push", "--atomic", url, "main", "main:refs/heads/main/sub")
			wantText(t, out, "conflicts with another ref", "atomic push failure")
			if got := w.ref("shop", "refs/heads/main"); got == w.rev(dir, "HEAD") {
				t.Error("main moved with a failed atomic push")
			}
			if n := w.recv.count(); n != 1 {
				t.Errorf("the Receiver was asked %d times, want 1", n)
			}
			out = w.gitFails(dir, "push", url, "main", "main:refs/heads/main/sub")
			wantText(t, out, "conflicts with another ref")
			if got := w.ref("shop", "refs/heads/main"); got != w.rev(dir, "HEAD") {
				t.Error("main did not move with a push that is not atomic")
			}
			w.git(dir, "push", "--atomic", url, "main:x", "main:y")
			if !w.recv.last(t).Atomic {
				t.Error("the Receiver was not told that the push is atomic")
			}
			w.check("shop")
		})
	}
}

func TestPushOptions(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			url, dir := w.url(transport, "shop"), w.work()
			w.git(dir, "push", "--push-option", "no-cache", "-o", "builder=heroku/builder:24", url, "main")
			if got := strings.Join(w.recv.last(t).Options, "|"); got != "no-cache|builder=heroku/builder:24" {
				t.Errorf("Options = %q", got)
			}
		})
	}
}

// Progress arrives while the Receiver works: it returns only after the client
// has shown its line.
func TestProgressIsLive(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			shown := make(chan struct{})
			recv := &receiver{fn: func(ctx context.Context, _ *gitserver.Push, progress io.Writer) (gitserver.CommitFunc, error) {
				for i := range 3 {
					fmt.Fprintf(progress, "line %d\n", i)
					select {
					case <-shown:
					case <-ctx.Done():
						return nil, ctx.Err()
					}
				}
				return nil, nil
			}}
			w := newWorld(t, recv)
			dir := w.work()
			cmd := w.command(dir, "push", w.url(transport, "shop"), "main")
			out, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			for lines.Scan() {
				if strings.Contains(lines.Text(), "remote: line") {
					shown <- struct{}{}
				}
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("push: %v", err)
			}
		})
	}
}

func TestLongProgressIsSplit(t *testing.T) {
	t.Parallel()
	line := strings.Repeat("x", 150_000)
	recv := &receiver{fn: func(_ context.Context, _ *gitserver.Push, progress io.Writer) (gitserver.CommitFunc, error) {
		_, err := io.WriteString(progress, line+"\n")
		return nil, err
	}}
	w := newWorld(t, recv)
	// Over HTTP only: ssh makes the pipe that it shares with git non-blocking,
	// and git then loses what does not fit.
	out := w.git(w.work(), "push", w.url("http", "shop"), "main")
	if strings.Count(out, "x") < len(line) {
		t.Errorf("%d of %d bytes arrived", strings.Count(out, "x"), len(line))
	}
}

func TestKilledClientCancels(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			building, cancelled := make(chan struct{}), make(chan time.Time, 1)
			recv := &receiver{fn: func(ctx context.Context, _ *gitserver.Push, progress io.Writer) (gitserver.CommitFunc, error) {
				fmt.Fprintln(progress, "-----> Building")
				close(building)
				<-ctx.Done()
				cancelled <- time.Now()
				return nil, ctx.Err()
			}}
			w := newWorld(t, recv)
			dir := w.work()
			cmd := w.command(dir, "push", w.url(transport, "shop"), "main")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-building
			killed := time.Now()
			if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil { // as Ctrl-C does
				t.Fatal(err)
			}
			_ = cmd.Wait()
			select {
			case at := <-cancelled:
				if took := at.Sub(killed); took > time.Second {
					t.Errorf("cancelled after %v, want within a second", took)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("not cancelled")
			}
			eventually(t, 2*time.Second, "leftovers are gone", func() bool { return len(w.leftovers("shop")) == 0 })
			if got := w.ref("shop", "refs/heads/main"); got != "" {
				t.Errorf("main = %s after a cancelled push", got)
			}
		})
	}
}

func TestPushesQueue(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			release := make(chan struct{})
			entered := make(chan string, 2)
			recv := &receiver{fn: func(ctx context.Context, p *gitserver.Push, _ io.Writer) (gitserver.CommitFunc, error) {
				entered <- p.Commands[0].Ref
				select {
				case <-release:
				case <-ctx.Done():
				}
				return nil, ctx.Err()
			}}
			w := newWorld(t, recv)
			dir := w.work()
			url := w.url(transport, "shop")
			first, second := w.command(dir, "push", url, "main:one"), w.command(dir, "push", url, "main:two")
			if err := first.Start(); err != nil {
				t.Fatal(err)
			}
			if got := <-entered; got != "refs/heads/one" {
				t.Fatalf("entered: %s", got)
			}
			out, err := second.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := second.Start(); err != nil {
				t.Fatal(err)
			}
			lines, waiting := bufio.NewScanner(out), false
			for lines.Scan() {
				if strings.Contains(lines.Text(), "Waiting for another push to shop to finish...") {
					waiting = true
					// Another repository does not wait.
					other := w.command(dir, "push", w.url(transport, "other"), "main:three")
					if err := other.Start(); err != nil {
						t.Fatal(err)
					}
					if got := <-entered; got != "refs/heads/three" {
						t.Errorf("entered: %s", got)
					}
					close(release)
					if err := other.Wait(); err != nil {
						t.Errorf("push to another repository: %v", err)
					}
				}
			}
			if !waiting {
				t.Error("nothing was said of waiting")
			}
			if err := errors.Join(first.Wait(), second.Wait()); err != nil {
				t.Error(err)
			}
			w.check("shop")
		})
	}
}

// Of two pushes from the same state, the second loses before it is built.
func TestStalePushIsNotBuilt(t *testing.T) {
	t.Parallel()
	release, entered := make(chan struct{}), make(chan struct{}, 2)
	recv := &receiver{fn: func(_ context.Context, p *gitserver.Push, _ io.Writer) (gitserver.CommitFunc, error) {
		entered <- struct{}{}
		<-release
		return nil, nil
	}}
	w := newWorld(t, recv)
	url, one, two := w.url("http", "shop"), w.work(), w.work()
	w.commit(two, "b", "b")
	first, second := w.command(one, "push", url, "main"), w.command(two, "push", url, "main")
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	<-entered
	out, err := second.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		fmt.Fprintln(&text, lines.Text())
		if strings.Contains(lines.Text(), "Waiting for") {
			close(release)
		}
	}
	if err := first.Wait(); err != nil {
		t.Error(err)
	}
	if err := second.Wait(); err == nil {
		t.Error("the second push succeeded")
	}
	wantText(t, text.String(), "the ref moved meanwhile; fetch first")
	if n := w.recv.count(); n != 1 {
		t.Errorf("the Receiver was asked %d times, want 1", n)
	}
	if got, want := w.ref("shop", "refs/heads/main"), w.rev(one, "HEAD"); got != want {
		t.Errorf("main = %s, want %s", got, want)
	}
}

// A pack larger than http.postBuffer is sent in chunks, after a probe.
func TestBigPush(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			url, dir := w.url(transport, "shop"), w.work()
			data := noise(3 << 20)
			w.commit(dir, "noise", data)
			w.git(dir, "-c", "http.postBuffer=65536", "push", url, "main")
			w.check("shop")
			back := t.TempDir()
			w.git(back, "clone", "-q", url, "copy")
			got, err := os.ReadFile(filepath.Join(back, "copy", "noise"))
			if err != nil || string(got) != data {
				t.Errorf("the clone differs: %v", err)
			}
		})
	}
}

func TestShallowPush(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	dir := w.work()
	w.commit(dir, "a", "1")
	w.commit(dir, "a", "2")
	shallow := t.TempDir()
	w.git(shallow, "clone", "-q", "--depth", "1", "file://"+dir, "copy")
	copied := filepath.Join(shallow, "copy")
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			recv := &receiver{}
			alone := newWorld(t, recv)
			out := alone.gitFails(copied, "push", alone.url(transport, "open"), "main")
			wantText(t, out, "your clone is shallow", "git fetch --unshallow", "shallow update not allowed")
			if recv.count() != 0 {
				t.Error("the Receiver was asked about a history that is not there")
			}
			alone.check("open")
			// The history behind it is there: accepted.
			w.git(dir, "push", w.url(transport, "closed-"+transport), "main")
			w.git(copied, "push", w.url(transport, "closed-"+transport), "main:again")
			w.check("closed-" + transport)
		})
	}
}

func TestPushTimeout(t *testing.T) {
	t.Parallel()
	recv := &receiver{fn: func(ctx context.Context, _ *gitserver.Push, _ io.Writer) (gitserver.CommitFunc, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	w := newWorld(t, recv, func(c *gitserver.Config) { c.PushTimeout = 300 * time.Millisecond })
	dir := w.work()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			out := w.gitFails(dir, "push", w.url(transport, "shop"), "main")
			wantText(t, out, "took too long", "nothing was changed", "remote rejected")
		})
	}
}

func TestRecoverAndRemove(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	dir := w.work()
	w.git(dir, "push", w.url("http", "shop"), "main")
	for _, stray := range []string{".removed-1/shop", ".tmp-shop.git-1/refs", "broken.git/x", "shop.git/objects/tmp_objdir-incoming-1"} {
		if err := os.MkdirAll(filepath.Join(w.dir, stray), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.srv.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.check("shop")
	if err := os.RemoveAll(filepath.Join(w.dir, "broken.git")); err != nil {
		t.Fatal(err)
	}
	if !w.srv.RepositoryExists("shop") || w.srv.RepositoryExists("../shop") || w.srv.RepositoryExists("nothing") {
		t.Error("RepositoryExists is wrong")
	}
	if err := w.srv.RemoveRepository(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	if w.srv.RepositoryExists("shop") {
		t.Error("a removed repository exists")
	}
	if err := w.srv.RemoveRepository(t.Context(), "shop"); err != nil {
		t.Errorf("RemoveRepository of nothing = %v", err)
	}
	if err := w.srv.RemoveRepository(t.Context(), "../shop"); !errors.Is(err, gitserver.ErrName) {
		t.Errorf("RemoveRepository(../shop) = %v, want ErrName", err)
	}
	entries, err := os.ReadDir(w.dir)
	if err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestFinishRef(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	dir := w.work()
	url := w.url("http", "shop")
	w.git(dir, "push", url, "main")
	before := hash(w.rev(dir, "HEAD"))
	after := hash(w.commit(dir, "a", "a"))
	w.git(dir, "push", url, "main:other")
	for _, name := range []string{"moves", "stays"} {
		if err := w.srv.FinishRef(t.Context(), "shop", "refs/heads/main", before, after); err != nil {
			t.Errorf("%s: FinishRef() = %v", name, err)
		}
		if got := w.ref("shop", "refs/heads/main"); got != after.String() {
			t.Errorf("%s: main = %s, want %s", name, got, after)
		}
	}
	if err := w.srv.FinishRef(t.Context(), "shop", "refs/heads/main", hash(""), before); !errors.Is(err, gitserver.ErrConflict) {
		t.Errorf("FinishRef() = %v, want ErrConflict", err)
	}
	w.check("shop")
}

func TestTooManyPushesWait(t *testing.T) {
	t.Parallel()
	release, entered := make(chan struct{}), make(chan struct{}, 2)
	recv := &receiver{fn: func(context.Context, *gitserver.Push, io.Writer) (gitserver.CommitFunc, error) {
		entered <- struct{}{}
		<-release
		return nil, nil
	}}
	w := newWorld(t, recv, func(c *gitserver.Config) { c.MaxQueued = 1 })
	url, dir := w.url("http", "shop"), w.work()
	first, second := w.command(dir, "push", url, "main:one"), w.command(dir, "push", url, "main:two")
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	<-entered
	waitFor(t, second.StderrPipe, second.Start, "Waiting for another push")
	wantText(t, w.gitFails(dir, "push", url, "main:three"), "too many pushes to shop are waiting; push again later")
	close(release)
	if err := errors.Join(first.Wait(), second.Wait()); err != nil {
		t.Error(err)
	}
	w.check("shop")
}

// waitFor starts a command, and returns when it has said something.
func waitFor(t *testing.T, pipe func() (io.ReadCloser, error), start func() error, text string) {
	t.Helper()
	out, err := pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), text) {
			return
		}
	}
	t.Fatalf("%q was not said", text)
}

// A waiting client that goes away leaves the queue.
func TestKilledWhileWaiting(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			release, entered := make(chan struct{}), make(chan string, 3)
			recv := &receiver{fn: func(_ context.Context, p *gitserver.Push, _ io.Writer) (gitserver.CommitFunc, error) {
				entered <- p.Commands[0].Ref
				<-release
				return nil, nil
			}}
			w := newWorld(t, recv)
			url, dir := w.url(transport, "shop"), w.work()
			first, second := w.command(dir, "push", url, "main:one"), w.command(dir, "push", url, "main:two")
			if err := first.Start(); err != nil {
				t.Fatal(err)
			}
			<-entered
			second.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			waitFor(t, second.StderrPipe, second.Start, "Waiting for another push")
			if err := syscall.Kill(-second.Process.Pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			_ = second.Wait()
			// Its quarantine goes at once, the first one's stays.
			eventually(t, 2*time.Second, "its quarantine is gone", func() bool { return len(w.quarantines("shop")) == 1 })
			close(release)
			if err := first.Wait(); err != nil {
				t.Error(err)
			}
			w.git(dir, "push", url, "main:three")
			if got := <-entered; got != "refs/heads/three" {
				t.Errorf("the Receiver was asked about %s", got)
			}
			w.check("shop")
		})
	}
}

// A connection that breaks in the middle of a pack leaves nothing behind.
func TestBrokenUpload(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	dir := w.work()
	w.commit(dir, "noise", noise(1<<20))
	body := w.pushBody(t, dir, "refs/heads/main", "report-status side-band-64k")
	ctx, cancel := context.WithCancel(t.Context())
	in, out := io.Pipe()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.http.URL+"/shop/git-receive-pack", in)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/x-git-receive-pack-request")
	done := make(chan error, 1)
	go func() {
		resp, err := w.http.Client().Do(req)
		if err == nil {
			resp.Body.Close()
		}
		done <- err
	}()
	if _, err := out.Write(body[:len(body)/2]); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, "a quarantine is there", func() bool { return len(w.quarantines("shop")) == 1 })
	cancel()
	out.Close()
	<-done
	eventually(t, 2*time.Second, "leftovers are gone", func() bool { return len(w.leftovers("shop")) == 0 })
	if w.recv.count() != 0 {
		t.Error("the Receiver was asked")
	}
}

// A Receiver that panics ends its push, not the server.
func TestPanic(t *testing.T) {
	t.Parallel()
	recv := &receiver{fn: func(_ context.Context, p *gitserver.Push, _ io.Writer) (gitserver.CommitFunc, error) {
		if len(p.Options) > 0 {
			panic("a bug")
		}
		return nil, nil
	}}
	w := newWorld(t, recv)
	url, dir := w.url("ssh", "shop"), w.work()
	w.gitFails(dir, "push", "-o", "panic", url, "main")
	w.git(dir, "push", url, "main")
	w.check("shop")
}

// A clone of an app whose only branch is master has something to check out.
func TestHeadFollowsTheFirstBranch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	url, dir := w.url("http", "shop"), w.work()
	for _, step := range []struct{ branch, head string }{
		{"topic", "refs/heads/main"}, {"master", "refs/heads/master"}, {"main", "refs/heads/master"},
	} {
		w.git(dir, "push", url, "main:"+step.branch)
		got := strings.TrimSpace(w.git(w.dir, "--git-dir", filepath.Join(w.dir, "shop.git"), "symbolic-ref", "HEAD"))
		if got != step.head {
			t.Errorf("after a push of %s: HEAD = %s, want %s", step.branch, got, step.head)
		}
	}
	w.check("shop")
}
