package repo_test

import (
	"bytes"
	"encoding/binary"
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

// Random packs, whole, thin and broken, are taken or refused by both, and what
// is taken is stored alike: the same objects under the same name with the same
// index and reverse index.
func TestPacksAsGitTakesThem(t *testing.T) {
	t.Parallel()
	notShort(t)
	rnd := rand.New(rand.NewPCG(8, 8))
	var have crafted
	g := &packMaker{rnd: rnd}
	for i := range 6 {
		g.bases = append(g.bases, fmt.Sprintf("base %d %s", i, strings.Repeat("lorem ipsum ", i*4)))
		have.object(plumbing.BlobObject, g.bases[i])
	}
	start := create(t, repo.Options{NoSync: true})
	gitIn(t, start.Dir(), have.finish(), "-c", "pack.writeReverseIndex=true", "index-pack", "--stdin")
	dirs := t.TempDir()
	taken, thin := 0, 0
	for i := range 80 {
		p := g.make()
		ours, theirs := filepath.Join(dirs, fmt.Sprint(i)), filepath.Join(dirs, fmt.Sprint(i, ".git"))
		if err := errors.Join(os.CopyFS(ours, os.DirFS(start.Dir())), os.CopyFS(theirs, os.DirFS(start.Dir()))); err != nil {
			t.Fatal(err)
		}
		r := open(t, ours, repo.Options{NoSync: true})
		out, err := tryGit(t, theirs, p, "-c", "core.fsync=none", "-c", "pack.writeReverseIndex=true", "index-pack", "--stdin", "--fix-thin", "--strict")
		q, err2 := r.Ingest(t.Context(), bytes.NewReader(p), repo.IngestOptions{EOF: true})
		switch {
		case (err == nil) != (err2 == nil):
			t.Errorf("pack %d: Ingest = %v, git: %v %s", i, err2, err, out)
			continue
		case err2 != nil:
			if left, _ := filepath.Glob(ours + "/objects/tmp_*"); len(left) > 0 {
				t.Errorf("pack %d: %q is left behind", i, left)
			}
			continue
		}
		if err := q.Migrate(); err != nil {
			t.Fatal(err)
		}
		if err := q.Discard(); err != nil {
			t.Fatal(err)
		}
		taken++
		if sameStore(t, ours, theirs) {
			thin++
		}
	}
	if taken < 40 || thin < 10 || taken > 70 {
		t.Errorf("%d packs were taken, %d of them thin", taken, thin)
	}
}

// sameStore compares the packs of two repositories, and returns whether a thin
// one was among them. The bases that complete a thin pack are compressed by
// whoever completes it: there, all but the bytes is the same.
func sameStore(t *testing.T, ours, theirs string) bool {
	t.Helper()
	const all = "--batch-all-objects"
	const format = "--batch-check=%(objectname) %(objecttype) %(objectsize) %(deltabase)"
	if got, want := git(t, ours, "cat-file", all, format), git(t, theirs, "cat-file", all, format); got != want {
		t.Errorf("objects:\n%swant\n%s", got, want)
	}
	files := packFiles(t, ours)
	if slices.Equal(files, packFiles(t, theirs)) {
		for _, name := range files {
			if strings.HasSuffix(name, ".pack") {
				continue // its name is its checksum
			}
			a, err := os.ReadFile(filepath.Join(ours, "objects/pack", name))
			b, err2 := os.ReadFile(filepath.Join(theirs, "objects/pack", name))
			if err != nil || err2 != nil || !bytes.Equal(a, b) {
				t.Errorf("%s differs (%v, %v)", name, err, err2)
			}
		}
		return false
	}
	if got, want := inOrder(t, ours), inOrder(t, theirs); got != want {
		t.Errorf("a completed pack has\n%swant\n%s", got, want)
	}
	return true
}

// packFiles are the names of packs and indexes.
func packFiles(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(filepath.Join(dir, "objects/pack"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// inOrder lists the objects of all packs in the order of their entries.
func inOrder(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	packs, err := filepath.Glob(filepath.Join(dir, "objects/pack/*.pack"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packs {
		index, err := os.ReadFile(strings.TrimSuffix(p, ".pack") + ".idx")
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(gitIn(t, dir, index, "show-index"))), "\n")
		slices.SortFunc(lines, func(a, b string) int {
			var x, y int
			fmt.Sscan(a, &x)
			fmt.Sscan(b, &y)
			return x - y
		})
		var b strings.Builder
		for _, l := range lines {
			b.WriteString(strings.Fields(l)[1] + "\n")
		}
		all = append(all, b.String())
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// A packMaker makes packs of blobs and deltas.
type packMaker struct {
	rnd   *rand.Rand
	bases []string // what the repository has
}

func (g *packMaker) make() []byte {
	var c crafted
	var texts []string // of the entries, "" where a fault makes it unknown
	for i := range 1 + g.rnd.IntN(8) {
		// Objects differ, or one in a while does not.
		text := fmt.Sprintf("text %d %x", i, g.rnd.Uint64())
		if g.rnd.IntN(60) == 0 && i > 0 {
			text = texts[0]
		}
		switch k := g.rnd.IntN(10); {
		case k < 4 || i == 0:
			c.object(plumbing.BlobObject, text)
		case k < 7: // an offset delta
			at := g.rnd.IntN(len(texts))
			var d []byte
			d, text = g.delta(texts[at], text)
			c.ofs(at, d)
		default: // a delta by name: of this pack, of the repository, of nobody
			base := texts[g.rnd.IntN(len(texts))]
			if g.rnd.IntN(2) == 0 {
				base = g.bases[g.rnd.IntN(len(g.bases))]
			}
			if g.rnd.IntN(30) == 0 {
				base = "nobody's"
			}
			var d []byte
			d, text = g.delta(base, text)
			c.ref(plumbing.ComputeHash(plumbing.BlobObject, []byte(base)), d)
		}
		texts = append(texts, text)
	}
	p := c.finish()
	switch g.rnd.IntN(16) {
	case 0:
		p[12+g.rnd.IntN(len(p)-32)] ^= 1 << g.rnd.IntN(8)
		p = seal(p[:len(p)-20])
	case 1:
		p[len(p)-1-g.rnd.IntN(20)]++
	case 2:
		p = p[:g.rnd.IntN(len(p))]
	}
	return p
}

// delta makes a result of some copies and inserts.
func (g *packMaker) delta(base, text string) (delta []byte, result string) {
	var ops []byte
	for range 1 + g.rnd.IntN(4) {
		if off := g.rnd.IntN(len(base)); g.rnd.IntN(2) == 0 {
			size := 1 + g.rnd.IntN(len(base)-off)
			ops = append(ops, 0x80|0x01|0x10, byte(off), byte(size))
			if off > 255 {
				ops = append(ops[:len(ops)-3], 0x80|0x03|0x10, byte(off), byte(off>>8), byte(size))
			}
			if size > 255 {
				ops[len(ops)-1] = 100
				size = 100
			}
			result += base[off : off+size]
		}
	}
	ops = append(append(ops, byte(len(text))), text...)
	result += text
	size := len(result)
	switch g.rnd.IntN(40) {
	case 0:
		size++
	case 1:
		ops = append(ops, 0)
	case 2:
		ops = ops[:len(ops)-1]
	}
	d := binary.AppendUvarint(nil, uint64(len(base)))
	d = binary.AppendUvarint(d, uint64(size))
	return append(d, ops...), result
}
