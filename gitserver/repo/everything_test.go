package repo_test

import (
	"bytes"
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

// tangle makes a bare repository with a random history: branches, merges,
// directories that move and come back, tags of tags, of trees and of blobs.
func tangle(tb testing.TB, seed uint64) string {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "tangle.git")
	git(tb, tb.TempDir(), "init", "-q", "--bare", dir)
	r := rand.New(rand.NewPCG(seed, 1))
	var in bytes.Buffer
	for i := 1; i <= 60; i++ {
		branch := r.IntN(3)
		fmt.Fprintf(&in, "commit refs/heads/b%d\nmark :%d\ncommitter C <c@example.com> %d +0000\ndata 1\nx\n", branch, i, 1700000000+i)
		if i > 10 && r.IntN(4) == 0 {
			fmt.Fprintf(&in, "merge :%d\n", i-1-r.IntN(5))
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
	for _, n := range names {
		for range 1 + r.IntN(8)/7 {
			i := r.IntN(len(parts))
			parts[i] = append(parts[i], n)
		}
	}
	tmp := tb.TempDir()
	for _, part := range parts {
		gitIn(tb, dir, []byte(strings.Join(part, "\n")+"\n"), "pack-objects", "-q", "--window=20", filepath.Join(tmp, "pack"))
	}
	var few []byte
	if loose {
		few = gitIn(tb, dir, []byte(strings.Join(names[:len(names)/10], "\n")+"\n"), "pack-objects", "-q", "--stdout")
	}
	objects := filepath.Join(dir, "objects")
	if err := os.RemoveAll(objects); err != nil {
		tb.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(objects, "pack"), 0o755); err != nil {
		tb.Fatal(err)
	}
	if loose {
		gitIn(tb, dir, few, "unpack-objects", "-q")
	}
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
func sentObjects(tb testing.TB, data []byte) []string {
	tb.Helper()
	dir := tb.TempDir()
	git(tb, dir, "init", "-q", "--bare")
	gitIn(tb, dir, data, "index-pack", "--stdin", "--strict")
	return strings.Fields(git(tb, dir, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)"))
}

func reachableObjects(tb testing.TB, dir string) []string {
	tb.Helper()
	list := strings.Fields(git(tb, dir, "rev-list", "--objects", "--no-object-names", "--all"))
	slices.Sort(list)
	return list
}

// A full clone gets exactly what is reachable, however the objects lie.
func TestFullClone(t *testing.T) {
	t.Parallel()
	notShort(t)
	unreachable := map[string]struct {
		flat bool // the clone does without a walk of trees
		make func(t *testing.T, dir string)
	}{
		"nothing": {true, func(*testing.T, string) {}},
		"a tag": {true, func(t *testing.T, dir string) {
			t.Helper()
			git(t, dir, "tag", "-a", "-m", "t", "gone", "b1")
			git(t, dir, "tag", "-d", "gone")
		}},
		"a commit with a tree of another one": {true, func(t *testing.T, dir string) {
			t.Helper()
			gitIn(t, dir, []byte("x"), "commit-tree", "b1^{tree}")
		}},
		"a commit with its tree": {false, func(t *testing.T, dir string) {
			t.Helper()
			tree := gitIn(t, dir, []byte("100644 blob "+gitBlob(t, dir, "alone")+"\tfile\n"), "mktree")
			gitIn(t, dir, []byte("x"), "commit-tree", strings.TrimSpace(string(tree)))
		}},
		"a blob": {false, func(t *testing.T, dir string) {
			t.Helper()
			gitBlob(t, dir, "alone")
		}},
	}
	for name, c := range unreachable {
		for _, loose := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, loose ones %v", name, loose), func(t *testing.T) {
				t.Parallel()
				for seed := range uint64(3) {
					dir := tangle(t, seed)
					c.make(t, dir)
					scatter(t, dir, seed, loose)
					r := open(t, dir, repo.Options{})
					wants := tips(t, r)
					for _, o := range []repo.PackOptions{{OfsDelta: true}, {}} {
						if flat, err := r.ClonesFlat(t.Context(), wants, o); flat != c.flat || err != nil {
							t.Errorf("ClonesFlat = %v, %v, want %v", flat, err, c.flat)
						}
						var b bytes.Buffer
						if err := r.WritePack(t.Context(), &b, wants, nil, o); err != nil {
							t.Fatalf("WritePack = %v", err)
						}
						if got, want := sentObjects(t, b.Bytes()), reachableObjects(t, dir); !slices.Equal(got, want) {
							t.Errorf("%d objects sent, want the %d that are reachable", len(got), len(want))
						}
					}
				}
			})
		}
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

// Without one of the branches, there may be something that is not to be sent.
func TestFullCloneOnlyOfAll(t *testing.T) {
	t.Parallel()
	dir := tangle(t, 5)
	r := open(t, dir, repo.Options{})
	if flat, err := r.ClonesFlat(t.Context(), tips(t, r)[1:], repo.PackOptions{}); flat || err != nil {
		t.Errorf("ClonesFlat = %v, %v without one branch, want false", flat, err)
	}
}
