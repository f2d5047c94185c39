package repo

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

// The first 320 bytes of a PDF of shattered.io hold the near-collision blocks.
func TestCollision(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/shattered-1.head")
	if err != nil {
		t.Fatal(err)
	}
	x := newHasher()
	x.h.Reset()
	x.write(data)
	if _, err := x.finish(); !errors.Is(err, ErrCollision) {
		t.Errorf("finish = %v, want %v", err, ErrCollision)
	}
	want := plumbing.ComputeHash(plumbing.BlobObject, []byte("hello"))
	if h, err := x.sum(plumbing.BlobObject, []byte("hello")); h != want || err != nil {
		t.Errorf("sum = %v, %v, want %v", h, err, want)
	}
}

func TestDotGitNames(t *testing.T) {
	t.Parallel()
	note := func(Hash, noteKind) {}
	for _, name := range []string{
		".git", ".GIT", ".giT ", ".git.", ".git . .", "git~1", "GIT~1", ".git::$INDEX_ALLOCATION", ".git:x", `.git\config`,
		`x\.git`, `x\git~1`, ".\u200cgit", ".gi\u200dt", "\ufeff.git", ".git\u206f", ".g\u202aIt",
	} {
		if checkEntryName(&treeEntry{name: []byte(name), mode: modeTree}, note) == nil {
			t.Errorf("%q passes", name)
		}
	}
	for _, name := range []string{
		".gitx", "git", "git~2", "git~10", ".gi", "gitgit", ".git x", "x.git", ".github", ".gitignore", "...", ".g\u00efit", "g", "GIT", "a\\b",
	} {
		if err := checkEntryName(&treeEntry{name: []byte(name), mode: modeTree}, note); err != nil {
			t.Errorf("%q does not pass: %v", name, err)
		}
	}
	for _, name := range []string{".gitmodules", ".GITMODULES", ".gitmodules ", "gitmod~1", "GITMOD~4", "gi7eba~1", "gi7eb~10", "GI7E~123", ".gitmodules:x", ".git\u200cmodules", `x\.gitmodules`} {
		var found noteKind
		err := checkEntryName(&treeEntry{name: []byte(name), mode: modeFile}, func(_ Hash, k noteKind) { found |= k })
		if found&noteModules == 0 || err != nil {
			t.Errorf("%q is not taken for .gitmodules (%v)", name, err)
		}
		if checkEntryName(&treeEntry{name: []byte(name), mode: modeLink}, note) == nil {
			t.Errorf("%q passes as a symbolic link", name)
		}
	}
}

// What a tree keeps parsed is bound by entries, not by directories.
func TestTreeKeeps(t *testing.T) {
	t.Parallel()
	fsys := &treeFS{dirs: make(map[Hash][]*node)}
	for i := range 10 {
		for range 2 {
			fsys.keep(Hash{byte(i)}, make([]*node, maxNodes/4))
		}
		if kept := len(fsys.dirs); kept != i%3+1 || fsys.nodes != kept*(maxNodes/4+1) {
			t.Errorf("after %d directories %d are kept, counted as %d entries", i+1, kept, fsys.nodes)
		}
	}
}

func TestCheckIdent(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"A <a@b> 1 +0000\n":                    "",
		"A <> 0 -0130\n":                       "",
		" <a@b> 1 +0000\n":                     "",
		"<a@b> 1 +0000\n":                      "missingNameBeforeEmail",
		"A> <a@b> 1 +0000\n":                   "badName",
		"A a@b 1 +0000\n":                      "missingEmail",
		"A<a@b> 1 +0000\n":                     "missingSpaceBeforeEmail",
		"A <a<b> 1 +0000\n":                    "badEmail",
		"A <a@b>1 +0000\n":                     "missingSpaceBeforeDate",
		"A <a@b> 01 +0000\n":                   "zeroPaddedDate",
		"A <a@b> x +0000\n":                    "badDate",
		"A <a@b> 99999999999999999999 +0000\n": "badDateOverflow",
		"A <a@b> 1 0000\n":                     "badTimezone",
		"A <a@b> 1 +000\n":                     "badTimezone",
		"A <a@b> 1 +0000 \n":                   "badTimezone",
		"A <a@b> 1 +00x0\n":                    "badTimezone",
		"A <a@b> 1\n":                          "badDate",
	} {
		_, err := checkIdent([]byte(in))
		id := ""
		if oe, ok := errors.AsType[*ObjectError](err); ok {
			id = oe.ID
		}
		if id != want {
			t.Errorf("checkIdent(%q) = %q, want %q", in, id, want)
		}
	}
}

func TestParseConfig(t *testing.T) {
	t.Parallel()
	in := "\ufeff# comment\r\n[Core]\n\tBare = true ; yes\n bad = \"a # b\" c  \n[submodule \"A \\\"b\\\\\"]url=x\\\n  y\n\tupdate\n[submodule.Low]\npath = \\t\"\"\n"
	var got []configVar
	if err := parseConfig([]byte(in), func(v configVar) error { got = append(got, v); return nil }); err != nil {
		t.Fatal(err)
	}
	want := []configVar{
		{section: "core", key: "bare", value: "true", hasValue: true},
		{section: "core", key: "bad", value: "a # b c", hasValue: true},
		{section: "submodule", sub: `A "b\`, hasSub: true, key: "url", value: "x  y", hasValue: true},
		{section: "submodule", sub: `A "b\`, hasSub: true, key: "update"},
		{section: "submodule", sub: "low", hasSub: true, key: "path", value: "\t", hasValue: true},
	}
	if !slices.Equal(got, want) {
		t.Errorf("parseConfig =\n%+v, want\n%+v", got, want)
	}
	for _, in := range []string{"x = 1", "[a\n]", "[a \"x\n\"]\n", "[a]\n=1", "[a]\nb = \"x\n", "[a]\nb = \\x\n", "[a]b c\n", "[a \"x\" ]\n"} {
		if err := parseConfig([]byte(in), func(configVar) error { return nil }); !errors.Is(err, errConfig) {
			t.Errorf("parseConfig(%q) = %v, want %v", in, err, errConfig)
		}
	}
}

func TestIdxBigOffsets(t *testing.T) {
	t.Parallel()
	var tab table
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 3000 {
		o := tab.add(int64(i+1) << 21)
		o.crc = rnd.Uint32()
		for j := range o.hash {
			o.hash[j] = byte(rnd.Uint32())
		}
	}
	g := &ingest{objects: tab}
	order, err := g.order()
	if err != nil {
		t.Fatal(err)
	}
	path := t.TempDir() + "/x.idx"
	if err := writeFile(path, idxOf(&tab, order)); err != nil {
		t.Fatal(err)
	}
	x, err := openIdx(path)
	if err != nil {
		t.Fatal(err)
	}
	defer x.close()
	for i := range tab.n {
		o := tab.at(int32(i))
		pos, ok := x.find(o.hash)
		off, err := x.offset(pos)
		if !ok || err != nil || off != o.off || x.crc(pos) != o.crc || x.hash(pos) != o.hash {
			t.Fatalf("object %d: found %v at %d (%v), want %d", i, ok, off, err, o.off)
		}
	}
	if _, ok := x.find(Hash{}); ok {
		t.Error("find finds what is not there")
	}
}

func FuzzEntryHead(f *testing.F) {
	f.Add([]byte{0x35}, int64(12))
	f.Add([]byte{0xe5, 0x01, 0x80, 0x01}, int64(400))
	f.Add(append([]byte{0x75}, make([]byte, 20)...), int64(12))
	f.Add(bytes.Repeat([]byte{0xff}, 40), int64(1)<<40)
	f.Fuzz(func(t *testing.T, b []byte, off int64) {
		e, err := readEntryHead(bytes.NewReader(b), off)
		if err != nil {
			return
		}
		if e.size < 0 || e.len > maxEntryHead || e.len > len(b) {
			t.Fatalf("%+v", e)
		}
		again := appendEntryHead(nil, e.kind, e.size)
		switch e.kind { //nolint:exhaustive // the others have no base
		case plumbing.OFSDeltaObject:
			if e.base <= 0 || e.base >= off {
				t.Fatalf("base %d of %d", e.base, off)
			}
			again = appendOffset(again, off-e.base)
		case plumbing.REFDeltaObject:
			again = append(again, e.ref[:]...)
		}
		e2, err := readEntryHead(bytes.NewReader(again), off)
		if err != nil || e2.kind != e.kind || e2.size != e.size || e2.base != e.base || e2.ref != e.ref || e2.len != len(again) {
			t.Fatalf("%+v encoded is %+v, %v", e, e2, err)
		}
	})
}

// slowDelta applies a delta byte by byte, as the format's description reads.
func slowDelta(base, d []byte) ([]byte, bool) {
	want, size, n, err := deltaSizes(d)
	if err != nil || want != int64(len(base)) {
		return nil, false
	}
	var out []byte
	for d = d[n:]; len(d) > 0; {
		op := d[0]
		d = d[1:]
		if op == 0 {
			return nil, false
		}
		if op < 0x80 {
			if int(op) > len(d) {
				return nil, false
			}
			out = append(out, d[:op]...)
			d = d[op:]
			continue
		}
		var arg [7]int
		for i := range arg {
			if op&(1<<i) != 0 {
				if len(d) == 0 {
					return nil, false
				}
				arg[i] = int(d[0])
				d = d[1:]
			}
		}
		off := arg[0] | arg[1]<<8 | arg[2]<<16 | arg[3]<<24
		k := arg[4] | arg[5]<<8 | arg[6]<<16
		if k == 0 {
			k = 0x10000
		}
		if off+k > len(base) || int64(len(out)+k) > size {
			return nil, false
		}
		out = append(out, base[off:off+k]...)
	}
	return out, int64(len(out)) == size
}

func FuzzApplyDelta(f *testing.F) {
	f.Add([]byte("base"), []byte{4, 4, 0x90, 4})
	f.Add([]byte("base"), []byte{4, 6, 0x91, 1, 3, 3, 'x', 'y', 'z'})
	f.Add(make([]byte, 0x10000), []byte{0x80, 0x80, 4, 0x80, 0x80, 4, 0x80})
	f.Add([]byte("base"), []byte{4, 1, 0})
	f.Add([]byte("base"), []byte{4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		want, ok := slowDelta(base, delta)
		got, err := patch(base, delta, 1<<20)
		if errors.Is(err, ErrLimit) {
			return
		}
		if ok != (err == nil) || ok && !bytes.Equal(got, want) {
			t.Fatalf("got %q, %v, want %q, %v", got, err, want, ok)
		}
	})
}

func FuzzIdx(f *testing.F) {
	var tab table
	for i := range 3 {
		tab.add(int64(i) << 31).hash[0] = byte(i * 100)
	}
	var b bytes.Buffer
	if err := encodeIdx(&b, &tab, []int32{0, 1, 2}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:idxNames])
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := parseIdx(b)
		if err != nil {
			return
		}
		for pos := range min(x.n, 1000) {
			x.crc(pos)
			if off, err := x.offset(pos); err == nil && off < 0 {
				t.Fatalf("offset %d", off)
			}
			x.find(x.hash(pos))
		}
		x.find(Hash{0xff})
	})
}

func FuzzRefName(f *testing.F) {
	for _, s := range []string{"refs/heads/main", "refs/heads/a..b", "refs/heads/.x", "refs/heads/x.lock/y", "refs/@{", "refs/heads/\x7f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if CheckRefName(s) != nil {
			return
		}
		// What passes must be a path below refs/ and survive being written and read.
		p, err := parsePacked([]byte(Hash{1}.String() + " " + s + "\n"))
		if err != nil || len(p.refs) != 1 || p.refs[0].Name != s {
			t.Fatalf("%q packed is %+v, %v", s, p, err)
		}
		if v, err := parseRefValue([]byte("ref: " + s + "\n")); err != nil || v.target != s {
			t.Fatalf("%q as a symbolic reference is %+v, %v", s, v, err)
		}
	})
}

func FuzzPackedRefs(f *testing.F) {
	f.Add([]byte(packedHeader + Hash{1}.String() + " refs/tags/v1\n^" + Hash{2}.String() + "\n"))
	f.Add([]byte("# x\n^"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parsePacked(b)
		if err != nil {
			return
		}
		for _, r := range p.refs {
			if CheckRefName(r.Name) != nil {
				t.Fatalf("%q", r.Name)
			}
		}
		var out bytes.Buffer
		if err := encodePacked(&out, p); err != nil {
			t.Fatal(err)
		}
		again, err := parsePacked(out.Bytes())
		if err != nil || !slices.Equal(p.refs, again.refs) {
			t.Fatalf("%+v written is %+v, %v", p.refs, again, err)
		}
	})
}

func FuzzTree(f *testing.F) {
	h := string(bytes.Repeat([]byte{7}, 20))
	f.Add([]byte("100644 a\x00" + h + "40000 b\x00" + h))
	f.Add([]byte("120000 .gitmodules\x00" + h))
	f.Add([]byte("40000 .g\xe2\x80\x8cit\x00" + h))
	f.Add([]byte("100644 gi7eba~1\x00" + h + "100644 \\.git\x00" + h))
	f.Fuzz(func(t *testing.T, b []byte) {
		var links int
		err := checkTree(b, func(Hash, ObjectType) { links++ }, func(Hash, noteKind) {})
		if err != nil {
			return
		}
		// What passes is read the same by go-git's decoder, and has no odd names.
		entries := 0
		for rest := b; len(rest) > 0; entries++ {
			e, r, ok := nextTreeEntry(rest)
			if !ok || bytes.ContainsAny(e.name, "/\x00") || isNTFSDotGit(e.name) {
				t.Fatalf("%q passes", e.name)
			}
			rest = r
		}
		if links > entries {
			t.Fatalf("%d links of %d entries", links, entries)
		}
	})
}

func FuzzCommitAndTag(f *testing.F) {
	f.Add([]byte("tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\nx"))
	f.Add([]byte("object 4b825dc642cb6eb9a060e54bf8d69288fbee4904\ntype tree\ntag x\ntagger A <a> 1 +0000\n\nx"))
	f.Fuzz(func(t *testing.T, b []byte) {
		none := func(Hash, ObjectType) {}
		if checkCommit(b, none) == nil {
			if _, err := parseCommit(b); err != nil {
				t.Fatalf("passes but cannot be parsed: %v", err)
			}
		}
		// These must not panic.
		checkTag(b, none)
		checkModules(b)
		parseConfig(b, func(configVar) error { return nil })
	})
}

func idxOf(tab *table, order []int32) func(*bufio.Writer) error {
	return func(w *bufio.Writer) error { return writeIdx(w, byName{tab, order}, make([]byte, hashSize)) }
}

func encodeIdx(b *bytes.Buffer, tab *table, order []int32) error {
	w := bufio.NewWriter(b)
	err := errors.Join(idxOf(tab, order)(w), w.Flush())
	b.Write(make([]byte, hashSize))
	return err
}

func encodePacked(b *bytes.Buffer, p *packedRefs) error {
	return p.write(bufio.NewWriter(b), nil)
}

// stdInflate is the standard library's result, if the stream is whole and has
// the size, and how much of src follows it.
func stdInflate(src []byte, size int) (data []byte, left int, ok bool) {
	r := bytes.NewReader(src)
	zr, err := zlib.NewReader(r)
	if err != nil {
		return nil, 0, false
	}
	data, err = io.ReadAll(io.LimitReader(zr, int64(size)+1))
	if err != nil || len(data) != size {
		return nil, 0, false
	}
	// The checksum is read with the end of the data.
	if _, err := zr.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		return nil, 0, false
	}
	return data, r.Len(), true
}
