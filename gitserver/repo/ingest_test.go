package repo_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"slipway/gitserver/repo"
)

// checkIndexes compares our indexes with those that git makes of our packs.
func checkIndexes(t *testing.T, r *repo.Repo) {
	t.Helper()
	packs, err := filepath.Glob(filepath.Join(r.Dir(), "objects/pack/*.pack"))
	if err != nil || len(packs) == 0 {
		t.Fatalf("no packs (%v)", err)
	}
	for _, p := range packs {
		dir := t.TempDir()
		git(t, dir, "init", "-q", "--bare")
		git(t, dir, "index-pack", "--rev-index", "-o", filepath.Join(dir, "x.idx"), p)
		stem := strings.TrimSuffix(p, ".pack")
		for _, ext := range []string{".idx", ".rev"} {
			ours, err := os.ReadFile(stem + ext)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := os.ReadFile(filepath.Join(dir, "x"+ext))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(ours, theirs) {
				t.Errorf("%s%s differs from git's", filepath.Base(stem), ext)
			}
		}
	}
}

func TestIngest(t *testing.T) {
	t.Parallel()
	src := history(t, 60)
	git(t, src, "tag", "-a", "v1", "-m", "one")
	for name, args := range map[string][]string{
		"offset deltas":    {"--delta-base-offset"},
		"reference deltas": nil,
		"no deltas":        {"--depth=0"},
		"long chains":      {"--depth=4095", "--window=200"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := create(t, repo.Options{})
			q := take(t, r, pack(t, src, "main\nv1\n", args...), head(t, src), rev(t, src, "v1"))
			if ok, err := q.Has(head(t, src)); !ok || err != nil {
				t.Errorf("Has = %v, %v", ok, err)
			}
			git(t, r.Dir(), "update-ref", "refs/heads/main", head(t, src).String())
			fsck(t, r)
			checkIndexes(t, r)
		})
	}
}

// However the wire cuts a pack, the result is the same; entries larger than
// what is held of the wire, and packs that end within it, among them.
func TestIngestWires(t *testing.T) {
	t.Parallel()
	notShort(t)
	src := history(t, 60)
	r := rand.New(rand.NewPCG(3, 5))
	for i, size := range []int{100, 40_000, 64 << 10, 250_000, 256 << 10, 300_000, 2_000_000} {
		noise := make([]byte, size)
		for j := range noise {
			noise[j] = byte(r.Uint32()) & 0x3f
		}
		write(t, src, fmt.Sprintf("noise%d", i), string(noise))
	}
	git(t, src, "add", ".")
	git(t, src, "commit", "-qm", "noise")
	data := pack(t, src, "main\n", "--delta-base-offset")
	for name, wire := range map[string]func(io.Reader) io.Reader{
		"whole":         func(r io.Reader) io.Reader { return r },
		"bytes":         iotest.OneByteReader,
		"halves":        iotest.HalfReader,
		"end with data": iotest.DataErrReader,
		"packets":       func(r io.Reader) io.Reader { return &packets{r: r, size: 1460} },
		"large packets": func(r io.Reader) io.Reader { return &packets{r: r, size: 65_515} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := create(t, repo.Options{})
			q, err := r.Ingest(t.Context(), wire(bytes.NewReader(data)), repo.IngestOptions{EOF: true})
			if err != nil {
				t.Fatalf("Ingest: %v", err)
			}
			if err := q.Migrate(); err != nil {
				t.Fatal(err)
			}
			if err := q.Discard(); err != nil {
				t.Fatal(err)
			}
			git(t, r.Dir(), "update-ref", "refs/heads/main", head(t, src).String())
			fsck(t, r)
			checkIndexes(t, r)
		})
	}
}

// packets gives at most size bytes at once.
type packets struct {
	r    io.Reader
	size int
}

func (p *packets) Read(b []byte) (int, error) { return p.r.Read(b[:min(len(b), p.size)]) }

func TestIngestThin(t *testing.T) {
	t.Parallel()
	src := history(t, 40)
	r := create(t, repo.Options{})
	take(t, r, pack(t, src, "main~20\n", "--delta-base-offset"), rev(t, src, "main~20"))
	for _, revs := range []string{"main~10\n^main~20\n", "main\n^main~10\n"} {
		p := pack(t, src, revs, "--thin", "--delta-base-offset")
		if _, err := tryGit(t, t.TempDir(), p, "index-pack", "--stdin"); err == nil {
			t.Fatal("the pack is not thin")
		}
		take(t, r, p)
	}
	git(t, r.Dir(), "update-ref", "refs/heads/main", head(t, src).String())
	fsck(t, r)
	checkIndexes(t, r)
	if got, want := git(t, r.Dir(), "rev-list", "--objects", "main"), git(t, src, "rev-list", "--objects", "main"); got != want {
		t.Error("objects differ")
	}
}
