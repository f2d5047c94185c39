package gitserver_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"slipway/gitserver"
)

const receiveType = "application/x-git-receive-pack-request"

// A raw client sends what it likes.
type raw struct {
	in  io.WriteCloser // what it sends
	cut func()         // breaks the connection
	out *lockedBuffer  // what it was told
	end chan struct{}  // closed when it has heard everything
}

// answer is what it was told in the end.
func (r *raw) answer(t *testing.T) string {
	t.Helper()
	select {
	case <-r.end:
	case <-time.After(20 * time.Second):
		t.Fatalf("no end of the answer, so far %q", r.out.String())
	}
	return r.out.String()
}

// raw begins a push to a repository.
func (w *world) raw(t *testing.T, transport, name string) *raw {
	t.Helper()
	if transport == gitserver.TransportSSH {
		return w.rawSSH(t, "git-receive-pack '"+name+"'")
	}
	ctx, cancel := context.WithCancel(t.Context())
	body, in := io.Pipe()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.http.URL+"/"+name+"/git-receive-pack", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", receiveType)
	cut := func() {
		cancel()
		in.Close() // net/http waits for the body
	}
	r := &raw{in: in, cut: cut, out: &lockedBuffer{}, end: make(chan struct{})}
	go func() {
		defer close(r.end)
		resp, err := w.http.Client().Do(req)
		if err != nil {
			fmt.Fprint(r.out, err)
			return
		}
		defer resp.Body.Close()
		_, _ = io.Copy(r.out, resp.Body)
	}()
	t.Cleanup(func() {
		cut()
		<-r.end
	})
	return r
}

// dialSSH signs in as somebody who is known.
func (w *world) dialSSH(t *testing.T) *ssh.Client {
	t.Helper()
	text, err := os.ReadFile(w.sshKey)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ssh.Dial("tcp", w.ssh, &ssh.ClientConfig{
		User: "git", Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: 10 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func (w *world) rawSSH(t *testing.T, line string) *raw {
	t.Helper()
	c := w.dialSSH(t)
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	r := &raw{cut: func() { c.Close() }, out: &lockedBuffer{}, end: make(chan struct{})}
	s.Stdout, s.Stderr = r.out, r.out
	if r.in, err = s.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(line); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(r.end)
		_ = s.Wait()
	}()
	t.Cleanup(func() {
		c.Close()
		<-r.end
	})
	return r
}

// push sends all of a push, and returns the answer.
func (w *world) rawPush(t *testing.T, transport, name string, body []byte) string {
	t.Helper()
	r := w.raw(t, transport, name)
	_, _ = r.in.Write(body) // it may be refused before its end
	r.in.Close()
	return r.answer(t)
}

func TestStopsMidPack(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		for how, idle := range map[string]time.Duration{"silent": 300 * time.Millisecond, "gone": time.Hour} {
			t.Run(transport+" "+how, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, nil, func(c *gitserver.Config) { c.IdleTimeout = idle })
				dir := w.work()
				w.commit(dir, "noise", noise(200_000))
				body := w.pushBody(t, dir, "refs/heads/main", "report-status side-band-64k")
				r := w.raw(t, transport, "shop")
				if _, err := r.in.Write(body[:len(body)-1000]); err != nil {
					t.Fatal(err)
				}
				eventually(t, 5*time.Second, "a quarantine is there", func() bool { return len(w.quarantines("shop")) == 1 })
				if how == "gone" {
					r.cut()
				}
				eventually(t, 5*time.Second, "leftovers are gone", func() bool { return len(w.leftovers("shop")) == 0 })
				if out := r.answer(t); how == "silent" && transport == "http" {
					wantText(t, out, "nothing was received for too long", "ng refs/heads/main")
				}
				if w.recv.count() != 0 {
					t.Error("the Receiver was asked")
				}
			})
		}
	}
}

// A client that sends a byte now and then is no better than a silent one.
func TestTrickles(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		for how, change := range map[string]func(*gitserver.Config){
			"too slow": func(c *gitserver.Config) { c.IdleTimeout, c.MinRate = 300*time.Millisecond, 1<<20 },
			"too long": func(c *gitserver.Config) { c.PushTimeout = 500 * time.Millisecond },
		} {
			t.Run(transport+" "+how, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, nil, change)
				dir := w.work()
				w.commit(dir, "noise", noise(200_000))
				body := w.pushBody(t, dir, "refs/heads/main", "report-status side-band-64k")
				r := w.raw(t, transport, "shop")
				begin := time.Now()
				tick := time.NewTicker(50 * time.Millisecond)
				defer tick.Stop()
				at := 2000
				if _, err := r.in.Write(body[:at]); err != nil {
					t.Fatal(err)
				}
				for open := true; open; {
					select {
					case <-tick.C:
						_, _ = r.in.Write(body[at : at+1]) // it may be cut off
						at++
					case <-r.end:
						open = false
					}
				}
				if took := time.Since(begin); took > 5*time.Second {
					t.Errorf("cut off after %v", took)
				}
				if out := r.answer(t); transport == "http" {
					wantText(t, out, "ng refs/heads/main", map[string]string{"too slow": "for too long", "too long": "the push took too long"}[how])
				}
				eventually(t, 5*time.Second, "leftovers are gone", func() bool { return len(w.leftovers("shop")) == 0 })
			})
		}
	}
}

// A client that does not read what it asked for, or hardly, is cut off.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, func(c *gitserver.Config) {
		c.IdleTimeout, c.MinRate, c.MaxRequests, c.MaxConnections = 500*time.Millisecond, 1<<20, 1, 1
	})
	dir := w.work()
	w.commit(dir, "noise", noise(16<<20))
	w.git(dir, "push", "-q", w.url("http", "shop"), "main")
	want := fmt.Sprintf("0032want %s\n00000009done\n", w.rev(dir, "main"))
	for _, read := range []int{0, 1} {
		resp := w.do(t, http.MethodPost, "/shop/git-upload-pack", strings.NewReader(want), "Content-Type", "application/x-git-upload-pack-request")
		eventually(t, 10*time.Second, "the next one is let in", func() bool {
			_, _ = io.CopyN(io.Discard, resp.Body, int64(read)) // hardly
			next := w.do(t, http.MethodGet, "/shop/info/refs?service=git-upload-pack", nil)
			next.Body.Close()
			return next.StatusCode == http.StatusOK
		})
		resp.Body.Close()
	}

	c := w.dialSSH(t)
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	s.Stdin = strings.NewReader(want)
	out, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start("git-upload-pack 'shop'"); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = c.Wait()
	}()
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
		t.Error("ssh: not cut off")
	}
	_, _ = io.Copy(io.Discard, out)
}

// What comes instead of what should come next is answered in words, and leaves
// nothing behind.
func TestGarbageAtEveryStage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	dir := w.work()
	caps := "report-status side-band-64k push-options"
	body := w.pushBody(t, dir, "refs/heads/main", caps)
	pack := bytes.Index(body, []byte("PACK"))
	body = append(append(bytes.Clone(body[:pack]), "0000"...), body[pack:]...) // no options
	pack += len("0000")
	for _, transport := range transports {
		for name, at := range map[string]int{
			"commands": 0, "inside a command": 60, "second command": pack - 8, "options": pack - 4, "pack": pack, "version": pack + 4,
			"number of objects": pack + 8, "entry": pack + 12, "inside an entry": pack + 20, "trailer": len(body) - 20, "behind": len(body),
		} {
			t.Run(transport+" "+name, func(t *testing.T) {
				t.Parallel()
				if transport == "ssh" && name == "behind" {
					return // the pack has ended, and was taken
				}
				garbage := strings.Repeat("\xf3garbage\x00\xff", 500)
				out := w.rawPush(t, transport, "shop", append(bytes.Clone(body[:at]), garbage...))
				if !strings.Contains(out, "ERR ") && !strings.Contains(out, "ng refs/heads/main") && !strings.Contains(out, "\x03") {
					t.Errorf("answer: %q", out)
				}
				for _, bad := range []string{"internal error", "unpack ok"} {
					if strings.Contains(out, bad) {
						t.Errorf("answer has %q: %q", bad, out)
					}
				}
			})
		}
	}
	t.Cleanup(func() {
		w.check("shop")
		if got := w.ref("shop", "refs/heads/main"); got != "" || w.recv.count() != 0 {
			t.Errorf("main = %s, the Receiver was asked %d times", got, w.recv.count())
		}
	})
}

// An upload of exactly the limit passes, one byte more does not.
func TestExactlyTheLimit(t *testing.T) {
	t.Parallel()
	caps := "report-status"
	first := newWorld(t, nil)
	dir := first.work()
	first.commit(dir, "noise", noise(100_000))
	body := first.pushBody(t, dir, "refs/heads/main", caps)
	pack := int64(len(body) - bytes.Index(body, []byte("PACK")))
	for _, transport := range transports {
		for name, c := range map[string]struct {
			change func(*gitserver.Config)
			want   string
		}{
			"pack":           {func(c *gitserver.Config) { c.Repo.MaxPackBytes = pack }, "unpack ok"},
			"pack too big":   {func(c *gitserver.Config) { c.Repo.MaxPackBytes = pack - 1 }, "ng refs/heads/main"},
			"request":        {func(c *gitserver.Config) { c.MaxRequest = int64(len(body)) }, "unpack ok"},
			"request longer": {func(c *gitserver.Config) { c.MaxRequest = int64(len(body)) - 1 }, "ng refs/heads/main"},
			"no limits": {func(c *gitserver.Config) {
				c.Repo.MaxPackBytes, c.MaxRequest, c.MaxCommands, c.MaxConnections, c.MaxRequests = -1, -1, -1, -1, -1
				c.PushTimeout, c.IdleTimeout, c.HandshakeTimeout, c.MinRate, c.MaxPerAddress = -1, -1, -1, -1, -1
				c.MaxFailures, c.MaxQueued, c.MemoryBudget, c.MaxOptions, c.MaxWants = -1, -1, -1, -1, -1
			}, "unpack ok"},
		} {
			t.Run(transport+" "+name, func(t *testing.T) {
				t.Parallel()
				if transport == "ssh" && strings.HasPrefix(name, "request") {
					return
				}
				w := newWorld(t, nil, c.change)
				wantText(t, w.rawPush(t, transport, "shop", body), c.want)
				w.check("shop")
				if moved := w.ref("shop", "refs/heads/main") != ""; moved != (c.want == "unpack ok") {
					t.Errorf("the ref moved: %t", moved)
				}
			})
		}
	}
}

// Pushes that are sent before the answers to those before them are read.
func TestPipelined(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	dir := w.work()
	t.Run("http", func(t *testing.T) {
		t.Parallel()
		var all bytes.Buffer
		for _, ref := range []string{"refs/heads/a", "refs/heads/b", "refs/heads/a..b", "refs/heads/c"} {
			body := w.pushBody(t, dir, ref, "report-status side-band-64k")
			fmt.Fprintf(&all, "POST /shop/git-receive-pack HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
				token, receiveType, len(body), body)
		}
		all.WriteString("GET /shop/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " + token + "\r\n\r\n")
		out := w.exchange(t, strings.TrimPrefix(w.http.URL, "http://"), all.Bytes())
		if got := strings.Count(out, "HTTP/1.1 200"); got != 5 {
			t.Errorf("%d answers, want 5: %q", got, out)
		}
		wantText(t, out, "ok refs/heads/a", "ok refs/heads/b", "ng refs/heads/a..b", "ok refs/heads/c")
	})
	t.Run("ssh", func(t *testing.T) {
		t.Parallel()
		c := w.dialSSH(t)
		errs := make(chan error)
		const sessions = 5
		for i := range sessions {
			go func() {
				s, err := c.NewSession()
				if err != nil {
					errs <- err
					return
				}
				// Everything is sent before the advertisement is read.
				s.Stdin = bytes.NewReader(w.pushBody(t, dir, fmt.Sprintf("refs/heads/ssh%d", i), "report-status"))
				out, err := s.Output("git-receive-pack 'shop'")
				if err == nil && !bytes.Contains(out, []byte("unpack ok")) {
					err = errors.New(string(out))
				}
				errs <- err
			}()
		}
		for range sessions {
			if err := <-errs; err != nil {
				t.Errorf("session: %v", err)
			}
		}
	})
	t.Cleanup(func() { w.check("shop") })
}
