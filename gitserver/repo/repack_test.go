package repo_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/repo"
)

// pushed makes a repository that every commit of src was pushed to by itself.
func pushed(t *testing.T, src string, args ...string) *repo.Repo {
	t.Helper()
	r := create(t, repo.Options{NoSync: true})
	old := ""
	for tip := range strings.FieldsSeq(git(t, src, "rev-list", "--reverse", "main")) {
		revs := tip + "\n"
		if old != "" {
			revs += "^" + old + "\n"
		}
		discard(t, take(t, r, pack(t, src, revs, args...), plumbing.NewHash(tip)))
		old = tip
	}
	git(t, r.Dir(), "update-ref", "refs/heads/main", old)
	return r
}

func discard(tb testing.TB, q *repo.Quarantine) {
	tb.Helper()
	if err := q.Discard(); err != nil {
		tb.Fatal(err)
	}
}

// objects lists all objects as git finds them.
func objects(tb testing.TB, r *repo.Repo) string {
	tb.Helper()
	return git(tb, r.Dir(), "cat-file", "--batch-all-objects", "--batch-check")
}

func packs(tb testing.TB, r *repo.Repo) []string {
	tb.Helper()
	list, err := filepath.Glob(filepath.Join(r.Dir(), "objects/pack/*.pack"))
	if err != nil {
		tb.Fatal(err)
	}
	return list
}

func repack(tb testing.TB, r *repo.Repo, o repo.RepackOptions) repo.Repacked {
	tb.Helper()
	done, err := r.Repack(tb.Context(), o)
	if err != nil {
		tb.Fatalf("Repack: %v", err)
	}
	return done
}

func TestRepack(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"thin":               {"--thin", "--delta-base-offset"},
		"thin, by reference": {"--thin"},
		"offset deltas":      {"--delta-base-offset"},
		"no deltas":          {"--depth=0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := history(t, 40)
			r := pushed(t, src, args...)
			for range 2 { // what was joined is joined again
				before := objects(t, r)
				count := len(packs(t, r))
				newest := time.Time{}
				for _, p := range packs(t, r) {
					if st, err := os.Stat(p); err == nil && st.ModTime().After(newest) {
						newest = st.ModTime()
					}
				}
				done := repack(t, r, repo.RepackOptions{})
				if got := len(packs(t, r)); got != 1 || done.Packs != count {
					t.Errorf("Repack left %d packs and joined %d, want 1 of %d", got, done.Packs, count)
				}
				if st, err := os.Stat(packs(t, r)[0]); err != nil || !st.ModTime().Equal(newest) {
					t.Errorf("the pack is of %v, want %v (%v)", st.ModTime(), newest, err)
				}
				if after := objects(t, r); after != before {
					t.Errorf("objects after Repack:\n%swant:\n%s", after, before)
				}
				fsck(t, r)
				checkIndexes(t, r)
				for _, r := range []*repo.Repo{r, open(t, r.Dir(), repo.Options{})} {
					send(t, r, bare(t), []plumbing.Hash{head(t, src)}, nil, repo.PackOptions{OfsDelta: true})
				}
				if done := repack(t, r, repo.RepackOptions{}); done != (repo.Repacked{}) {
					t.Errorf("Repack did %+v where nothing is to be done", done)
				}
				git(t, src, "commit", "-q", "--allow-empty", "-m", t.Name())
				for range 3 {
					discard(t, take(t, r, pack(t, src, "main\n^main~12\n", append(args, "--thin")...)))
				}
			}
		})
	}
}

// Two packs hold two versions as deltas of each other: each may be rebuilt from
// the other one, and at least one must be stored whole.
func TestRepackDeltaCycle(t *testing.T) {
	t.Parallel()
	a, b := strings.Repeat("a line\n", 50), strings.Repeat("a line\n", 49)+"the end\n"
	delta := func(from, to string) []byte {
		return append(append([]byte{byte(len(from)&0x7f | 0x80), byte(len(from) >> 7), byte(len(to)&0x7f | 0x80), byte(len(to) >> 7)}, byte(len(to))), to...)
	}
	a, b = a[:120], b[:100]+"the end"
	r := create(t, repo.Options{})
	for _, v := range [][2]string{{a, b}, {b, a}} {
		var c crafted
		base := c.object(plumbing.BlobObject, v[0])
		c.ref(base, delta(v[0], v[1]))
		c.object(plumbing.BlobObject, "something of "+v[0])
		discard(t, take(t, r, c.finish()))
	}
	before := objects(t, r)
	repack(t, r, repo.RepackOptions{})
	if got := len(packs(t, r)); got != 1 {
		t.Errorf("%d packs are left, want 1", got)
	}
	if after := objects(t, r); after != before {
		t.Errorf("objects after Repack:\n%swant:\n%s", after, before)
	}
	fsck(t, r)
	checkIndexes(t, r)
}

// However many pushes change a file, its deltas do not get longer and longer.
func TestRepackDepth(t *testing.T) {
	t.Parallel()
	notShort(t)
	src := history(t, 140)
	r := create(t, repo.Options{NoSync: true})
	old := ""
	for i, tip := range strings.Fields(git(t, src, "rev-list", "--reverse", "main")) {
		revs := tip + "\n"
		if old != "" {
			revs += "^" + old + "\n"
		}
		discard(t, take(t, r, pack(t, src, revs, "--thin", "--delta-base-offset")))
		old = tip
		if i%5 == 4 {
			repack(t, r, repo.RepackOptions{})
		}
	}
	git(t, r.Dir(), "update-ref", "refs/heads/main", old)
	repack(t, r, repo.RepackOptions{})
	fsck(t, r)
	deepest := 0
	for _, p := range packs(t, r) {
		for line := range strings.Lines(git(t, r.Dir(), "verify-pack", "-v", strings.TrimSuffix(p, ".pack")+".idx")) {
			var h, kind, base string
			var size, packed, off, depth int
			if n, _ := fmt.Sscan(line, &h, &kind, &size, &packed, &off, &depth, &base); n == 7 {
				deepest = max(deepest, depth)
			}
		}
	}
	if deepest < 20 || deepest > 100 {
		t.Errorf("the longest chain has %d deltas, want about 50", deepest)
	}
}

func TestRepackLoose(t *testing.T) {
	t.Parallel()
	src := history(t, 30)
	git(t, src, "tag", "-a", "-m", "one", "v1")
	r := create(t, repo.Options{})
	gitIn(t, r.Dir(), pack(t, src, "main\nv1\n"), "unpack-objects", "-q")
	git(t, r.Dir(), "update-ref", "refs/heads/main", head(t, src).String())
	big := strings.Repeat("0123456789abcdef", 1<<16)
	gitIn(t, r.Dir(), []byte(big), "hash-object", "-w", "--stdin")
	damaged := strings.TrimSpace(string(gitIn(t, r.Dir(), []byte("soon to be damaged"), "hash-object", "-w", "--stdin")))
	path := filepath.Join(r.Dir(), "objects", damaged[:2], damaged[2:])
	before := objects(t, r)
	if err := errors.Join(os.Chmod(path, 0o644), os.WriteFile(path, []byte("no zlib"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if done := repack(t, r, repo.RepackOptions{MinLoose: 100_000}); done != (repo.Repacked{}) {
		t.Errorf("Repack did %+v for few loose objects", done)
	}
	done := repack(t, r, repo.RepackOptions{})
	if want := strings.Count(before, "\n") - 1; done.Loose != want {
		t.Errorf("Repack packed %d loose objects, want %d", done.Loose, want)
	}
	var left []string
	filepath.WalkDir(filepath.Join(r.Dir(), "objects"), func(p string, d fs.DirEntry, err error) error {
		if err == nil && len(d.Name()) == 38 {
			left = append(left, p)
		}
		return err
	})
	if len(left) != 1 || left[0] != path {
		t.Errorf("loose objects left: %q, want the damaged one", left)
	}
	os.Remove(path)
	gitIn(t, r.Dir(), []byte("soon to be damaged"), "hash-object", "-w", "--stdin")
	if after := objects(t, r); after != before {
		t.Errorf("objects after Repack:\n%swant:\n%s", after, before)
	}
	fsck(t, r)
	checkIndexes(t, r)
}

// Packs that somebody keeps stay, and so do those that a push has just brought.
func TestRepackKeeps(t *testing.T) {
	t.Parallel()
	src := history(t, 9)
	r := pushed(t, src, "--thin")
	kept := map[string]string{}
	for i, ext := range []string{".keep", ".promisor", ".mtimes"} {
		stem := strings.TrimSuffix(packs(t, r)[i], ".pack")
		kept[stem] = ext
	}
	for stem, ext := range kept {
		if err := os.WriteFile(stem+ext, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	q := take(t, r, one(plumbing.BlobObject, "of a push under way"))
	if done := repack(t, r, repo.RepackOptions{}); done.Packs != 6 {
		t.Errorf("Repack joined %d packs, want 6", done.Packs)
	}
	for stem := range kept {
		if _, err := os.Stat(stem + ".idx"); err != nil {
			t.Error(err)
		}
	}
	if got := len(packs(t, r)); got != 5 {
		t.Errorf("%d packs are left, want 5", got)
	}
	discard(t, q)
	if done := repack(t, r, repo.RepackOptions{}); done.Packs != 0 { // 1 object beside 27
		t.Errorf("Repack joined %d packs, want none", done.Packs)
	}
	for stem, ext := range kept {
		os.Remove(stem + ext)
	}
	repack(t, r, repo.RepackOptions{})
	fsck(t, r)
	checkIndexes(t, r)
}

// What git says about packs of its own beside the packs themselves does not outlive them.
func TestRepackBesideGitsFiles(t *testing.T) {
	t.Parallel()
	src := history(t, 12)
	r := pushed(t, src, "--thin")
	git(t, r.Dir(), "repack", "-q", "-a", "-d", "-b")
	for range 3 {
		git(t, src, "commit", "-q", "--allow-empty", "-m", "more")
		discard(t, take(t, r, pack(t, src, "main\n^main~1\n", "--thin")))
		git(t, r.Dir(), "update-ref", "refs/heads/main", head(t, src).String())
	}
	git(t, r.Dir(), "multi-pack-index", "write", "--bitmap")
	before := objects(t, r)
	git(t, src, "reset", "-q", "--hard", "main~8")
	discard(t, take(t, r, pack(t, src, "main\n")))
	repack(t, r, repo.RepackOptions{})
	if got := len(packs(t, r)); got != 1 {
		t.Errorf("%d packs are left, want 1", got)
	}
	if left, _ := filepath.Glob(filepath.Join(r.Dir(), "objects/pack/*")); len(left) != 3 {
		t.Errorf("left behind: %q, want a pack and its indexes", left)
	}
	if after := objects(t, r); after != before {
		t.Errorf("objects after Repack:\n%swant:\n%s", after, before)
	}
	fsck(t, r)
}

func TestRepackWaitsForGC(t *testing.T) {
	t.Parallel()
	r := pushed(t, history(t, 3))
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	pid := filepath.Join(r.Dir(), "gc.pid")
	if err := os.WriteFile(pid, fmt.Appendf(nil, "%d %s", os.Getpid(), host), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Repack(t.Context(), repo.RepackOptions{}); !errors.Is(err, repo.ErrBusy) {
		t.Errorf("Repack = %v while git gc runs, want %v", err, repo.ErrBusy)
	}
	if err := os.WriteFile(pid, fmt.Appendf(nil, "%d %s", 1<<22+1, host), 0o644); err != nil { // beyond pid_max
		t.Fatal(err)
	}
	repack(t, r, repo.RepackOptions{})
}

// A damaged pack is neither joined nor removed.
func TestRepackDamaged(t *testing.T) {
	t.Parallel()
	r := pushed(t, history(t, 6))
	before := packs(t, r)
	data, err := os.ReadFile(before[2])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := errors.Join(os.Remove(before[2]), os.WriteFile(before[2], data, 0o444)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Repack(t.Context(), repo.RepackOptions{}); !errors.Is(err, repo.ErrCorrupt) {
		t.Errorf("Repack = %v, want %v", err, repo.ErrCorrupt)
	}
	if after := packs(t, r); len(after) != len(before) {
		t.Errorf("%d packs are left, want %d", len(after), len(before))
	}
	if left, _ := filepath.Glob(filepath.Join(r.Dir(), "objects/tmp_*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// The same pack twice is not taken for one: the first may be about to go.
func TestMigrateSamePack(t *testing.T) {
	t.Parallel()
	src := history(t, 3)
	r := create(t, repo.Options{})
	for i := range 3 {
		discard(t, take(t, r, pack(t, src, "main\n")))
		if got := len(packs(t, r)); got != i+1 {
			t.Errorf("%d packs after %d pushes", got, i+1)
		}
	}
	git(t, r.Dir(), "update-ref", "refs/heads/main", head(t, src).String())
	fsck(t, r)
	repack(t, r, repo.RepackOptions{})
	if got := len(packs(t, r)); got != 1 {
		t.Errorf("%d packs are left, want 1", got)
	}
	fsck(t, r)
	if left, _ := filepath.Glob(filepath.Join(r.Dir(), "objects/pack/*.keep")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	var b bytes.Buffer
	if err := r.WritePack(t.Context(), &b, []plumbing.Hash{head(t, src)}, nil, repo.PackOptions{}); err != nil {
		t.Error(err)
	}
}
