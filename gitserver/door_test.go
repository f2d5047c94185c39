package gitserver_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"slipway/gitserver"
	"slipway/gitserver/pktline"
)

func TestWrongToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	dir := w.work()
	url := strings.Replace(w.url("http", "shop"), token, "a-bad-token", 1)
	out := w.gitFails(dir, "push", url, "main")
	wantText(t, out, "Authentication failed", "unknown or no longer valid")
	if w.srv.RepositoryExists("shop") {
		t.Error("a refused client made a repository")
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, c := range []struct {
		name, header string
		status       int
	}{
		{"nothing", "", 401},
		{"bearer", "Bearer " + token, 200},
		{"wrong bearer", "Bearer x", 401},
		{"no token", "Bearer", 401},
		{"basic", "Basic YW55OmEtZ29vZC10b2tlbg==", 200},
		{"token as user", "Basic YS1nb29kLXRva2VuOg==", 401},
		{"bad base64", "Basic !", 401},
		{"other scheme", "Digest x", 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			resp := w.do(t, http.MethodGet, "/shop.git/info/refs?service=git-upload-pack", nil, "Authorization", c.header)
			defer resp.Body.Close()
			if resp.StatusCode != c.status {
				t.Errorf("status = %d, want %d", resp.StatusCode, c.status)
			}
			if c.status == 401 && !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Basic ") {
				t.Errorf("WWW-Authenticate = %q", resp.Header.Get("WWW-Authenticate"))
			}
		})
	}
}

// do sends a request whose path is not cleaned. Headers are pairs; those of a
// signed-in client are default.
func (w *world) do(t *testing.T, method, path string, body io.Reader, headers ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.http.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := w.http.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func TestUnknownKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	dir := w.work()
	cmd := w.command(dir, "push", w.url("ssh", "shop"), "main")
	cmd.Env = w.env(w.newKey("stranger", ""))
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatal("an unknown key got in")
	}
	wantText(t, string(out), "None of your SSH keys is known here", "ssh-ed25519 SHA256:", "Permission denied")
}

func TestSSHRefusesOtherMethods(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for name, methods := range map[string][]ssh.AuthMethod{
		"none":     nil,
		"password": {ssh.Password(token)},
		"questions": {ssh.KeyboardInteractive(func(string, string, []string, []bool) ([]string, error) {
			return nil, nil
		})},
	} {
		conf := &ssh.ClientConfig{User: "git", Auth: methods, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: 5 * time.Second}
		if c, err := ssh.Dial("tcp", w.ssh, conf); err == nil {
			c.Close()
			t.Errorf("%s: signed in", name)
		}
	}
}

func TestRepositoryNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	long := strings.Repeat("a", 31)
	bad := []string{
		"..", "../shop", "/etc/passwd", "%2e%2e/shop", "..%2fshop", "%2fetc%2fpasswd", "shop%00", "sh%6Fp/..",
		long, "ab", "Shop", "shop-", "1shop", "shop/../../x", "a%20b", ".git", "shop.git.git", "sh_op", "~root",
	}
	for _, name := range bad {
		t.Run("http "+name, func(t *testing.T) {
			t.Parallel()
			resp := w.do(t, http.MethodGet, "/"+name+"/info/refs?service=git-receive-pack", nil)
			defer resp.Body.Close()
			text, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != 400 || !strings.Contains(string(text), "invalid repository name") {
				t.Errorf("%s: %s", resp.Status, text)
			}
		})
		t.Run("ssh "+name, func(t *testing.T) {
			t.Parallel()
			plain := strings.NewReplacer("%2e", ".", "%2f", "/", "%00", "\x00", "%6F", "o", "%20", " ").Replace(name)
			out, status := w.sshRun(t, nil, "git-receive-pack '"+plain+"'")
			if status != 128 || !strings.Contains(out, "invalid repository name") {
				t.Errorf("status %d: %s", status, out)
			}
		})
	}
	t.Cleanup(func() {
		entries, err := os.ReadDir(w.dir)
		if err != nil || len(entries) != 0 {
			t.Errorf("repositories: %v, %v", entries, err)
		}
	})
}

// sshRun runs a command over a connection of its own, and returns everything
// that was said and the exit status.
func (w *world) sshRun(t *testing.T, prepare func(*ssh.Session), line string) (string, int) {
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
	defer c.Close()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if prepare != nil {
		prepare(s)
	}
	out, err := s.CombinedOutput(line)
	var exit *ssh.ExitError
	switch {
	case err == nil:
		return string(out), 0
	case errors.As(err, &exit):
		return string(out), exit.ExitStatus()
	}
	return string(out) + err.Error(), -1
}

func TestSSHRunsNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, line := range []string{
		"ls", "sh -c 'id'", "git-receive-pack", "git-receive-pack 'shop' 'other'", "git-receive-pack shop; id",
		"git-receive-pack 'shop' && id", "git-receive-pack $(id)", "git-receive-pack `id`", "git-receive-pack 'shop", "git-shell",
		"git-upload-archive 'shop'", "git upload-archive 'shop'", "scp -t /tmp", "git-receive-pack --all 'shop'", "rsync --server .",
	} {
		out, status := w.sshRun(t, nil, line)
		if status != 1 || !strings.Contains(out, "git") {
			t.Errorf("%q: status %d, %q", line, status, out)
		}
	}
	cmd := exec.CommandContext(t.Context(), "ssh", "-p", strings.Split(w.ssh, ":")[1], "git@127.0.0.1")
	cmd.Args = append(cmd.Args[:1], append(strings.Fields(w.sshCommand(w.sshKey))[1:], cmd.Args[1:]...)...)
	out, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("a shell: %v", err)
	}
	wantText(t, string(out), "there is no shell here")
	for name, extra := range map[string][]string{
		"subsystem": {"-s", "git@127.0.0.1", "sftp"},
		"pty":       {"-tt", "git@127.0.0.1", "id"},
		"forward":   {"-o", "ExitOnForwardFailure=yes", "-R", "127.0.0.1:0:127.0.0.1:1", "-N", "git@127.0.0.1"},
		"tunnel":    {"-W", "127.0.0.1:22", "git@127.0.0.1"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		args := append(strings.Fields(w.sshCommand(w.sshKey))[1:], "-p", strings.Split(w.ssh, ":")[1])
		cmd := exec.CommandContext(ctx, "ssh", append(args, extra...)...)
		if out, err := cmd.CombinedOutput(); err == nil || ctx.Err() != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		cancel()
	}
}

func TestSSHEnvironment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.git(w.work(), "push", w.url("ssh", "shop"), "main")
	out, status := w.sshRun(t, func(s *ssh.Session) {
		if err := s.Setenv("LD_PRELOAD", "/tmp/evil.so"); err == nil {
			t.Error("LD_PRELOAD was taken")
		}
		if err := s.Setenv("GIT_PROTOCOL", "version=2"); err != nil {
			t.Errorf("GIT_PROTOCOL was refused: %v", err)
		}
	}, "git-upload-pack '/shop.git'")
	if status != 0 || !strings.Contains(out, "version 2") {
		t.Errorf("status %d: %s", status, out)
	}
}

func TestHostKeysAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	seen := map[string]string{}
	scan := func() {
		for _, algo := range []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256} {
			conf := &ssh.ClientConfig{HostKeyAlgorithms: []string{algo}, HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
				if old := seen[algo]; old != "" && old != string(key.Marshal()) {
					t.Errorf("%s: the host key changed", algo)
				}
				seen[algo] = string(key.Marshal())
				return nil
			}}
			if c, err := ssh.Dial("tcp", w.ssh, conf); err == nil {
				c.Close()
			}
		}
	}
	scan()
	w.serveSSH()
	scan()
	if len(seen) != 2 {
		t.Errorf("host keys of %d kinds, want 2", len(seen))
	}
	files, err := filepath.Glob(filepath.Join(w.home, "hostkeys", "*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("files: %v, %v", files, err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f, info.Mode(), err)
		}
	}
}

func TestRefusalsInWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	dir := w.work()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			for name, text := range map[string]string{
				"missing":   "does not exist, or you may not see it",
				"forbidden": "ask its owner for access",
				"readonly":  "ask its owner for access",
				"explained": "the trial of explained is over; renew it",
				"broken":    "internal error",
			} {
				out := w.gitFails(dir, "push", w.url(transport, name), "main")
				wantText(t, out, text)
				if strings.Contains(out, "password") {
					t.Errorf("%s: an internal error was shown: %s", name, out)
				}
			}
			w.git(dir, "clone", "-q", w.url(transport, "readonly"), t.TempDir())
		})
	}
}

func TestHTTPAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.git(w.work(), "push", w.url("http", "shop"), "main")
	const rpc = "application/x-git-upload-pack-request"
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		contentType, text        string
	}{
		{"advertisement", "GET", "/shop/info/refs?service=git-upload-pack", "", nil, 200, "application/x-git-upload-pack-advertisement", "001e# service=git-upload-pack\n0000"},
		{"advertisement v1", "GET", "/shop/info/refs?service=git-upload-pack", "", []string{"Git-Protocol", "version=1"}, 200, "application/x-git-upload-pack-advertisement", "version 1"},
		{"advertisement v2", "GET", "/shop/info/refs?service=git-upload-pack", "", []string{"Git-Protocol", "version=2"}, 200, "application/x-git-upload-pack-advertisement", "000eversion 2\n"},
		{"advertisement for push", "GET", "/shop/info/refs?service=git-receive-pack", "", []string{"Git-Protocol", "version=2"}, 200, "application/x-git-receive-pack-advertisement", "report-status-v2"},
		{"dumb", "GET", "/shop/info/refs", "", nil, 403, "text/plain; charset=utf-8", "dumb HTTP protocol"},
		{"dumb file", "GET", "/shop.git/HEAD", "", nil, 403, "text/plain; charset=utf-8", "use git clone"},
		{"page", "GET", "/shop.git", "", nil, 403, "text/plain; charset=utf-8", "use git clone"},
		{"archive", "GET", "/shop/info/refs?service=git-upload-archive", "", nil, 403, "text/plain; charset=utf-8", "dumb"},
		{"method", "PUT", "/shop/git-upload-pack", "", nil, 405, "text/plain; charset=utf-8", "use POST"},
		{"content type", "POST", "/shop/git-upload-pack", "0000", nil, 415, "text/plain; charset=utf-8", rpc},
		{"encoding", "POST", "/shop/git-upload-pack", "0000", []string{"Content-Type", rpc, "Content-Encoding", "br"}, 415, "text/plain; charset=utf-8", "gzip"},
		{"not gzip", "POST", "/shop/git-upload-pack", "0000", []string{"Content-Type", rpc, "Content-Encoding", "gzip"}, 400, "text/plain; charset=utf-8", "not gzip"},
		{"probe", "POST", "/shop/git-receive-pack", "0000", []string{"Content-Type", "application/x-git-receive-pack-request"}, 200, "application/x-git-receive-pack-result", ""},
		{"garbage", "POST", "/shop/git-upload-pack", "garbage", []string{"Content-Type", rpc}, 200, "application/x-git-upload-pack-result", "ERR "},
		{"garbage for push", "POST", "/shop/git-receive-pack", "hello, world", []string{"Content-Type", "application/x-git-receive-pack-request"}, 200, "application/x-git-receive-pack-result", "ERR "},
		{"no repository", "GET", "/info/refs?service=git-upload-pack", "", nil, 404, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			resp := w.do(t, c.method, c.path, strings.NewReader(c.body), c.headers...)
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != c.status || !strings.Contains(string(text), c.text) {
				t.Errorf("%s, %v: %q, want %d and %q", resp.Status, err, text, c.status, c.text)
			}
			if c.contentType == "" {
				return
			}
			if got := resp.Header.Get("Content-Type"); got != c.contentType {
				t.Errorf("Content-Type = %q, want %q", got, c.contentType)
			}
			if got := resp.Header.Get("Cache-Control"); !strings.HasPrefix(got, "no-cache") {
				t.Errorf("Cache-Control = %q", got)
			}
		})
	}
}

// pushBody is the body of a push as a client would send it.
func (w *world) pushBody(t *testing.T, dir, ref, caps string) []byte {
	t.Helper()
	head := w.rev(dir, "HEAD")
	var body bytes.Buffer
	pkt := pktline.NewWriter(&body)
	_ = pkt.Linef("%040d %s %s\x00%s", 0, head, ref, caps)
	_ = pkt.Flush()
	cmd := w.command(dir, "pack-objects", "--revs", "--stdout", "-q")
	cmd.Stdin = strings.NewReader(head + "\n")
	pack, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	body.Write(pack)
	return body.Bytes()
}

func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var z bytes.Buffer
	zw := gzip.NewWriter(&z)
	if _, err := zw.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return z.Bytes()
}

// Clients differ in how they send a push (JGit: gzip; dulwich: chunked;
// libgit2: a line feed behind the capabilities; some: no side bands).
func TestBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	dir := w.work()
	caps := "report-status side-band-64k"
	unsized := func(b []byte) io.Reader { return struct{ io.Reader }{bytes.NewReader(b)} }
	for i, c := range []struct {
		name    string
		body    func(ref string) io.Reader
		headers []string
		want    string // in the report; "" if the ref must not move
	}{
		{"plain", func(ref string) io.Reader { return bytes.NewReader(w.pushBody(t, dir, ref, caps)) }, nil, "unpack ok"},
		{"chunked", func(ref string) io.Reader { return unsized(w.pushBody(t, dir, ref, caps)) }, nil, "unpack ok"},
		{"gzip", func(ref string) io.Reader { return bytes.NewReader(gzipped(t, w.pushBody(t, dir, ref, caps))) }, []string{"Content-Encoding", "gzip"}, "unpack ok"},
		{"chunked x-gzip", func(ref string) io.Reader { return unsized(gzipped(t, w.pushBody(t, dir, ref, caps))) }, []string{"Content-Encoding", "x-gzip"}, "unpack ok"},
		{"expect", func(ref string) io.Reader { return bytes.NewReader(w.pushBody(t, dir, ref, caps)) }, []string{"Expect", "100-continue"}, "unpack ok"},
		{"line feed", func(ref string) io.Reader { return bytes.NewReader(w.pushBody(t, dir, ref, caps+"\n")) }, nil, "unpack ok"},
		{"no side bands", func(ref string) io.Reader { return bytes.NewReader(w.pushBody(t, dir, ref, " report-status")) }, nil, "000eunpack ok\n"},
		{"small side bands", func(ref string) io.Reader {
			return bytes.NewReader(w.pushBody(t, dir, ref, " report-status side-band"))
		}, nil, "unpack ok"},
		{"no report", func(ref string) io.Reader { return bytes.NewReader(w.pushBody(t, dir, ref, " ")) }, nil, ""},
		{"garbage behind the pack", func(ref string) io.Reader {
			return bytes.NewReader(append(w.pushBody(t, dir, ref, caps), "garbage"...))
		}, nil, "ng "},
		{"garbage behind gzip", func(ref string) io.Reader {
			return bytes.NewReader(append(gzipped(t, w.pushBody(t, dir, ref, caps)), "garbage"...))
		}, []string{"Content-Encoding", "gzip"}, "ng "},
		{"cut off", func(ref string) io.Reader {
			b := w.pushBody(t, dir, ref, caps)
			return bytes.NewReader(b[:len(b)-30])
		}, nil, "ng "},
		{"damaged", func(ref string) io.Reader {
			b := w.pushBody(t, dir, ref, caps)
			b[len(b)-40] ^= 1
			return bytes.NewReader(b)
		}, nil, "ng "},
		{"no pack", func(ref string) io.Reader {
			b := w.pushBody(t, dir, ref, caps)
			return bytes.NewReader(b[:bytes.Index(b, []byte("0000PACK"))+4])
		}, nil, "ng "},
		{"sha256", func(ref string) io.Reader {
			return bytes.NewReader(w.pushBody(t, dir, ref, caps+" object-format=sha256"))
		}, nil, "git init --object-format=sha1"},
		{"signed", func(ref string) io.Reader {
			b := pktline.Append(nil, "push-cert\x00"+caps+"\n")
			return bytes.NewReader(append(b, "0000"...))
		}, nil, "--no-signed"},
		{"bad ref", func(ref string) io.Reader { return bytes.NewReader(w.pushBody(t, dir, "refs/heads/a..b", caps)) }, nil, "invalid ref name"},
		{"no ref", func(ref string) io.Reader { return bytes.NewReader(w.pushBody(t, dir, "HEAD", caps)) }, nil, "invalid ref name"},
		{"malformed command", func(ref string) io.Reader {
			return strings.NewReader("0014hello, world ...0000")
		}, nil, "malformed command"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ref := fmt.Sprintf("refs/heads/body%d", i)
			headers := append([]string{"Content-Type", "application/x-git-receive-pack-request"}, c.headers...)
			resp := w.do(t, http.MethodPost, "/shop/git-receive-pack", c.body(ref), headers...)
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != 200 || !strings.Contains(string(text), c.want) {
				t.Errorf("%s, %v: %q, want %q", resp.Status, err, text, c.want)
			}
			moved := c.want == "" || strings.Contains(c.want, "unpack ok")
			if got := w.ref("shop", ref); (got != "") != moved {
				t.Errorf("%s = %q", ref, got)
			}
		})
	}
	t.Cleanup(func() { w.check("shop") })
}

func TestTooMuch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, func(c *gitserver.Config) {
		c.MaxCommands, c.MaxOptions, c.MaxRequest, c.MaxWants = 3, 2, 100_000, 20
		c.Repo.MaxPackBytes = 50_000
	})
	dir := w.work()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			url := w.url(transport, "shop")
			wantText(t, w.gitFails(dir, "push", url, "main:a", "main:b", "main:c", "main:d"), "more than 3 refs in one push")
			wantText(t, w.gitFails(dir, "push", "-o", "1", "-o", "2", "-o", "3", url, "main:a"), "more than 2 push options")
			wantText(t, w.gitFails(dir, "push", "-o", strings.Repeat("x", 2000), url, "main:a"), "is longer than")
		})
	}
	t.Run("bytes", func(t *testing.T) {
		t.Parallel()
		big := w.work()
		w.commit(big, "noise", w.git(w.dir, "hash-object", "--stdin")+noise(200_000))
		for _, transport := range []string{"http", "ssh"} {
			out := w.gitFails(big, "push", w.url(transport, "shop"), "main")
			if !strings.Contains(out, "limit") && !strings.Contains(out, "larger than") {
				t.Errorf("%s: %s", transport, out)
			}
		}
		w.check("shop")
	})
}

func TestKeepalive(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	recv := &receiver{fn: func(context.Context, *gitserver.Push, io.Writer) (gitserver.CommitFunc, error) {
		<-release
		return nil, nil
	}}
	w := newWorld(t, recv, func(c *gitserver.Config) { c.Keepalive = 20 * time.Millisecond })
	body := w.pushBody(t, w.work(), "refs/heads/main", "report-status side-band-64k")
	resp := w.do(t, http.MethodPost, "/shop/git-receive-pack", bytes.NewReader(body), "Content-Type", "application/x-git-receive-pack-request")
	defer resp.Body.Close()
	in := pktline.NewReader(resp.Body)
	for i := range 3 {
		kind, line, err := in.Next()
		if err != nil || kind != pktline.Data || string(line) != "\x02" {
			t.Fatalf("packet %d: %v %q %v, want a keepalive", i, kind, line, err)
		}
	}
	close(release)
	rest, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(rest), "ok refs/heads/main") {
		t.Errorf("report: %q, %v", rest, err)
	}
}

// A client that falls silent in the middle of a push is cut off.
func TestSilentClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, func(c *gitserver.Config) { c.IdleTimeout = 200 * time.Millisecond })
	body := w.pushBody(t, w.work(), "refs/heads/main", "report-status side-band-64k")
	r, pw := io.Pipe()
	defer pw.Close()
	go func() { _, _ = pw.Write(body[:len(body)-30]) }()
	resp := w.do(t, http.MethodPost, "/shop/git-receive-pack", r, "Content-Type", "application/x-git-receive-pack-request")
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	if !strings.Contains(string(text), "ng refs/heads/main") {
		t.Errorf("answer: %q", text)
	}
	eventually(t, 2*time.Second, "leftovers are gone", func() bool { return len(w.leftovers("shop")) == 0 })

	out, status := w.sshRun(t, func(s *ssh.Session) {
		in, out := io.Pipe()
		t.Cleanup(func() { out.Close() })
		s.Stdin = in
	}, "git-receive-pack 'shop'")
	if status != -1 {
		t.Errorf("ssh: status %d, %s", status, out)
	}
}

func TestShutdownSaysSo(t *testing.T) {
	t.Parallel()
	building := make(chan struct{})
	recv := &receiver{fn: func(ctx context.Context, _ *gitserver.Push, _ io.Writer) (gitserver.CommitFunc, error) {
		close(building)
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	w := newWorld(t, recv)
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.srv.ServeSSH(ctx, ln) }()
	w.ssh = ln.Addr().String()
	cmd := w.command(w.work(), "push", w.url("ssh", "shop"), "main")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-building
	cancel()
	if err := <-done; err != nil {
		t.Errorf("ServeSSH() = %v", err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the push succeeded")
	}
	wantText(t, out.String(), "shutting down; push again", "remote rejected")
}

// TestShutdownLetsSessionsFinish shows that a push under way may end well, while
// no new one begins.
func TestShutdownLetsSessionsFinish(t *testing.T) {
	t.Parallel()
	building, finish := make(chan struct{}), make(chan struct{})
	recv := &receiver{fn: func(ctx context.Context, _ *gitserver.Push, _ io.Writer) (gitserver.CommitFunc, error) {
		close(building)
		select {
		case <-finish:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	w := newWorld(t, recv, func(c *gitserver.Config) { c.StopTimeout = time.Minute })
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.srv.ServeSSH(ctx, ln) }()
	w.ssh = ln.Addr().String()
	cmd := w.command(w.work(), "push", w.url("ssh", "shop"), "main")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-building
	cancel()
	for { // until the door is closed
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.ssh)
		if err != nil {
			break
		}
		_ = c.Close() // it was not answered
	}
	close(finish)
	if err := cmd.Wait(); err != nil {
		t.Errorf("push: %v\n%s", err, out.String())
	}
	if err := <-done; err != nil {
		t.Errorf("ServeSSH() = %v", err)
	}
}

func TestConnectionCap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, func(c *gitserver.Config) { c.MaxConnections = 1 })
	first, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.ssh)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := io.ReadFull(first, make([]byte, 8)); err != nil { // it is being served
		t.Fatal(err)
	}
	second, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.ssh)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	text, err := io.ReadAll(second)
	if err != nil || !strings.Contains(string(text), "hands full") {
		t.Errorf("second connection: %q, %v", text, err)
	}
}

func TestHandshakeDeadline(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, func(c *gitserver.Config) { c.HandshakeTimeout = 100 * time.Millisecond })
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.ssh)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(c); err != nil && os.IsTimeout(err) {
		t.Errorf("a silent client was kept: %v", err)
	}
}
