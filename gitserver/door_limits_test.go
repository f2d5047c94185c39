package gitserver_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"slipway/gitserver"
)

// exchange sends bytes over a connection of its own, and returns what comes back.
func (w *world) exchange(t *testing.T, address string, in []byte) string {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(in); err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("read answer: %v, after %q", err, out)
	}
	return string(out)
}

func TestRequestCaps(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*gitserver.Config)
		status int
		text   string
	}{
		"all":     {func(c *gitserver.Config) { c.MaxRequests = 1 }, http.StatusServiceUnavailable, "hands full"},
		"address": {func(c *gitserver.Config) { c.MaxPerAddress = 1 }, http.StatusTooManyRequests, "from your address"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			building, release := make(chan struct{}), make(chan struct{})
			recv := &receiver{fn: func(context.Context, *gitserver.Push, io.Writer) (gitserver.CommitFunc, error) {
				close(building)
				<-release
				return nil, nil
			}}
			w := newWorld(t, recv, c.change)
			r := w.raw(t, "http", "shop")
			if _, err := r.in.Write(w.pushBody(t, w.work(), "refs/heads/main", "report-status")); err != nil {
				t.Fatal(err)
			}
			r.in.Close()
			<-building
			resp := w.do(t, http.MethodGet, "/shop/info/refs?service=git-upload-pack", nil)
			defer resp.Body.Close()
			text, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != c.status || resp.Header.Get("Retry-After") == "" || !strings.Contains(string(text), c.text) {
				t.Errorf("%s, %v: %s, want %d and %q", resp.Status, resp.Header, text, c.status, c.text)
			}
			close(release)
			wantText(t, r.answer(t), "unpack ok")
			eventually(t, 5*time.Second, "there is room again", func() bool {
				resp := w.do(t, http.MethodGet, "/shop/info/refs?service=git-upload-pack", nil)
				resp.Body.Close()
				return resp.StatusCode == http.StatusOK
			})
		})
	}
}

func TestConnectionsOfOneAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, func(c *gitserver.Config) { c.MaxPerAddress = 1 })
	c := w.dialSSH(t)
	wantText(t, w.exchange(t, w.ssh, nil), "too many connections from your address")
	c.Close()
	eventually(t, 5*time.Second, "there is room again", func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.ssh)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		head := make([]byte, 3)
		_, err = io.ReadFull(conn, head)
		return err == nil && string(head) == "SSH"
	})
}

func TestFailedSignIns(t *testing.T) {
	t.Parallel()
	const limit = 3
	fewer := func(c *gitserver.Config) { c.MaxFailures = limit }
	try := func(w *world, token string) (status int, wait string) {
		t.Helper()
		resp := w.do(t, http.MethodGet, "/shop/info/refs?service=git-upload-pack", nil, "Authorization", "Bearer "+token)
		resp.Body.Close()
		return resp.StatusCode, resp.Header.Get("Retry-After")
	}
	for _, seen := range []bool{true, false} {
		t.Run(fmt.Sprintf("http, seen before: %t", seen), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil, fewer)
			if seen {
				try(w, token)
			}
			for i := range limit + 1 {
				status, wait := try(w, fmt.Sprint("guess", i))
				want := http.StatusUnauthorized
				if i == limit {
					want = http.StatusTooManyRequests
				}
				if status != want || (wait != "") != (i == limit) {
					t.Errorf("guess %d: %d, wait %q, want %d", i, status, wait, want)
				}
			}
			want := http.StatusTooManyRequests
			if seen {
				want = http.StatusOK
			}
			if status, _ := try(w, token); status != want {
				t.Errorf("the right token: %d, want %d", status, want)
			}
			wantText(t, w.gitFails(w.home, "ls-remote", strings.Replace(w.url("http", "shop"), token, "guess", 1)), "too many failed sign-ins", "429")
		})
	}
	t.Run("without a token", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil, fewer)
		for range 2 * limit {
			if resp := w.do(t, http.MethodGet, "/shop/info/refs", nil, "Authorization", ""); resp.Body.Close() == nil && resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s, want 401: no sign-in was tried", resp.Status)
			}
		}
	})
	t.Run("another door", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil, fewer)
		var asked atomic.Int32
		door := httptest.NewServer(w.srv.LimitSignIns(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			if r.Header.Get("Authorization") != "Bearer "+token {
				rw.WriteHeader(http.StatusUnauthorized)
				return
			}
			_, _ = io.Copy(rw, strings.NewReader("welcome"))
			if err := http.NewResponseController(rw).Flush(); err != nil {
				t.Errorf("Flush() = %v", err)
			}
		}), nil))
		defer door.Close()
		w.http = door
		for _, c := range []struct {
			token  string
			status int
		}{{token, 200}, {"a", 401}, {"b", 401}, {"c", 401}, {"d", 429}, {token, 200}} {
			if status, _ := try(w, c.token); status != c.status {
				t.Errorf("%s: %d, want %d", c.token, status, c.status)
			}
		}
		if got := asked.Load(); got != 5 {
			t.Errorf("asked %d times, want 5", got)
		}
	})
}

func TestFailedKeys(t *testing.T) {
	t.Parallel()
	const limit = 3
	for _, seen := range []bool{true, false} {
		t.Run(fmt.Sprintf("seen before: %t", seen), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil, func(c *gitserver.Config) { c.MaxFailures = limit })
			if seen {
				w.dialSSH(t).Close()
			}
			stranger := w.newKey("stranger", "")
			dial := func() string {
				cmd := w.command(w.home, "ls-remote", w.url("ssh", "shop"))
				cmd.Env = w.env(stranger)
				out, err := cmd.CombinedOutput()
				if err == nil {
					t.Fatal("an unknown key got in")
				}
				return string(out)
			}
			for range limit {
				wantText(t, dial(), "None of your SSH keys is known here")
			}
			eventually(t, 5*time.Second, "the door is closed", func() bool {
				out := dial()
				return strings.Contains(out, "too many failed sign-ins") || !seen && !strings.Contains(out, "None of your SSH keys")
			})
			if !seen {
				wantText(t, w.exchange(t, w.ssh, nil), "too many failed sign-ins")
				return
			}
			w.dialSSH(t).Close()
			other := w.newKey("other", "eve") // known, but not from here
			cmd := w.command(w.home, "ls-remote", w.url("ssh", "shop"))
			cmd.Env = w.env(other)
			if out, err := cmd.CombinedOutput(); err == nil {
				t.Errorf("a key that is new here got in while the door is closed:\n%s", out)
			}
		})
	}
}

// Keys that a client offers before the right one are no failures, and neither
// are connections that offer none.
func TestManyKeysAreNoFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, func(c *gitserver.Config) { c.MaxFailures = 1 })
	for range 3 {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.ssh)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 8)); err != nil {
			t.Fatal(err)
		}
		c.Close()
		cmd := w.command(w.home, "ls-remote", w.url("ssh", "shop"))
		cmd.Env = append(w.env(w.sshKey), "GIT_SSH_COMMAND="+w.sshCommand(w.newKey("stranger", ""))+" -i "+w.sshKey)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("ls-remote: %v\n%s", err, out)
		}
	}
}
