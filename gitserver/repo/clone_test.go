package repo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/repo"
)

const tangled = 400

// tangle makes a bare repository with a random history: branches, merges,
// directories that move and come back, tags of tags, of trees and of blobs.
//
// There are enough commits that a clone marks trees by their deltas.
func tangle(tb testing.TB, seed uint64) string {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "tangle.git")
	git(tb, tb.TempDir(), "init", "-q", "--bare", dir)
	r := rand.New(rand.NewPCG(seed, 1))
	var in bytes.Buffer
	var merged []int
	for i := 1; i <= tangled; i++ {
		branch := r.IntN(4) // nobody merges the last one
		fmt.Fprintf(&in, "commit refs/heads/b%d\nmark :%d\ncommitter C <c@example.com> %d +0000\ndata 1\nx\n", branch, i, 1700000000+i)
		if branch < 3 {
			if len(merged) > 10 && r.IntN(4) == 0 {
				fmt.Fprintf(&in, "merge :%d\n", merged[len(merged)-1-r.IntN(5)])
			}
			merged = append(merged, i)
		}
		for d := range 4 { // so that there is something to copy
			fmt.Fprintf(&in, "M 100644 inline d%d/e0/keep\ndata 2\n%d\n\n", d, d)
		}
		for range 1 + r.IntN(4) {
			path := fmt.Sprintf("d%d/e%d/f%d", r.IntN(4), r.IntN(4), r.IntN(12))
			switch r.IntN(6) {
			case 0:
				fmt.Fprintf(&in, "D %s\n", path)
			case 1:
				fmt.Fprintf(&in, "C d%d copy%d\n", r.IntN(4), r.IntN(3))
			default:
				text := strings.Repeat(fmt.Sprintf("line %d\n", r.IntN(30)), 1+r.IntN(20))
				fmt.Fprintf(&in, "M 100644 inline %s\ndata %d\n%s\n", path, len(text), text)
			}
		}
		if r.IntN(40) == 0 {
			in.WriteString("deleteall\n")
		}
		in.WriteByte('\n')
	}
	gitIn(tb, dir, in.Bytes(), "fast-import", "--quiet", "--force")
	git(tb, dir, "symbolic-ref", "HEAD", "refs/heads/b0")
	git(tb, dir, "tag", "-a", "-m", "t", "one", "b0")
	git(tb, dir, "tag", "-a", "-m", "t", "two", "one")
	git(tb, dir, "tag", "-a", "-m", "t", "tree", "b1^{tree}")
	git(tb, dir, "tag", "blob", gitBlob(tb, dir, "only a tag leads here"))
	git(tb, dir, "repack", "-a", "-d", "-q") // without what a commit has overwritten itself
	git(tb, dir, "prune")
	return dir
}

func gitBlob(tb testing.TB, dir, text string) string {
	tb.Helper()
	return strings.TrimSpace(string(gitIn(tb, dir, []byte(text), "hash-object", "-w", "--stdin")))
}

// scatter distributes all objects over packs, some twice, and a few loose ones.
func scatter(tb testing.TB, dir string, seed uint64, loose bool) {
	tb.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	names := strings.Fields(git(tb, dir, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)"))
	parts := make([][]string, 1+r.IntN(4))
	few := 0
	if loose {
		few = len(names) / 10
	}
	for _, n := range names[few:] {
		for range 1 + r.IntN(8)/7 {
			i := r.IntN(len(parts))
			parts[i] = append(parts[i], n)
		}
	}
	tmp := tb.TempDir()
	for _, part := range parts {
		gitIn(tb, dir, []byte(strings.Join(part, "\n")+"\n"), "pack-objects", "-q", "--window=20", filepath.Join(tmp, "pack"))
	}
	unpacked := gitIn(tb, dir, []byte(strings.Join(names[:few], "\n")), "pack-objects", "-q", "--stdout")
	objects := filepath.Join(dir, "objects")
	if err := os.RemoveAll(objects); err != nil {
		tb.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(objects, "pack"), 0o755); err != nil {
		tb.Fatal(err)
	}
	gitIn(tb, dir, unpacked, "unpack-objects", "-q")
	files, err := filepath.Glob(filepath.Join(tmp, "pack-*"))
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range files {
		if err := os.Rename(f, filepath.Join(objects, "pack", filepath.Base(f))); err != nil {
			tb.Fatal(err)
		}
	}
}

func tips(tb testing.TB, r *repo.Repo) []plumbing.Hash {
	tb.Helper()
	refs, err := r.Refs()
	if err != nil {
		tb.Fatal(err)
	}
	var list []plumbing.Hash
	for _, ref := range refs {
		list = append(list, ref.Hash)
	}
	return list
}

// sentObjects are the names of the objects in a pack that needs no others.
func sentObjects(tb testing.TB, data []byte, args ...string) []string {
	tb.Helper()
	dir := tb.TempDir()
	git(tb, dir, "init", "-q", "--bare")
	gitIn(tb, dir, data, append([]string{"index-pack", "--stdin"}, args...)...)
	return strings.Fields(git(tb, dir, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)"))
}

func reachableObjects(tb testing.TB, dir string, args ...string) []string {
	tb.Helper()
	list := strings.Fields(git(tb, dir, append([]string{"rev-list", "--objects", "--no-object-names"}, args...)...))
	slices.Sort(list)
	return list
}

// A full clone gets exactly what is reachable, however the objects lie.
func TestFullClone(t *testing.T) {
	t.Parallel()
	notShort(t)
	unreachable := map[string]func(t *testing.T, dir string){
		"nothing": func(*testing.T, string) {},
		"a tag": func(t *testing.T, dir string) {
			t.Helper()
			git(t, dir, "tag", "-a", "-m", "t", "gone", "b1")
			git(t, dir, "tag", "-d", "gone")
		},
		"a commit with a tree of another one": func(t *testing.T, dir string) {
			t.Helper()
			gitIn(t, dir, []byte("x"), "commit-tree", "b1^{tree}")
		},
		"a commit with its tree": func(t *testing.T, dir string) {
			t.Helper()
			tree := gitIn(t, dir, []byte("100644 blob "+gitBlob(t, dir, "alone")+"\tfile\n"), "mktree")
			gitIn(t, dir, []byte("x"), "commit-tree", strings.TrimSpace(string(tree)))
		},
		"a branch": func(t *testing.T, dir string) {
			t.Helper()
			git(t, dir, "update-ref", "-d", "refs/heads/b3")
		},
	}
	seed := uint64(0)
	for name, more := range unreachable {
		for _, loose := range []bool{false, true} {
			seed++
			t.Run(fmt.Sprintf("%s, loose ones %v", name, loose), func(t *testing.T) {
				t.Parallel()
				dir := tangle(t, seed)
				more(t, dir)
				scatter(t, dir, seed, loose)
				r := open(t, dir, repo.Options{})
				for _, o := range []repo.PackOptions{{OfsDelta: true}, {}} {
					var b bytes.Buffer
					if err := r.WritePack(t.Context(), &b, tips(t, r), nil, o); err != nil {
						t.Fatalf("WritePack = %v", err)
					}
					if got, want := sentObjects(t, b.Bytes(), "--strict"), reachableObjects(t, dir, "--all"); !slices.Equal(got, want) {
						t.Errorf("%d objects sent, want the %d that are reachable", len(got), len(want))
					}
				}
			})
		}
	}
}

// What is sent of much is as exact as what is sent of little.
func TestLargeFetches(t *testing.T) {
	t.Parallel()
	dir := tangle(t, 21)
	scatter(t, dir, 21, true)
	r := open(t, dir, repo.Options{})
	hash := func(names ...string) []plumbing.Hash {
		var list []plumbing.Hash
		for _, n := range names {
			list = append(list, rev(t, dir, n))
		}
		return list
	}
	// The first one of a branch that does not reach too little for the trees of
	// deltas to matter.
	old := strings.Fields(git(t, dir, "rev-list", "--first-parent", "--reverse", "b1"))[3]
	for name, c := range map[string]struct {
		wants, haves []string
		filter       string
	}{
		"one branch":           {wants: []string{"b1", "b2"}},
		"a tag of a tree":      {wants: []string{"b0", "b1", "tree"}},
		"beside what is there": {wants: []string{"b0", "b1", "b2"}, haves: []string{old}},
		"without blobs":        {wants: []string{"b0", "b1", "b2", "blob"}, filter: "blob:none"},
		"trees only":           {wants: []string{"b0", "b1", "b2"}, filter: "object:type=tree"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := slices.Clone(c.wants)
			for _, h := range c.haves {
				args = append(args, "^"+h)
			}
			o := repo.PackOptions{OfsDelta: true}
			if c.filter != "" {
				args = append(args, "--filter="+c.filter)
				var err error
				if o.Filter, err = repo.ParseFilter(c.filter); err != nil {
					t.Fatal(err)
				}
			}
			var b bytes.Buffer
			if err := r.WritePack(t.Context(), &b, hash(c.wants...), hash(c.haves...), o); err != nil {
				t.Fatalf("WritePack = %v", err)
			}
			if got, want := sentObjects(t, b.Bytes()), reachableObjects(t, dir, args...); !slices.Equal(got, want) {
				t.Errorf("%d objects sent, want %d", len(got), len(want))
			}
		})
	}
}

// Trees are read while more commits are found: nothing gets lost in between.
func TestLongClone(t *testing.T) {
	notShort(t)
	t.Parallel()
	const commits = 20_000
	dir := bare(t)
	var in bytes.Buffer
	for i := range commits {
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter C <c@example.com> %d +0000\ndata 0\nM 100644 inline d%d/f%d\ndata <<.\n%d\n.\n\n", 1700000000+i, i%7, i%13, i)
	}
	gitIn(t, dir, in.Bytes(), "fast-import", "--quiet")
	r := open(t, dir, repo.Options{Workers: 2})
	var b bytes.Buffer
	if err := r.WritePack(t.Context(), &b, tips(t, r), nil, repo.PackOptions{OfsDelta: true}); err != nil {
		t.Fatalf("WritePack = %v", err)
	}
	if got, want := sentObjects(t, b.Bytes()), reachableObjects(t, dir, "--all"); !slices.Equal(got, want) {
		t.Errorf("%d objects sent, want %d", len(got), len(want))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancelAt := func(p repo.Progress) {
		if p.Stage == repo.StageCounting && p.Done > commits/2 {
			cancel()
		}
	}
	if err := r.WritePack(ctx, &b, tips(t, r), nil, repo.PackOptions{Progress: cancelAt}); !errors.Is(err, context.Canceled) {
		t.Errorf("WritePack = %v, want %v", err, context.Canceled)
	}
}

// A damaged tree is no reason for a clone to hang, nor to be silent.
func TestFullCloneOfDamage(t *testing.T) {
	t.Parallel()
	dir := tangle(t, 7)
	scatter(t, dir, 7, false)
	packs, err := filepath.Glob(filepath.Join(dir, "objects/pack/*.pack"))
	if err != nil || len(packs) == 0 {
		t.Fatalf("no packs (%v)", err)
	}
	for _, p := range packs {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for at := 20; at < len(data)-20; at += 7 {
			data[at] ^= 0x55
		}
		if err := os.Chmod(p, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := open(t, dir, repo.Options{})
	var b bytes.Buffer
	if err := r.WritePack(t.Context(), &b, tips(t, r), nil, repo.PackOptions{OfsDelta: true}); err == nil {
		t.Error("WritePack = nil for a damaged repository, want an error")
	}
}
