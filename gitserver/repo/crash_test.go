package repo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/repo"
)

// tidyAll does all of upkeep that there is to do.
func tidyAll(ctx context.Context, dir string, o repo.Options) error {
	r, err := repo.Open(dir, o)
	if err != nil {
		return err
	}
	_, err1 := r.Repack(ctx, repo.RepackOptions{})
	_, err2 := r.PackRefs(ctx)
	_, err3 := r.Sweep(ctx, repo.SweepOptions{OlderThan: -1})
	return errors.Join(err1, err2, err3, r.Close())
}

// untidy makes a repository that all of upkeep has something to do in: what no
// reference leads to lies in several packs, links across them, and is loose.
func untidy(t *testing.T) string {
	t.Helper()
	r, src, _ := forked(t, false)
	git(t, src, "checkout", "-q", "gone")
	git(t, src, "commit", "-q", "--allow-empty", "-m", "loose")
	gitIn(t, r.Dir(), pack(t, src, "gone\n^gone~1\n"), "unpack-objects", "-q")
	// Too large to be joined with the others.
	var c crafted
	for i := range 400 {
		c.object(plumbing.BlobObject, fmt.Sprint("nobody's ", i))
	}
	blob := rev(t, src, "gone:one")
	c.object(plumbing.TreeObject, "100644 one\x00"+string(blob[:]))
	discard(t, take(t, r, c.finish()))
	for _, name := range []string{"refs/heads/a/b", "refs/heads/c"} {
		git(t, r.Dir(), "update-ref", name, rev(t, src, "main~2").String())
	}
	return r.Dir()
}

// whole checks that a repository has all that its references lead to, that
// nothing in it lacks what it links to, and that upkeep can go on.
func whole(t *testing.T, dir, want, refs string) {
	t.Helper()
	r := open(t, dir, repo.Options{NoSync: true})
	if got := git(t, dir, "for-each-ref"); got != refs {
		t.Errorf("references:\n%swant:\n%s", got, refs)
	}
	// A push ends a sweep that was under way.
	discard(t, take(t, r, one(plumbing.BlobObject, "pushed after")))
	closed(t, r)
	if err := tidyAll(t.Context(), dir, repo.Options{NoSync: true}); err != nil {
		t.Errorf("upkeep after all: %v", err)
	}
	if got := objects(t, r); got != want {
		t.Errorf("%d objects are left, want %d", strings.Count(got, "\n"), strings.Count(want, "\n"))
	}
	fsck(t, r)
	for _, pattern := range []string{"slipway/sweeping*", "objects/tmp*", "objects/pack/*.keep", "*.new", "*.lock", "refs/heads/*.lock"} {
		if left, _ := filepath.Glob(filepath.Join(dir, pattern)); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	}
}

func copied(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "app.git")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// steps numbers the steps that upkeep of a repository takes; some of them, if
// time is short.
func steps(t *testing.T, dir string) iter.Seq[int] {
	t.Helper()
	n, stride := 0, 1
	if testing.Short() {
		stride = 5
	}
	err := tidyAll(t.Context(), copied(t, dir), repo.Options{NoSync: true}.WithStep(func(string) error {
		n++
		return nil
	}))
	if err != nil || n < 30 {
		t.Fatalf("upkeep of %d steps: %v", n, err)
	}
	return func(yield func(int) bool) {
		for i := 0; i < n && yield(i); i += stride {
		}
	}
}

// Whichever step of upkeep fails, the repository is whole.
func TestUpkeepFails(t *testing.T) {
	t.Parallel()
	notShort(t)
	dir := untidy(t)
	want, refs := reachable(t, open(t, dir, repo.Options{})), git(t, dir, "for-each-ref")
	for n := range steps(t, dir) {
		t.Run(fmt.Sprint("step ", n), func(t *testing.T) {
			t.Parallel()
			into, left, failed := copied(t, dir), n, ""
			err := tidyAll(t.Context(), into, repo.Options{NoSync: true}.WithStep(func(op string) error {
				if left--; left != -1 {
					return nil
				}
				failed = op
				return syscall.ENOSPC
			}))
			if !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("upkeep = %v where it cannot %s", err, failed)
			}
			if strings.HasSuffix(failed, ".keep") { // as after a crash, the next start removes it
				if err := open(t, into, repo.Options{}).CleanStale(); err != nil {
					t.Fatal(err)
				}
			}
			whole(t, into, want, refs)
		})
	}
}

// crashDir and crashStep tell TestCrashChild where to work and when to end.
const (
	crashDir  = "SLIPWAY_TEST_CRASH_DIR"
	crashStep = "SLIPWAY_TEST_CRASH_STEP"
	crashed   = 77
)

// TestCrashChild is the process that crashes.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		t.Skip("not the child of TestCrash")
	}
	n, err := strconv.Atoi(os.Getenv(crashStep))
	if err != nil {
		t.Fatal(err)
	}
	err = tidyAll(t.Context(), dir, repo.Options{NoSync: true}.WithStep(func(string) error {
		if n--; n < 0 {
			os.Exit(crashed)
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
}

// Whichever step of upkeep is the last one before a crash, the repository is
// whole, before anything is cleaned up and after.
func TestCrash(t *testing.T) {
	t.Parallel()
	dir := untidy(t)
	want, refs := reachable(t, open(t, dir, repo.Options{})), git(t, dir, "for-each-ref")
	lead := git(t, dir, "rev-list", "--objects", "--all")
	for n := range steps(t, dir) {
		t.Run(fmt.Sprint("step ", n), func(t *testing.T) {
			t.Parallel()
			into := copied(t, dir)
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashChild$")
			cmd.Env = append(os.Environ(), crashDir+"="+into, crashStep+"="+strconv.Itoa(n))
			if out, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != crashed {
				t.Fatalf("the child did not crash: %v\n%s", err, out)
			}
			if got := git(t, into, "rev-list", "--objects", "--all"); got != lead {
				t.Errorf("references lead to:\n%s", got)
			}
			r := open(t, into, repo.Options{NoSync: true})
			if err := r.CleanStale(); err != nil {
				t.Fatal(err)
			}
			whole(t, into, want, refs)
		})
	}
}

// Pushes and fetches go on while packs are joined, references packed and
// objects swept, by us and by the real git.
func TestUpkeepBesideAll(t *testing.T) {
	t.Parallel()
	notShort(t)
	const pushes = 20
	src := history(t, pushes)
	tips := strings.Fields(git(t, src, "rev-list", "--reverse", "main"))
	r := create(t, repo.Options{NoSync: true})
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()
	loop := func(what string, f func(r *repo.Repo) error) {
		all.Go(func() {
			for ctx.Err() == nil {
				r, err := repo.Open(r.Dir(), repo.Options{NoSync: true})
				if err == nil {
					err = errors.Join(f(r), r.Close())
				}
				if err != nil && ctx.Err() == nil {
					t.Errorf("%s: %v", what, err)
					return
				}
			}
		})
	}
	unlessBusy := func(err error) error {
		if errors.Is(err, repo.ErrBusy) {
			return nil
		}
		return err
	}
	loop("repack", func(r *repo.Repo) error {
		_, err := r.Repack(ctx, repo.RepackOptions{})
		return unlessBusy(err)
	})
	loop("pack refs", func(r *repo.Repo) error {
		_, err := r.PackRefs(ctx)
		if errors.Is(err, repo.ErrRefLocked) { // git gc has it
			return nil
		}
		return err
	})
	loop("sweep", func(r *repo.Repo) error {
		_, err := r.Sweep(ctx, repo.SweepOptions{OlderThan: -1})
		return unlessBusy(err)
	})
	loop("git gc", func(r *repo.Repo) error {
		// It fails where it finds a reference locked.
		if out, err := tryGit(t, r.Dir(), nil, "gc", "-q"); err != nil && !bytes.Contains(out, []byte("lock")) {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	into := bare(t)
	loop("fetch", func(r *repo.Repo) error {
		refs, err := r.Refs()
		if err != nil || len(refs) == 0 {
			return err
		}
		var b bytes.Buffer
		if err := r.WritePack(t.Context(), &b, []plumbing.Hash{refs[0].Hash}, nil, repo.PackOptions{OfsDelta: true}); err != nil {
			return err
		}
		out, err := tryGit(t, into, b.Bytes(), "index-pack", "--stdin", "--strict")
		if err != nil {
			return fmt.Errorf("index-pack: %w: %s", err, out)
		}
		return nil
	})
	old := plumbing.ZeroHash
	for i, name := range tips {
		tip := plumbing.NewHash(name)
		revs := name + "\n"
		if i > 0 {
			revs += "^" + old.String() + "\n"
		}
		mine := open(t, r.Dir(), repo.Options{NoSync: true})
		q := take(t, mine, pack(t, src, revs, "--thin"), tip)
		for _, u := range []repo.RefUpdate{{Name: "refs/heads/main", Old: old, New: tip}, {Name: "refs/tags/" + name, New: tip}} {
			if v := move(t, mine, u); v[0] != nil {
				t.Errorf("push %d: %v", i, v[0])
			}
		}
		discard(t, q)
		discard(t, take(t, mine, one(plumbing.BlobObject, "nobody's "+name)))
		old = tip
	}
	stop()
	all.Wait()
	sameRefs(t, r)
	closed(t, r)
	if got, want := git(t, r.Dir(), "rev-list", "--objects", "main"), git(t, src, "rev-list", "--objects", "main"); got != want {
		t.Error("objects differ")
	}
}

// A pack that is being sent goes on as it was when its packs are replaced.
func TestFetchWhilePacksAreReplaced(t *testing.T) {
	t.Parallel()
	src := history(t, 30)
	r := pushed(t, src, "--thin")
	var b bytes.Buffer
	w := &hookWriter{w: &b, hook: func() {
		other := open(t, r.Dir(), repo.Options{NoSync: true})
		repack(t, other, repo.RepackOptions{})
		if got := len(packs(t, r)); got != 1 {
			t.Errorf("%d packs are left, want 1", got)
		}
	}}
	if err := r.WritePack(t.Context(), w, []plumbing.Hash{head(t, src)}, nil, repo.PackOptions{OfsDelta: true}); err != nil {
		t.Fatal(err)
	}
	gitIn(t, bare(t), b.Bytes(), "index-pack", "--stdin", "--strict")
}

// A hookWriter does something before the first byte.
type hookWriter struct {
	w    *bytes.Buffer
	hook func()
}

func (w *hookWriter) Write(b []byte) (int, error) {
	if w.hook != nil {
		w.hook()
		w.hook = nil
	}
	return w.w.Write(b)
}

// Whoever opens a repository while packs are replaced finds every object.
func TestFindWhilePacksAreReplaced(t *testing.T) {
	t.Parallel()
	notShort(t)
	src := history(t, 3)
	r := create(t, repo.Options{NoSync: true})
	discard(t, take(t, r, pack(t, src, "main\n")))
	tip := head(t, src)
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for ctx.Err() == nil {
				r, err := repo.Open(r.Dir(), repo.Options{})
				if err != nil {
					t.Error(err)
					return
				}
				if ok, err := r.Has(tip); !ok || err != nil {
					t.Errorf("Has = %v, %v", ok, err)
					stop()
				}
				r.Close()
			}
		})
	}
	for i := range 50 {
		discard(t, take(t, r, one(plumbing.BlobObject, fmt.Sprint(i))))
		discard(t, take(t, r, one(plumbing.BlobObject, fmt.Sprint("and ", i))))
		repack(t, r, repo.RepackOptions{})
		if ctx.Err() != nil {
			break
		}
	}
	stop()
	all.Wait()
}
