package repo

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

// fuzzOptions bound what one input may cost.
var fuzzOptions = Options{
	MaxPackBytes: 1 << 20, MaxObjects: 1000, MaxObjectSize: 1 << 20, MaxHeldSize: 1 << 18,
	MaxInflated: 4 << 20, MaxDeltaDepth: 20, Workers: 2, NoSync: true,
}

func fuzzRepo(tb testing.TB) *Repo {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "x.git")
	if err := Create(dir); err != nil {
		tb.Fatal(err)
	}
	r, err := Open(dir, fuzzOptions)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { r.Close() })
	return r
}

// ingestFuzzed takes in a pack, which must end in words for the client or in
// objects that can be read, and leave nothing else.
func ingestFuzzed(t *testing.T, r *Repo, pack []byte) {
	t.Helper()
	q, err := r.Ingest(t.Context(), bytes.NewReader(pack), IngestOptions{EOF: true})
	if err == nil {
		for pos := range q.count {
			if q.front == nil {
				break
			}
			h := q.front.idx.hash(pos)
			kind, data, err := q.Object(h)
			if err != nil || plumbing.ComputeHash(kind, data) != h {
				t.Errorf("object %s: %s, %v", h, kind, err)
			}
			if k, size, err := q.Stat(h); k != kind || size != int64(len(data)) || err != nil {
				t.Errorf("Stat(%s) = %v, %d, %v, want %v, %d", h, k, size, err, kind, len(data))
			}
		}
		err = q.Discard()
	} else if !errors.Is(err, ErrBadPack) && !errors.Is(err, ErrBadObject) && !errors.Is(err, ErrLimit) && !errors.Is(err, ErrMissing) && !errors.Is(err, ErrCollision) {
		t.Errorf("Ingest = %v, want an error for the client", err)
	}
	if left, _ := filepath.Glob(filepath.Join(r.dir, "objects", "*_*")); len(left) > 0 {
		t.Errorf("left behind: %q (%v)", left, err)
	}
}

// sealPack puts header and trailer around entries, which no mutation would hit.
func sealPack(n byte, entries []byte) []byte {
	b := append([]byte("PACK\x00\x00\x00\x02\x00\x00\x00"), n)
	b = append(b, entries...)
	sum := sha1.Sum(b)
	return append(b, sum[:]...)
}

func deflated(b []byte, data string) []byte {
	var out bytes.Buffer
	zw := zlib.NewWriter(&out)
	zw.Write([]byte(data))
	zw.Close()
	return append(b, out.Bytes()...)
}

// FuzzIngest takes in packs of any bytes, after a good header.
func FuzzIngest(f *testing.F) {
	blob := deflated(appendEntryHead(nil, plumbing.BlobObject, 5), "hello")
	ofs := deflated(appendOffset(appendEntryHead(nil, plumbing.OFSDeltaObject, 4), int64(len(blob))), "\x05\x03\x90\x03")
	base := plumbing.ComputeHash(plumbing.BlobObject, []byte("hello"))
	ref := deflated(append(appendEntryHead(nil, plumbing.REFDeltaObject, 4), base[:]...), "\x05\x02\x90\x02")
	f.Add(byte(1), blob)
	f.Add(byte(2), append(bytes.Clone(blob), ofs...))
	f.Add(byte(2), append(bytes.Clone(ref), blob...))
	f.Add(byte(1), deflated(appendEntryHead(nil, plumbing.TreeObject, 28), "100644 a\x00"+string(base[:])))
	f.Add(byte(9), blob)
	f.Add(byte(1), appendEntryHead(nil, plumbing.BlobObject, 1<<40))
	r := fuzzRepo(f)
	f.Fuzz(func(t *testing.T, n byte, entries []byte) {
		ingestFuzzed(t, r, sealPack(n, entries))
	})
}

// FuzzIngestEntries takes in packs that are well compressed, so that what
// stands in objects and deltas is reached. A line of the input is an entry: its
// kind, how far back its base is, and its content.
func FuzzIngestEntries(f *testing.F) {
	tree := plumbing.ComputeHash(plumbing.TreeObject, nil)
	f.Add([]byte("3 hello\n6\x01\x05\x03\x90\x03\n7\x01\x03\x02\x90\x02"))
	f.Add([]byte("2 100644 a\x00" + string(tree[:]) + "\n2 \n3 x"))
	f.Add([]byte("1 tree " + tree.String() + "\x1fauthor A <a> 1 +0000\x1fcommitter A <a> 1 +0000\x1f\x1fx\n2 "))
	f.Add([]byte("4 object " + tree.String() + "\x1ftype tree\x1ftag x\x1f\x1fx\n2 "))
	f.Add([]byte("3 [submodule \"x\"]\x1furl = -x"))
	r := fuzzRepo(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		var entries []byte
		var offs []int64
		var names []Hash
		n := 0
		for line := range bytes.SplitSeq(in, []byte{'\n'}) {
			if len(line) < 2 || n == 200 {
				continue
			}
			kind := ObjectType(line[0] & 7)
			// A byte stands for the line end, which separates entries here.
			data := strings.ReplaceAll(string(line[2:]), "\x1f", "\n")
			off := int64(packHead + len(entries))
			entries = appendEntryHead(entries, kind, int64(len(data)))
			back := max(len(offs)-int(line[1])&15, 0)
			switch {
			case kind == plumbing.OFSDeltaObject && back < len(offs):
				entries = appendOffset(entries, off-offs[back])
			case kind == plumbing.REFDeltaObject && back < len(names):
				entries = append(entries, names[back][:]...)
			}
			entries = deflated(entries, data)
			offs = append(offs, off)
			names = append(names, plumbing.ComputeHash(kind, []byte(data)))
			n++
		}
		ingestFuzzed(t, r, sealPack(byte(n), entries))
	})
}

// FuzzInflater compares all ways of undoing zlib with the standard library: the
// same streams are taken, to the same bytes, up to the same end.
func FuzzInflater(f *testing.F) {
	for _, s := range []string{"", "x", strings.Repeat("hello ", 40), "\x00\x01\x02\x03"} {
		f.Add(append(deflated(nil, s), "rest"...), uint16(len(s)), byte(0))
		f.Add(deflated(nil, s), uint16(len(s)+1), byte(40))
	}
	f.Add([]byte("\x78\x01\x01\x03\x00\xfc\xffabc\x02\x4d\x01\x27"), uint16(3), byte(3)) // stored
	var z inflater
	f.Fuzz(func(t *testing.T, src []byte, size uint16, piece byte) {
		want, left, ok := stdInflate(src, int(size))
		check := func(how string, got []byte, rest int, err error) {
			t.Helper()
			switch {
			case ok != (err == nil):
				t.Errorf("%s: %v, the standard library takes it: %v", how, err, ok)
			case ok && !bytes.Equal(got, want):
				t.Errorf("%s: %q, want %q", how, got, want)
			case ok && rest != left:
				t.Errorf("%s: %d bytes left, want %d", how, rest, left)
			}
		}
		// The bytes behind the result are others'.
		room := bytes.Repeat([]byte{0xaa}, int(size)+64)
		r := bytes.NewReader(src)
		err := z.fill(room[:size:size], r)
		check("fill from bytes", room[:size], r.Len(), err)
		if i := bytes.IndexFunc(room[size:], func(c rune) bool { return c != '\ufffd' }); i >= 0 {
			t.Errorf("fill wrote %d bytes behind its end", i)
		}
		got := make([]byte, size)
		r = bytes.NewReader(src)
		br := bufio.NewReaderSize(r, 16+int(piece))
		err = z.fill(got, br)
		check("fill from a buffer", got, r.Len()+br.Buffered(), err)
		r = bytes.NewReader(src)
		br = bufio.NewReaderSize(r, 16+int(piece))
		br.Peek(int(piece) & 15) // something is there already, or the end is known
		got = got[:0]
		err = z.stream(br, int64(size), make([]byte, 1+int(piece)), func(b []byte) error {
			got = append(got, b...)
			return nil
		})
		check("stream", got, r.Len()+br.Buffered(), err)
	})
}

// FuzzLoose reads loose objects of any bytes.
func FuzzLoose(f *testing.F) {
	f.Add(deflated(nil, "blob 5\x00hello"))
	f.Add(deflated(nil, "tree 0\x00"))
	f.Add(deflated(nil, "blob 99999999999999999999\x00"))
	f.Add(deflated(nil, "blob -1\x00"))
	f.Add([]byte("garbage"))
	r := fuzzRepo(f)
	h := Hash{0x11, 0x22}
	path := loosePath(r.db.dir, h)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		kind, data, err := r.Object(h)
		k, size, serr := r.Stat(h)
		if err == nil && (serr != nil || k != kind || size != int64(len(data))) {
			t.Errorf("Stat = %v, %d, %v, want %v, %d", k, size, serr, kind, len(data))
		}
		if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrLimit) {
			t.Errorf("Object = %v, want %v", err, ErrCorrupt)
		}
	})
}

// FuzzRev puts any bytes in the place of a reverse index. The order that comes
// out is always the pack's.
func FuzzRev(f *testing.F) {
	r := fuzzRepo(f)
	var entries []byte
	for i := range 5 {
		entries = deflated(appendEntryHead(entries, plumbing.BlobObject, 1), fmt.Sprint(i))
	}
	q, err := r.Ingest(f.Context(), bytes.NewReader(sealPack(5, entries)), IngestOptions{EOF: true})
	if err != nil {
		f.Fatal(err)
	}
	if err := errors.Join(q.Migrate(), q.Discard()); err != nil {
		f.Fatal(err)
	}
	packs, _ := filepath.Glob(filepath.Join(r.db.dir, "pack", "*.idx"))
	rev := strings.TrimSuffix(packs[0], ".idx") + ".rev"
	good, err := os.ReadFile(rev)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:20])
	f.Add(bytes.Replace(good, []byte{0, 0, 0, 4}, []byte{0xff, 0xff, 0xff, 0xff}, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := errors.Join(os.Remove(rev), os.WriteFile(rev, b, 0o644)); err != nil {
			t.Fatal(err)
		}
		p, err := openPack(packs[0])
		if err != nil {
			t.Fatal(err)
		}
		defer p.close()
		order, err := p.order()
		if err != nil || len(order) != 5 {
			t.Fatalf("order = %v, %v", order, err)
		}
		last := int64(0)
		for _, pos := range order {
			off, err := p.idx.offset(int(pos))
			if err != nil || off <= last {
				t.Fatalf("order = %v", order)
			}
			last = off
		}
	})
}

// FuzzConfig reads files of any bytes as git's config. Every value that comes
// out reads the same once it is written with all of it quoted.
func FuzzConfig(f *testing.F) {
	f.Add([]byte("[core]\n\tbare = true ; yes\n[a \"b\\\"c\"]x=\"y\\n\" z\\\n w\n"))
	f.Add([]byte("\xef\xbb\xbf[a.b]\r\nc\r\n"))
	f.Add([]byte("[a \"b\nc\"]"))
	quote := strings.NewReplacer("\\", "\\\\", "\"", "\\\"", "\n", "\\n", "\t", "\\t", "\b", "\\b")
	f.Fuzz(func(t *testing.T, in []byte) {
		parseConfig(in, func(v configVar) error {
			if v.section != strings.ToLower(v.section) || v.key != strings.ToLower(v.key) || v.key == "" {
				t.Errorf("%+v", v)
			}
			if !v.hasSub || strings.Contains(v.sub, "\n") || !v.hasValue || strings.Contains(v.value, "\r") {
				return nil
			}
			sub := strings.NewReplacer("\\", "\\\\", "\"", "\\\"").Replace(v.sub)
			text := fmt.Sprintf("[%s \"%s\"]\n%s = \"%s\"\n", v.section, sub, v.key, quote.Replace(v.value))
			var again []configVar
			err := parseConfig([]byte(text), func(v configVar) error { again = append(again, v); return nil })
			if err != nil || len(again) != 1 || again[0] != v {
				t.Errorf("%+v written as %q is %+v, %v", v, text, again, err)
			}
			return nil
		})
		checkModules(in)
	})
}

// refRules are the rules of git-check-ref-format, as its manual numbers them.
var refRules = map[string]*regexp.Regexp{
	"1 dot":     regexp.MustCompile(`(?s)(^|/)\.`),
	"1 lock":    regexp.MustCompile(`(?s)\.lock(/|$)`),
	"2 slash":   regexp.MustCompile(`(?s)^[^/]*$`),
	"3 dots":    regexp.MustCompile(`\.\.`),
	"4 control": regexp.MustCompile(`[\x00-\x20\x7f~^:]`),
	"5 pattern": regexp.MustCompile(`[?*\[]`),
	"6 slashes": regexp.MustCompile(`(?s)^/|/$|//`),
	"7 end":     regexp.MustCompile(`(?s)\.$`),
	"8 reflog":  regexp.MustCompile(`@\{`),
	"9 at":      regexp.MustCompile(`(?s)^@$`),
	"10 escape": regexp.MustCompile(`\\`),
}

// FuzzCheckRefName compares with the manual's rules, read one by one.
func FuzzCheckRefName(f *testing.F) {
	for _, s := range []string{"refs/heads/main", "refs/heads/a.lock", "refs/.a", "refs/a..b", "refs/a@{b", "refs/@", "refs/a\\b", "@", "refs/", "refs/\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		broken := ""
		if !strings.HasPrefix(name, "refs/") {
			broken = "ours: all of them are below refs/"
		}
		for rule, pattern := range refRules {
			// Bytes that are no UTF-8 are bytes like others.
			if pattern.MatchString(strings.ToValidUTF8(name, "x")) {
				broken = rule
			}
		}
		if err := CheckRefName(name); len(name) < 200 && (err == nil) != (broken == "") {
			t.Errorf("CheckRefName(%q) = %v, rule %q", name, err, broken)
		}
	})
}

// FuzzRefValue reads references of any bytes, and symbolic ones.
func FuzzRefValue(f *testing.F) {
	f.Add([]byte("ref: refs/heads/main\n"))
	f.Add([]byte(Hash{1}.String() + "\n"))
	f.Add([]byte(Hash{1}.String() + " trailing"))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := parseRefValue(b)
		if err != nil {
			return
		}
		switch {
		case v.target != "" && CheckRefName(v.target) != nil:
			t.Errorf("%q points to %q", b, v.target)
		case v.target == "" && !strings.EqualFold(v.hash.String(), string(b[:2*hashSize])):
			t.Errorf("%q is %s", b, v.hash)
		}
	})
}
