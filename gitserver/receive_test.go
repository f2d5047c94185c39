package gitserver_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/gitserver"
)

// A lease that was kept is a push; one that was broken while the push was
// under way is refused, in both kinds of reports, and one that the client
// itself sees broken does not reach us.
func TestForceWithLease(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			url, dir := w.url(transport, "shop"), w.work()
			w.git(dir, "push", "-q", url, "main")
			old := w.rev(dir, "main")
			w.git(dir, "commit", "-q", "--amend", "-m", "amended")
			w.git(dir, "push", "--force-with-lease=main:"+old, url, "main")
			amended := w.rev(dir, "main")
			w.git(dir, "commit", "-q", "--amend", "-m", "again")
			wantText(t, w.gitFails(dir, "push", "--force-with-lease=main:"+old, url, "main"), "stale info")

			// git runs this hook between our advertisement and its commands.
			other := w.work()
			hook := fmt.Sprintf("#!/bin/sh\nunset GIT_DIR\ncd '%s' && git push -q --force '%s' main\n", other, url)
			if err := os.WriteFile(filepath.Join(dir, ".git", "hooks", "pre-push"), []byte(hook), 0o755); err != nil {
				t.Fatal(err)
			}
			asked := w.recv.count()
			out := w.gitFails(dir, "push", "--force-with-lease=main:"+amended, url, "main", "main:y")
			wantText(t, out, "main -> main (the ref moved meanwhile; fetch first)", "[new branch]      main -> y")
			if got, want := w.ref("shop", "refs/heads/main"), w.rev(other, "main"); got != want {
				t.Errorf("main = %s, want the other's %s", got, want)
			}
			if w.recv.count() != asked+2 {
				t.Errorf("the Receiver was asked %d times, want 2", w.recv.count()-asked)
			}
			for _, caps := range []string{"report-status", "report-status-v2", "report-status report-status-v2 side-band-64k"} {
				wantText(t, w.rawPush(t, transport, "shop", w.pushBody(t, dir, "refs/heads/main", caps)),
					"unpack ok\n", "ng refs/heads/main the ref moved meanwhile; fetch first\n")
			}
			w.check("shop")
		})
	}
}

// A signed push is refused in words if one comes, but a client that signs only
// where the server can read it just pushes.
func TestSignedPush(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	dir := w.work()
	for _, transport := range transports {
		w.git(dir, "push", "--signed=if-asked", w.url(transport, "shop"), "main:"+transport)
		wantText(t, w.gitFails(dir, "push", "--signed", w.url(transport, "shop"), "main"), "does not support --signed push")
		cert := "push-cert\x00report-status side-band-64k\n"
		body := fmt.Sprintf("%04x%s0014certificate 0.1\n0000", len(cert)+4, cert)
		wantText(t, w.rawPush(t, transport, "shop", []byte(body)), "signed pushes are not accepted here; push again with --no-signed")
	}
	w.check("shop")
}

// Repositories of the other object format are refused in both directions.
func TestSHA256(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	other := t.TempDir()
	w.git(other, "init", "-q", "--object-format=sha256")
	w.commit(other, "a", "b")
	w.git(w.dir, "init", "-q", "--bare", "--object-format=sha256", "theirs.git")
	dir := w.work()
	w.git(dir, "push", "-q", w.url("http", "shop"), "main")
	for _, transport := range transports {
		wantText(t, w.gitFails(other, "push", w.url(transport, "shop"), "main"), "hash algorithm")
		wantText(t, w.gitFails(other, "fetch", w.url(transport, "shop")), "mismatched algorithms")
		for _, out := range []string{
			w.gitFails(dir, "push", w.url(transport, "theirs"), "main"),
			w.gitFails(dir, "clone", w.url(transport, "theirs"), filepath.Join(t.TempDir(), "copy")),
		} {
			wantText(t, out, "a format that is not served here, such as sha256")
			if strings.Contains(out, w.dir) {
				t.Errorf("the server's paths were shown:\n%s", out)
			}
		}
	}
}

// A push that cannot have memory for too long is told so, and leaves nothing.
func TestMemoryBudget(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, func(c *gitserver.Config) { c.MemoryBudget = 1 << 20 })
	dir := w.work()
	w.commit(dir, "noise", noise(3<<20))
	w.commit(dir, "noise", noise(3<<20)+"more")
	errs := make(chan string)
	const pushes = 6
	for i := range pushes {
		go func() {
			out, err := w.command(dir, "push", w.url(transports[i%2], fmt.Sprintf("shop%d", i)), "main").CombinedOutput()
			if err != nil {
				errs <- fmt.Sprintf("%v\n%s", err, out)
				return
			}
			errs <- ""
		}()
	}
	for range pushes {
		if err := <-errs; err != "" {
			t.Errorf("push: %s", err)
		}
	}
	for i := range pushes {
		w.check(fmt.Sprintf("shop%d", i))
		w.git(t.TempDir(), "clone", "-q", w.url("http", fmt.Sprintf("shop%d", i)), "copy")
	}
}

// Over HTTP, a client learns that it is refused although it still sends.
func TestToldWhileSending(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	r := w.raw(t, "http", "shop")
	go func() {
		_, _ = r.in.Write([]byte("garbage")) // it is refused
		r.in.Close()
	}()
	begin := time.Now()
	wantText(t, r.answer(t), "ERR ")
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("told after %v", took)
	}
	resp := w.do(t, http.MethodPost, "/shop/git-receive-pack", strings.NewReader(""), "Content-Type", receiveType)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("an empty request: %s", resp.Status)
	}
}
