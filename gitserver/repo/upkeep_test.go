package repo_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/repo"
)

func upkeep(tb testing.TB, r *repo.Repo) repo.Upkept {
	tb.Helper()
	done, err := r.Upkeep(tb.Context(), repo.UpkeepOptions{})
	if err != nil {
		tb.Fatalf("Upkeep: %v", err)
	}
	return done
}

// However many pushes come, there are few packs, and each object is copied
// only a few times.
func TestUpkeepOfManyPushes(t *testing.T) {
	t.Parallel()
	notShort(t)
	const pushes = 400
	r := create(t, repo.Options{NoSync: true})
	most, copied := 0, 0
	for i := range pushes {
		discard(t, take(t, r, one(plumbing.BlobObject, fmt.Sprint("push ", i))))
		// Each with an open repository of its own, as a push has.
		again, err := repo.Open(r.Dir(), repo.Options{NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, len(packs(t, r)))
		copied += upkeep(t, again).Objects
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if most > 20 {
		t.Errorf("there were %d packs at once, want at most 20", most)
	}
	if per := float64(copied) / pushes; per > 9 {
		t.Errorf("each object was copied %.1f times, want at most 9", per)
	}
	if got := strings.Count(objects(t, r), "\n"); got != pushes {
		t.Errorf("%d objects are left, want %d", got, pushes)
	}
}

// A repository that was never looked after is, at once.
func TestUpkeepOfManyPacks(t *testing.T) {
	t.Parallel()
	notShort(t)
	const few, many = 150, 4000
	r := manyPacks(t, few)
	before := objects(t, r)
	for i, from := 0, packs(t, r); i < many-few; i++ { // the same packs under more names
		stem := strings.TrimSuffix(from[i%few], ".pack")
		for _, ext := range []string{".pack", ".rev", ".idx"} {
			if err := os.Link(stem+ext, filepath.Join(filepath.Dir(stem), fmt.Sprintf("pack-%040d%s", i, ext))); err != nil {
				t.Fatal(err)
			}
		}
	}
	r = open(t, r.Dir(), repo.Options{NoSync: true})
	if done := upkeep(t, r); done.Packs < many {
		t.Errorf("Upkeep joined %d packs, want %d", done.Packs, many)
	}
	if got := len(packs(t, r)); got != 1 {
		t.Errorf("%d packs are left, want 1", got)
	}
	if after := objects(t, r); after != before {
		t.Error("objects differ")
	}
	fsck(t, r)
	checkIndexes(t, r)
	if done := upkeep(t, r); done != (repo.Upkept{}) {
		t.Errorf("Upkeep did %+v where nothing is to be done", done)
	}
}

func TestUpkeepSweeps(t *testing.T) {
	t.Parallel()
	r, _, _ := forked(t, false)
	want := reachable(t, r)
	if done := upkeep(t, r); done.Swept.Objects != 0 {
		t.Errorf("Upkeep removed %d objects that came just now", done.Swept.Objects)
	}
	age(t, r)
	if done := upkeep(t, r); done.Swept.Objects == 0 {
		t.Error("Upkeep removed nothing")
	}
	if got := objects(t, r); got != want {
		t.Errorf("objects after Upkeep:\n%swant:\n%s", got, want)
	}
	// Today's sweep is done. Tomorrow it is due again, as references may have
	// been deleted today; in a month it is not.
	swept := filepath.Join(r.Dir(), "slipway/swept")
	stamp := func(t1 time.Time) time.Time {
		if err := os.Chtimes(swept, t1, t1); err != nil {
			t.Fatal(err)
		}
		upkeep(t, r)
		st, err := os.Stat(swept)
		if err != nil {
			t.Fatal(err)
		}
		return st.ModTime()
	}
	age(t, r)
	for ago, due := range map[time.Duration]bool{time.Hour: false, 25 * time.Hour: true} {
		then := time.Now().Add(-ago).Truncate(time.Second)
		if got := !stamp(then).Equal(then); got != due {
			t.Errorf("swept again after %v = %v, want %v", ago, got, due)
		}
	}
	long := time.Now().Add(-100 * 24 * time.Hour)
	for _, dir := range []string{"HEAD", "packed-refs", "refs", "refs/heads", "refs/tags", "objects", "objects/pack", "objects/info"} {
		if err := os.Chtimes(filepath.Join(r.Dir(), dir), long, long); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	then := time.Now().Add(-30 * 24 * time.Hour).Truncate(time.Second)
	if got := stamp(then); !got.Equal(then) {
		t.Error("a repository that has not changed was swept again")
	}
}

func TestPackRefs(t *testing.T) {
	t.Parallel()
	src := history(t, 8)
	git(t, src, "tag", "-a", "-m", "one", "v1")
	r := create(t, repo.Options{})
	discard(t, take(t, r, pack(t, src, "main\nv1\n")))
	tip := head(t, src)
	git(t, r.Dir(), "update-ref", "refs/heads/old", rev(t, src, "main~3").String())
	git(t, r.Dir(), "tag", "-a", "-m", "x", "packed", tip.String())
	git(t, r.Dir(), "pack-refs", "--all")
	names := []string{"refs/heads/main", "refs/heads/a/b/c", "refs/heads/old", "refs/tags/deep/er/t"}
	for i, name := range names {
		git(t, r.Dir(), "update-ref", name, rev(t, src, fmt.Sprintf("main~%d", i)).String())
	}
	git(t, r.Dir(), "update-ref", "refs/tags/v1", rev(t, src, "v1").String())
	git(t, r.Dir(), "symbolic-ref", "refs/heads/symbolic", "refs/heads/main")
	git(t, r.Dir(), "update-ref", "refs/heads/busy", tip.String())
	before := git(t, r.Dir(), "for-each-ref", "--format=%(refname) %(objectname) %(*objectname) %(symref)")
	write(t, r.Dir(), "refs/heads/missing", strings.Repeat("1", 40)+"\n")
	write(t, r.Dir(), "refs/heads/busy.lock", "")
	n, err := r.PackRefs(t.Context())
	if err != nil || n != len(names)+1 {
		t.Errorf("PackRefs = %d, %v, want %d", n, err, len(names)+1)
	}
	for _, name := range []string{"refs/heads/missing", "refs/heads/busy", "refs/heads/symbolic"} {
		if _, err := os.Stat(filepath.Join(r.Dir(), name)); err != nil {
			t.Errorf("%s was packed: %v", name, err)
		}
	}
	for _, name := range []string{"refs/heads/a", "refs/tags/deep", "refs/tags/v1", "packed-refs.new"} {
		if _, err := os.Stat(filepath.Join(r.Dir(), name)); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
	os.Remove(filepath.Join(r.Dir(), "refs/heads/missing"))
	os.Remove(filepath.Join(r.Dir(), "refs/heads/busy.lock"))
	if after := git(t, r.Dir(), "for-each-ref", "--format=%(refname) %(objectname) %(*objectname) %(symref)"); after != before {
		t.Errorf("references after PackRefs:\n%swant:\n%s", after, before)
	}
	// Git would write the very same file.
	if _, err := r.PackRefs(t.Context()); err != nil {
		t.Fatal(err)
	}
	ours, err := os.ReadFile(filepath.Join(r.Dir(), "packed-refs"))
	if err != nil {
		t.Fatal(err)
	}
	git(t, r.Dir(), "update-ref", "refs/heads/main", rev(t, src, "main~1").String())
	git(t, r.Dir(), "update-ref", "refs/heads/main", tip.String())
	git(t, r.Dir(), "pack-refs", "--all")
	theirs, err := os.ReadFile(filepath.Join(r.Dir(), "packed-refs"))
	if err != nil || string(ours) != string(theirs) {
		t.Errorf("PackRefs wrote:\n%swant, as git:\n%s", ours, theirs)
	}
	if n, err := r.PackRefs(t.Context()); n != 0 || err != nil {
		t.Errorf("PackRefs = %d, %v where nothing is to be done", n, err)
	}
	sameRefs(t, r)
	fsck(t, r)
}

func TestUpkeepPacksRefs(t *testing.T) {
	t.Parallel()
	src := history(t, 2)
	r := create(t, repo.Options{NoSync: true})
	discard(t, take(t, r, pack(t, src, "main\n")))
	for i := range 99 {
		write(t, r.Dir(), fmt.Sprintf("refs/heads/b%d", i), head(t, src).String()+"\n")
	}
	if done := upkeep(t, r); done.Refs != 0 {
		t.Errorf("Upkeep packed %d references of 99", done.Refs)
	}
	write(t, r.Dir(), "refs/heads/b99", head(t, src).String()+"\n")
	if done := upkeep(t, r); done.Refs != 100 {
		t.Errorf("Upkeep packed %d references, want 100", done.Refs)
	}
	sameRefs(t, r)
}
