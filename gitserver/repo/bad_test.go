package repo_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/repo"
)

// A crafted pack, entry by entry.
type crafted struct {
	b    bytes.Buffer
	n    uint32
	offs []int
}

func (c *crafted) head(kind plumbing.ObjectType, size int) {
	if c.n == 0 {
		c.b.WriteString("PACK\x00\x00\x00\x02\x00\x00\x00\x00")
	}
	c.offs = append(c.offs, c.b.Len())
	c.n++
	b := byte(kind)<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		c.b.WriteByte(b | 0x80)
		b = byte(size & 0x7f)
	}
	c.b.WriteByte(b)
}

func (c *crafted) deflate(data []byte) {
	zw := zlib.NewWriter(&c.b)
	zw.Write(data)
	zw.Close()
}

func (c *crafted) object(kind plumbing.ObjectType, data string) plumbing.Hash {
	c.head(kind, len(data))
	c.deflate([]byte(data))
	return plumbing.ComputeHash(kind, []byte(data))
}

func (c *crafted) ref(base plumbing.Hash, delta []byte) {
	c.head(plumbing.REFDeltaObject, len(delta))
	c.b.Write(base[:])
	c.deflate(delta)
}

func (c *crafted) ofs(base int, delta []byte) {
	c.head(plumbing.OFSDeltaObject, len(delta))
	c.distance(c.offs[len(c.offs)-1] - c.offs[base])
	c.deflate(delta)
}

func (c *crafted) distance(d int) {
	out := []byte{byte(d & 0x7f)}
	for d >>= 7; d > 0; d >>= 7 {
		d--
		out = append([]byte{0x80 | byte(d&0x7f)}, out...)
	}
	c.b.Write(out)
}

func (c *crafted) finish() []byte {
	b := bytes.Clone(c.b.Bytes())
	if c.n == 0 {
		b = []byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00")
	}
	binary.BigEndian.PutUint32(b[8:], c.n)
	return seal(b)
}

func seal(b []byte) []byte {
	sum := sha1.Sum(b)
	return append(b, sum[:]...)
}

// insert is a delta that replaces a base of n bytes by text.
func insert(n int, text string) []byte {
	d := binary.AppendUvarint(nil, uint64(n))
	d = binary.AppendUvarint(d, uint64(len(text)))
	for len(text) > 0 {
		k := min(len(text), 127)
		d = append(append(d, byte(k)), text[:k]...)
		text = text[k:]
	}
	return d
}

func one(kind plumbing.ObjectType, data string) []byte {
	var c crafted
	c.object(kind, data)
	return c.finish()
}

const (
	anyHash = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
	someone = "A <a@b.c> 1700000000 +0000"
)

func commitText(tree string) string {
	return "tree " + tree + "\nauthor " + someone + "\ncommitter " + someone + "\n\nx\n"
}

func badPacks() map[string]struct {
	pack []byte
	want error
} {
	type bad = struct {
		pack []byte
		want error
	}
	const blob, tree, commit, tag = plumbing.BlobObject, plumbing.TreeObject, plumbing.CommitObject, plumbing.TagObject
	good := one(blob, "hello\n")
	hash := plumbing.NewHash(anyHash)
	entry := func(mode, name string) string { return mode + " " + name + "\x00" + string(hash[:]) }
	m := map[string]bad{
		"nothing":            {nil, repo.ErrBadPack},
		"garbage":            {[]byte("GARBAGE and more of it"), repo.ErrBadPack},
		"other version":      {seal([]byte("PACK\x00\x00\x00\x07\x00\x00\x00\x00")), repo.ErrBadPack},
		"truncated header":   {good[:7], repo.ErrBadPack},
		"truncated entry":    {good[:16], repo.ErrBadPack},
		"truncated trailer":  {good[:len(good)-3], repo.ErrBadPack},
		"trailing data":      {append(bytes.Clone(good), 'x'), repo.ErrBadPack},
		"too many claimed":   {seal([]byte("PACK\x00\x00\x00\x02\xff\xff\xff\xff")), repo.ErrLimit},
		"more claimed":       {seal(append([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x02"), good[12:len(good)-20]...)), repo.ErrBadPack},
		"less claimed":       {seal(append([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00"), good[12:len(good)-20]...)), repo.ErrBadPack},
		"tree out of order":  {one(tree, entry("100644", "b")+entry("100644", "a")), repo.ErrBadObject},
		"dot git":            {one(tree, entry("40000", ".GIT")), repo.ErrBadObject},
		"dot git on NTFS":    {one(tree, entry("40000", "git~1 . ")), repo.ErrBadObject},
		"dot git on HFS":     {one(tree, entry("40000", ".g\u200cit")), repo.ErrBadObject},
		"backslash dot git":  {one(tree, entry("40000", `a\.git\b`)), repo.ErrBadObject},
		"two dots":           {one(tree, entry("40000", "..")), repo.ErrBadObject},
		"one dot":            {one(tree, entry("40000", ".")), repo.ErrBadObject},
		"slash":              {one(tree, entry("100644", "a/b")), repo.ErrBadObject},
		"empty name":         {one(tree, entry("100644", "")), repo.ErrBadObject},
		"zero padded":        {one(tree, entry("040000", "a")), repo.ErrBadObject},
		"null hash":          {one(tree, "100644 a\x00"+strings.Repeat("\x00", 20)), repo.ErrBadObject},
		"device":             {one(tree, entry("60644", "a")), repo.ErrBadObject},
		"cut tree":           {one(tree, entry("100644", "a")[:20]), repo.ErrBadObject},
		"duplicate entry":    {one(tree, entry("100644", "a")+entry("100644", "a")), repo.ErrBadObject},
		"file and directory": {one(tree, entry("100644", "a")+entry("100644", "a.b")+entry("40000", "a")), repo.ErrBadObject},
		"modules symlink":    {one(tree, entry("120000", ".gitmodules")), repo.ErrBadObject},
		"commit, no tree":    {one(commit, "author "+someone+"\n\n"), repo.ErrBadObject},
		"commit, no author":  {one(commit, "tree "+anyHash+"\ncommitter "+someone+"\n\n"), repo.ErrBadObject},
		"commit, NUL":        {one(commit, "tree "+anyHash+"\nauthor A\x00"+someone+"\n\n"), repo.ErrBadObject},
		"tag, no type":       {one(tag, "object "+anyHash+"\ntag x\n\n"), repo.ErrBadObject},
	}
	var c crafted
	c.head(blob, 5)
	c.deflate([]byte("longer than five"))
	m["longer than said"] = bad{c.finish(), repo.ErrBadPack}
	c = crafted{}
	c.head(blob, 50)
	c.deflate([]byte("shorter than fifty"))
	m["shorter than said"] = bad{c.finish(), repo.ErrBadPack}
	c = crafted{}
	c.head(blob, 5)
	c.b.WriteString("this is not zlib")
	m["no zlib"] = bad{c.finish(), repo.ErrBadPack}
	c = crafted{}
	c.object(blob, "hello")
	c.b.Bytes()[c.b.Len()-1] ^= 1
	m["zlib checksum"] = bad{c.finish(), repo.ErrBadPack}
	c = crafted{}
	c.head(5, 3)
	c.deflate([]byte("abc"))
	m["reserved type"] = bad{c.finish(), repo.ErrBadPack}
	c = crafted{}
	c.object(blob, "same")
	c.object(blob, "same")
	m["duplicate"] = bad{c.finish(), repo.ErrBadPack}
	c = crafted{}
	c.object(blob, "base")
	c.ofs(0, insert(5, "wrong size of base"))
	m["size of base"] = bad{c.finish(), repo.ErrBadPack}
	c = crafted{}
	c.object(blob, "base")
	c.ofs(0, []byte{4, 10, 0x91, 2, 10}) // copies beyond the base
	m["copy out of bounds"] = bad{c.finish(), repo.ErrBadPack}
	c = crafted{}
	c.object(blob, "base")
	c.head(plumbing.OFSDeltaObject, 3)
	c.distance(3)
	c.deflate([]byte{4, 1, 0})
	m["base between entries"] = bad{c.finish(), repo.ErrBadPack}
	c = crafted{}
	c.ref(hash, insert(3, "abc"))
	m["unknown base"] = bad{c.finish(), repo.ErrMissing}
	c = crafted{}
	c.object(commit, commitText(plumbing.ComputeHash(blob, []byte("x")).String()))
	c.object(blob, "x")
	m["tree is a blob"] = bad{c.finish(), repo.ErrBadObject}
	for name, text := range map[string]string{
		"modules name":   "[submodule \"../x\"]\n\tpath = x\n",
		"modules url":    "[submodule \"x\"]\n\turl = -oProxyCommand=x\n",
		"modules path":   "[submodule \"x\"]\n\tpath = \"-x\"\n",
		"modules update": "[submodule \"x\"]\n\tupdate = !sh\n",
		"modules line":   "[submodule \"x\"]\n\turl = https://x.example/%0ahost=y/z.git\n",
	} {
		c = crafted{}
		h := c.object(blob, text)
		c.object(tree, "100644 .GITmodules\x00"+string(h[:]))
		m[name] = bad{c.finish(), repo.ErrBadObject}
	}
	return m
}

func TestIngestRefuses(t *testing.T) {
	t.Parallel()
	theirs := bare(t)
	for name, tt := range badPacks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := create(t, repo.Options{})
			for how, reader := range map[string]io.Reader{
				"at once":   bytes.NewReader(tt.pack),
				"in pieces": iotest.HalfReader(iotest.OneByteReader(bytes.NewReader(tt.pack))),
			} {
				q, err := r.Ingest(t.Context(), reader, repo.IngestOptions{EOF: true})
				if !errors.Is(err, tt.want) {
					t.Errorf("%s: Ingest = %v, %v, want %v", how, q, err, tt.want)
				}
			}
			// What we refuse, git refuses, but for what it reads past, and modes
			// of which it only says that they are odd.
			ours := name == "trailing data" || name == "less claimed" || name == "device"
			if out, err := tryGit(t, theirs, tt.pack, "index-pack", "--strict", "--stdin"); err == nil && !ours {
				t.Errorf("git takes it: %s", out)
			}
			fsck(t, r)
		})
	}
}

// Everything but the last byte, an error of the reader, and a pause in which
// nothing more comes: each ends in an error and leaves nothing behind.
func TestIngestInterrupted(t *testing.T) {
	t.Parallel()
	r := create(t, repo.Options{})
	src := history(t, 5)
	p := pack(t, src, "main\n")
	gone := errors.New("connection is gone")
	for _, n := range []int{0, 5, 12, 13, 30, len(p) / 2, len(p) - 21, len(p) - 1} {
		_, err := r.Ingest(t.Context(), io.MultiReader(bytes.NewReader(p[:n]), iotest.ErrReader(gone)), repo.IngestOptions{})
		if !errors.Is(err, gone) {
			t.Errorf("%d bytes: Ingest = %v, want %v", n, err, gone)
		}
		_, err = r.Ingest(t.Context(), bytes.NewReader(p[:n]), repo.IngestOptions{})
		if !errors.Is(err, repo.ErrBadPack) {
			t.Errorf("%d bytes: Ingest = %v, want %v", n, err, repo.ErrBadPack)
		}
	}
	// Without EOF, not one byte is read beyond the pack.
	q, err := r.Ingest(t.Context(), io.MultiReader(bytes.NewReader(p), iotest.ErrReader(gone)), repo.IngestOptions{})
	if err != nil {
		t.Fatalf("Ingest = %v", err)
	}
	if err := q.Discard(); err != nil {
		t.Fatal(err)
	}
	if ok, _ := r.Has(head(t, src)); ok {
		t.Error("discarded objects are there")
	}
	fsck(t, r)
}

func TestIngestLimits(t *testing.T) {
	t.Parallel()
	src := history(t, 20)
	p := pack(t, src, "main\n", "--delta-base-offset")
	var chain crafted
	chain.object(plumbing.BlobObject, strings.Repeat("x", 100))
	for i := range 20 {
		chain.ofs(i, insert(100, fmt.Sprintf("%0100d", i)))
	}
	var bomb crafted
	bomb.object(plumbing.BlobObject, "x")
	bomb.ofs(0, []byte{1, 0x80, 0x80, 0x80, 0x80, 8, 1, 'x'}) // claims 2 GiB
	for name, tt := range map[string]struct {
		o    repo.Options
		pack []byte
	}{
		"pack":      {repo.Options{MaxPackBytes: int64(len(p)) - 1}, p},
		"objects":   {repo.Options{MaxObjects: 5}, p},
		"size":      {repo.Options{MaxObjectSize: 100}, p},
		"held":      {repo.Options{MaxHeldSize: 100}, p},
		"inflated":  {repo.Options{MaxInflated: 5000}, p},
		"depth":     {repo.Options{MaxDeltaDepth: 19}, chain.finish()},
		"bomb":      {repo.Options{}, bomb.finish()},
		"big zeros": {repo.Options{MaxObjectSize: 1 << 20}, one(plumbing.BlobObject, strings.Repeat("\x00", 1<<20+1))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := create(t, tt.o)
			_, err := r.Ingest(t.Context(), bytes.NewReader(tt.pack), repo.IngestOptions{EOF: true})
			if !errors.Is(err, repo.ErrLimit) {
				t.Errorf("Ingest = %v, want %v", err, repo.ErrLimit)
			}
			fsck(t, r)
		})
	}
	take(t, create(t, repo.Options{MaxPackBytes: int64(len(p))}), p)
	take(t, create(t, repo.Options{MaxDeltaDepth: 20}), chain.finish())
}

// The bases that complete a thin pack count, too.
func TestIngestLimitsBases(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	dir := create(t, repo.Options{}).Dir()
	var have, thin crafted
	for i := range 2 {
		base := have.object(plumbing.BlobObject, strings.Repeat(fmt.Sprint(i), size))
		thin.ref(base, insert(size, fmt.Sprint("text ", i)))
	}
	take(t, open(t, dir, repo.Options{}), have.finish())
	const rest = 1 << 10
	r := open(t, dir, repo.Options{MaxInflated: size + rest})
	if q, err := r.Ingest(t.Context(), bytes.NewReader(thin.finish()), repo.IngestOptions{}); !errors.Is(err, repo.ErrLimit) {
		t.Errorf("Ingest = %v, %v, want %v", q, err, repo.ErrLimit)
	}
	take(t, open(t, dir, repo.Options{MaxInflated: 2*size + rest}), thin.finish())
	fsck(t, r)
}

func TestIngestMissing(t *testing.T) {
	t.Parallel()
	r := create(t, repo.Options{})
	var c crafted
	tree := plumbing.ComputeHash(plumbing.TreeObject, nil)
	c.object(plumbing.CommitObject, commitText(tree.String()))
	q, err := r.Ingest(t.Context(), bytes.NewReader(c.finish()), repo.IngestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Discard()
	if err := q.CheckConnected(t.Context(), nil); !errors.Is(err, repo.ErrMissing) || !strings.Contains(err.Error(), tree.String()) {
		t.Errorf("CheckConnected = %v, want %v", err, repo.ErrMissing)
	}
	// Another push brings what is missing.
	take(t, r, one(plumbing.TreeObject, ""))
	if err := q.CheckConnected(t.Context(), nil); err != nil {
		t.Errorf("CheckConnected = %v", err)
	}
	if err := q.CheckConnected(t.Context(), []plumbing.Hash{plumbing.NewHash(strings.Repeat("a", 40))}); !errors.Is(err, repo.ErrMissing) {
		t.Errorf("CheckConnected of an unknown tip = %v, want %v", err, repo.ErrMissing)
	}
	if err := q.Migrate(); err != nil {
		t.Error(err)
	}
	fsck(t, r)
}

func TestIngestEmpty(t *testing.T) {
	t.Parallel()
	r := create(t, repo.Options{})
	var c crafted
	take(t, r, c.finish())
	fsck(t, r)
}

// Branching deep chains of large objects do not fit the budget of bases, which
// are made again.
func TestIngestDropsBases(t *testing.T) {
	t.Parallel()
	notShort(t)
	const size = 5 << 20
	base := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	var c crafted
	c.object(plumbing.BlobObject, string(base))
	at := 0
	tweak := func(i, j int) []byte {
		d := binary.AppendUvarint(binary.AppendUvarint(nil, size), size)
		d = append(d, 2, byte(i), byte(j))
		for left, off := size-2, 2; left > 0; {
			k := min(left, 0xffffff)
			d = append(d, 0xff, byte(off), byte(off>>8), byte(off>>16), byte(off>>24), byte(k), byte(k>>8), byte(k>>16))
			left -= k
			off += k
		}
		return d
	}
	for i := range 12 {
		c.ofs(at, tweak(i, 1))
		next := len(c.offs) - 1
		c.ofs(at, tweak(i, 2))
		at = next
	}
	r := create(t, repo.Options{Workers: 1})
	take(t, r, c.finish())
	fsck(t, r)
	checkIndexes(t, r)
	_, err := create(t, repo.Options{MaxInflated: 26 * size, Workers: 1}).Ingest(t.Context(), bytes.NewReader(c.finish()), repo.IngestOptions{})
	if !errors.Is(err, repo.ErrLimit) && err != nil {
		t.Errorf("Ingest = %v", err)
	}
}

func TestCleanStale(t *testing.T) {
	t.Parallel()
	r := create(t, repo.Options{})
	src := history(t, 3)
	if _, err := r.Ingest(t.Context(), bytes.NewReader(pack(t, src, "main\n")), repo.IngestOptions{}); err != nil {
		t.Fatal(err) // not discarded: the server is killed
	}
	take(t, r, pack(t, src, "main\n"))
	tx, err := r.Update(t.Context(), []repo.RefUpdate{{Name: "refs/heads/a/b", New: head(t, src)}, {Name: "refs/heads/gone"}})
	if err != nil || tx.Failed() {
		t.Fatal(err, tx.Verdicts())
	}
	theirs := filepath.Join(r.Dir(), "refs/heads/c.lock")
	if err := os.WriteFile(theirs, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.CleanStale(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(theirs); err != nil {
		t.Error("the lock of another git was removed")
	}
	os.Remove(theirs)
	var left []string
	filepath.WalkDir(r.Dir(), func(path string, d os.DirEntry, _ error) error {
		if strings.HasSuffix(path, ".lock") || strings.Contains(path, "tmp_") || strings.Contains(path, "lock-") {
			left = append(left, path)
		}
		return nil
	})
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	git(t, r.Dir(), "update-ref", "refs/heads/a/b", head(t, src).String())
	fsck(t, r)
}

// Who goes away is not kept waiting for the files that git gives a meaning to.
func TestIngestCanceledAtTheEnd(t *testing.T) {
	t.Parallel()
	src := history(t, 20)
	write(t, src, ".gitmodules", "[submodule \"a\"]\n\tpath = a\n\turl = https://example.com/a\n")
	git(t, src, "add", ".")
	git(t, src, "commit", "-q", "-m", "modules")
	r := create(t, repo.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	resolved := false
	q, err := r.Ingest(ctx, bytes.NewReader(pack(t, src, "main\n")), repo.IngestOptions{Progress: func(p repo.Progress) {
		if p.Stage == repo.StageResolving && p.Done == p.Total {
			resolved = true
			cancel()
		}
	}})
	if !resolved || !errors.Is(err, context.Canceled) {
		t.Errorf("Ingest = %v, %v; resolved: %t", q, err, resolved)
	}
	fsck(t, r)
}
