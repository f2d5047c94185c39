package repo

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

// A handEntry is an entry of a pack that is made by hand.
type handEntry struct {
	name    byte // all of the object's name
	kind    ObjectType
	base    byte   // its name, for deltas
	content []byte // inflated
	empties int    // stored blocks of nothing, between what is deflated
}

func allOf(b byte) Hash { return Hash(bytes.Repeat([]byte{b}, hashSize)) }

// handMade is a repository whose only pack holds the entries.
func handMade(t *testing.T, entries []handEntry) *Repo {
	t.Helper()
	b := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), uint32(len(entries)))
	var tab table
	for _, e := range entries {
		tab.add(int64(len(b))).hash = allOf(e.name)
		b = appendEntryHead(b, e.kind, int64(len(e.content)))
		if e.kind == plumbing.REFDeltaObject {
			base := allOf(e.base)
			b = append(b, base[:]...)
		}
		var z bytes.Buffer
		zw := zlib.NewWriter(&z)
		for range e.empties {
			zw.Flush()
		}
		zw.Write(e.content)
		zw.Close()
		b = append(b, z.Bytes()...)
	}
	dir := filepath.Join(t.TempDir(), "hand.git")
	if err := Create(dir); err != nil {
		t.Fatal(err)
	}
	order, err := (&ingest{objects: tab}).order()
	if err != nil {
		t.Fatal(err)
	}
	stem := filepath.Join(dir, "objects/pack/pack-hand")
	if err := errors.Join(
		os.WriteFile(stem+".pack", append(b, make([]byte, hashSize)...), 0o644), // whose checksum idxOf gives as zeros, too
		writeFile(stem+".idx", idxOf(&tab, order)),
	); err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func treeText(mode string, names ...byte) []byte {
	var b []byte
	for _, n := range names {
		h := allOf(n)
		b = append(append(append(b, mode+" "...), n, 0), h[:]...)
	}
	return b
}

// replace is a delta that makes text of a base of n bytes.
func replace(n int, text []byte) []byte {
	d := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(n)), uint64(len(text)))
	for part := range slices.Chunk(text, 100) {
		d = append(append(d, byte(len(part))), part...)
	}
	return d
}

func TestTreeMarker(t *testing.T) {
	t.Parallel()
	blob := func(name byte) handEntry { return handEntry{name: name, kind: plumbing.BlobObject} }
	ref := func(name, base byte, delta []byte) handEntry {
		return handEntry{name: name, kind: plumbing.REFDeltaObject, base: base, content: delta}
	}
	tree := func(name byte, content []byte) handEntry {
		return handEntry{name: name, kind: plumbing.TreeObject, content: content}
	}
	const one = len("100644 x\x00") + hashSize // bytes of a tree of one entry
	cases := map[string]struct {
		entries []handEntry
		want    string // the names that are marked, beginning at tree 'a'
		err     error
	}{
		"a tree":              {entries: []handEntry{tree('a', treeText("100644", 'x')), blob('x'), blob('y')}, want: "ax"},
		"an empty tree":       {entries: []handEntry{tree('a', nil), blob('x')}, want: "a"},
		"a submodule":         {entries: []handEntry{tree('a', treeText("160000", 'x')), blob('x')}, want: "a"},
		"a delta":             {entries: []handEntry{ref('a', 'b', replace(one, treeText("100644", 'x', 'y'))), tree('b', treeText("100644", 'z')), blob('x'), blob('y'), blob('z')}, want: "axy"},
		"a base below":        {entries: []handEntry{ref('a', 'b', replace(one, treeText("40000", 'b'))), tree('b', treeText("100644", 'z')), blob('z')}, want: "abz"},
		"wordy deflate":       {entries: []handEntry{{name: 'a', kind: plumbing.TreeObject, content: treeText("100644", 'x'), empties: 500}, blob('x')}, want: "ax"},
		"a wordy delta":       {entries: []handEntry{{name: 'a', kind: plumbing.REFDeltaObject, base: 'b', content: replace(0, treeText("100644", 'x')), empties: 500}, tree('b', nil), blob('x')}, want: "ax"},
		"a cycle of deltas":   {entries: []handEntry{ref('a', 'b', replace(one, treeText("100644", 'x'))), ref('b', 'a', replace(one, treeText("100644", 'x'))), blob('x')}, err: ErrCorrupt},
		"a delta on itself":   {entries: []handEntry{ref('a', 'a', replace(one, treeText("100644", 'x'))), blob('x')}, err: ErrCorrupt},
		"no base":             {entries: []handEntry{ref('a', 'q', replace(one, nil))}, err: ErrCorrupt},
		"a delta on a blob":   {entries: []handEntry{ref('a', 'x', replace(0, nil)), blob('x')}, err: ErrType},
		"a blob for a tree":   {entries: []handEntry{tree('a', treeText("40000", 'x')), blob('x')}, err: ErrType},
		"a link to nothing":   {entries: []handEntry{tree('a', treeText("100644", 'q'))}, err: ErrNotFound},
		"a tree to nothing":   {entries: []handEntry{tree('a', treeText("40000", 'q'))}, err: ErrNotFound},
		"half an entry":       {entries: []handEntry{tree('a', treeText("100644", 'x')[:one-1]), blob('x')}, err: ErrCorrupt},
		"a base of that size": {entries: []handEntry{ref('a', 'b', replace(one+1, nil)), tree('b', treeText("100644", 'z'))}, err: ErrCorrupt},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := handMade(t, c.entries)
			for _, known := range []bool{true, false} {
				w := newWalk(t.Context(), newMarks(&r.Objects))
				if w.workers = 2; !known {
					w.m.first = 0 // as if the pack had come later
				}
				m := newTreeMarker(newPicker(w, markWanted))
				err := m.root(allOf('a'))
				if err == nil {
					err = m.run()
				}
				if !errors.Is(err, c.err) || c.err == nil && err != nil {
					t.Fatalf("run = %v, want %v", err, c.err)
				}
				if got := markedNames(t, w.m, c.entries); err == nil && got != c.want {
					t.Errorf("%q are marked, want %q (pack known: %v)", got, c.want, known)
				}
			}
		})
	}
}

func markedNames(t *testing.T, m *marks, entries []handEntry) string {
	t.Helper()
	var b strings.Builder
	for _, e := range entries {
		ok, err := m.has(allOf(e.name), markWanted)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			b.WriteByte(e.name)
		}
	}
	return b.String()
}

// A feed is fed to the end even if what it gives cannot be read.
func TestTreeFeed(t *testing.T) {
	t.Parallel()
	r := handMade(t, []handEntry{{name: 'a', kind: plumbing.TreeObject, content: []byte("no tree")}})
	w := newWalk(t.Context(), newMarks(&r.Objects))
	f := newTreeMarker(newPicker(w, markWanted)).feed()
	for range 5 * feedSize {
		f.add(allOf('a'))
	}
	if err := f.finish(); !errors.Is(err, ErrCorrupt) {
		t.Errorf("finish = %v, want %v", err, ErrCorrupt)
	}
}

// Names are found whether they are spread evenly or not.
func TestIdxFind(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]func(*rand.Rand, *Hash){
		"even":            func(rnd *rand.Rand, h *Hash) { binary.BigEndian.PutUint64(h[:], rnd.Uint64()) },
		"one first byte":  func(rnd *rand.Rand, h *Hash) { binary.BigEndian.PutUint64(h[:], rnd.Uint64()>>8) },
		"crowded":         func(rnd *rand.Rand, h *Hash) { binary.BigEndian.PutUint64(h[:], rnd.Uint64()%(1<<13)) },
		"at both ends":    func(rnd *rand.Rand, h *Hash) { binary.BigEndian.PutUint64(h[:], -(rnd.Uint64()&1)^rnd.Uint64()%9000) },
		"one first half":  func(*rand.Rand, *Hash) {},
		"few first halfs": func(rnd *rand.Rand, h *Hash) { h[7] = byte(rnd.Uint32() & 3) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tab table
			rnd := rand.New(rand.NewPCG(3, 4))
			for i := range 4000 {
				o := tab.add(int64(i + 12))
				next(rnd, &o.hash)
				binary.BigEndian.PutUint32(o.hash[10:], uint32(i))
			}
			g := &ingest{objects: tab}
			order, err := g.order()
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := encodeIdx(&b, &tab, order); err != nil {
				t.Fatal(err)
			}
			x, err := parseIdx(b.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			for i := range tab.n {
				h := tab.at(int32(i)).hash
				if pos, ok := x.find(h); !ok || x.hash(pos) != h {
					t.Fatalf("find(%s) = %d, %v", h, pos, ok)
				}
				h[19] ^= 1
				if pos, ok := x.find(h); ok {
					t.Fatalf("find(%s) = %d, want nothing", h, pos)
				}
			}
		})
	}
}
