package gitserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"slipway/gitserver/repo"
)

// TransportLocal is what a [Push] names that came through [ServeLocal].
const TransportLocal = "local"

// A Local is what one run of git's own server programs is told.
type Local struct {
	Dir       string    // the repository, or what leads to it as git would look for it
	Strict    bool      // Dir is the repository itself
	Push      bool      // git receive-pack; git upload-pack if false
	Protocol  string    // what $GIT_PROTOCOL says
	Stateless bool      // one request and no advertisement, as behind an HTTP server (--stateless-rpc)
	Advertise bool      // the advertisement and no request (--http-backend-info-refs)
	Hooks     *Hooks    // run the repository's hooks; none if nil
	Stderr    io.Writer // for the words to clients without side bands; dropped if nil
}

// ServeLocal serves one repository on two streams, as `git receive-pack` and
// `git upload-pack` do. Nobody is signed in: who can start it may do what it
// does. Of cfg, only Receiver, Agent, Branches (none if nil), Repo, PushTimeout,
// Keepalive, Log and the limits of commands, options and wants count.
//
// In is read by a goroutine that ends, once ServeLocal has returned, when its
// Read does: close in, unless the process ends anyway. An error that the client
// was told in words is returned, too.
func ServeLocal(ctx context.Context, cfg Config, l Local, in io.Reader, out io.Writer) error {
	dir, err := findRepository(l.Dir, l.Strict)
	if err != nil {
		return err
	}
	if cfg.Branches == nil {
		cfg.Branches = []string{} // git leaves HEAD where it is
	}
	s := newServer(cfg)
	c := s.newCall("", "", TransportLocal, "")
	c.repo, c.dir, c.hooks = l.Dir, dir, l.Hooks
	c.version, c.stateless = wireVersion(l.Protocol), l.Stateless

	r := newLocalReader(ctx, in)
	defer r.close()
	w := newWire(r, out)
	w.until = r.pace.end
	if l.Stderr != nil {
		w.notes = l.Stderr
	}
	unread := false
	w.drain = func(context.Context) { unread = true }

	service := serviceUpload
	if l.Push {
		service = serviceReceive
	}
	if l.Advertise || !l.Stateless {
		if err := s.advertise(ctx, c, w, service); err != nil || l.Advertise {
			return err
		}
	}
	err = s.serveService(ctx, c, w, service)
	if unread {
		r.drain()
	}
	return errors.Join(err, ctx.Err()) // who was told to end has not done what it was started for
}

// findRepository looks for a repository as git does (enter_repo in its path.c):
// a work tree stands for its repository, and ".git" may be left out.
func findRepository(path string, strict bool) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find repository: %w", err)
	}
	suffixes := []string{"/.git", "", ".git/.git", ".git"}
	if strict {
		suffixes = []string{""}
	}
	for _, suffix := range suffixes {
		dir := path + suffix
		if st, err := os.Stat(dir); err == nil && st.Mode().IsRegular() {
			dir = gitFile(dir)
		}
		if _, err := os.Lstat(filepath.Join(dir, "HEAD")); err == nil {
			return dir, nil
		}
	}
	if _, err := os.Stat(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("find repository: %w", err)
	}
	return "", &UserError{
		Text: fmt.Sprintf("%q does not appear to be a git repository; check the path", path), Err: repo.ErrNotRepository,
	}
}

// gitFile is where a file .git says that the repository is (gitrepository-layout(5)).
func gitFile(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return path
	}
	defer f.Close() //nolint:errcheck // only read
	line, _ := bufio.NewReader(io.LimitReader(f, 4096)).ReadString('\n')
	to, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "gitdir: ")
	switch {
	case !ok:
		return path
	case filepath.IsAbs(to):
		return to
	}
	return filepath.Join(filepath.Dir(path), to)
}

// A localReader reads a stream that has no deadlines of its own.
type localReader struct {
	*io.PipeReader
	pace  *pace
	timer *time.Timer
	stop  func() bool
}

func newLocalReader(ctx context.Context, in io.Reader) *localReader {
	pr, pw := io.Pipe()
	go func() {
		// Nothing but the streams, so that the copy is not left to the kernel, which
		// knows no pipes of ours.
		_, err := io.CopyBuffer(struct{ io.Writer }{pw}, struct{ io.Reader }{in}, make([]byte, wireBuffer))
		_ = pw.CloseWithError(err) // it returns nil
	}()
	r := &localReader{PipeReader: pr, pace: newPace(forever, 1)}
	r.timer = stoppedTimer(func() { _ = pr.CloseWithError(os.ErrDeadlineExceeded) })      // it returns nil
	r.stop = context.AfterFunc(ctx, func() { _ = pr.CloseWithError(context.Cause(ctx)) }) // it returns nil
	return r
}

func (r *localReader) close() {
	r.stop()
	r.timer.Stop()
	_ = r.Close() // it returns nil
}

// Read reads until the exchange is over.
func (r *localReader) Read(p []byte) (int, error) {
	until, done := r.pace.wait()
	r.timer.Reset(time.Until(until))
	n, err := r.PipeReader.Read(p)
	r.timer.Stop()
	done(n)
	return n, broken(err)
}

// drain takes what the client still sends, up to a limit: one that is cut off
// while it sends would not look at our words.
func (r *localReader) drain() {
	r.pace.end(time.Now().Add(drainTime))
	_, _ = io.CopyN(io.Discard, r, drainBytes) // the words were said in any case
}
