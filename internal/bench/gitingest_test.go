//go:build bench

package bench

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"slipway/gitserver/repo"
)

// ingests compares how long a pack takes from standard input to the disk.
func (b *gitBench) ingests() {
	b.compare("ingest of the large history / git index-pack --strict", goals{ratio: 0.55, peak: 130}, b.takes("git-ingest", b.large), b.indexes(b.large))
	b.compare("ingest of the small history / git index-pack --strict", goals{ratio: 0.6}, b.takes("git-ingest", b.small), b.indexes(b.small))
}

// takes runs a role of ours on a history's pack.
func (b *gitBench) takes(role string, h *bareHistory) trial {
	return b.inNew(repo.Create, h, func(ctx context.Context, dir string) *exec.Cmd { return b.role(ctx, role, dir) })
}

func (b *gitBench) indexes(h *bareHistory) trial {
	create := b.bareMaker(b.t)
	return b.inNew(create, h, func(ctx context.Context, dir string) *exec.Cmd {
		return b.git(ctx, dir, "index-pack", "--stdin", "--strict")
	})
}

// inNew gives the history's pack to a command in a new repository, which has
// all its objects afterwards; none if a history has no objects, as a bomb.
func (b *gitBench) inNew(create func(dir string) error, h *bareHistory, command func(ctx context.Context, dir string) *exec.Cmd) trial {
	ctx := b.t.Context()
	parent := b.t.TempDir()
	return func() (cost, error) {
		dir := filepath.Join(parent, "new.git")
		if err := create(dir); err != nil {
			return cost{}, err
		}
		defer os.RemoveAll(dir)
		pack, err := os.Open(h.pack)
		if err != nil {
			return cost{}, err
		}
		defer pack.Close()
		cmd := command(ctx, dir)
		cmd.Stdin = pack
		c, err := weighed(cmd)
		if err != nil {
			return c, err
		}
		got, err := b.git(ctx, dir, "count-objects", "-v").Output()
		if err != nil {
			return c, explained(err)
		}
		if want := fmt.Sprintf("in-pack: %d\n", h.objects); h.objects > 0 && !strings.Contains(string(got), want) {
			return c, fmt.Errorf("%s left not the %d objects that it was given:\n%s", cmd.Args[0], h.objects, got)
		}
		return c, nil
	}
}

// bombs compares how long it takes to refuse packs that inflate to gigabytes.
// Git does not refuse them: it takes them in.
func (b *gitBench) bombs() {
	for _, bomb := range []struct {
		name string
		pack []byte
	}{
		{"refusal of 1 GiB of zeros in a pack", zeros(1 << 30)},
		{"refusal of 20 deltas of 512 MiB each", deltaBomb(20)},
	} {
		file := filepath.Join(b.t.TempDir(), "bomb.pack")
		if err := os.WriteFile(file, bomb.pack, 0o600); err != nil {
			b.t.Fatal(err)
		}
		h := &bareHistory{pack: file}
		name := fmt.Sprintf("%s of %.1f KB / git index-pack --strict", bomb.name, float64(len(bomb.pack))/1e3)
		b.compare(name, goals{ratio: 0.05, peak: 64}, b.takes("git-refuse", h), b.indexes(h))
	}
}

// zeros is a pack with one blob.
func zeros(size int) []byte {
	var p bytes.Buffer
	fmt.Fprintf(&p, "PACK\x00\x00\x00\x02\x00\x00\x00\x01")
	entryHead(&p, 3, size)
	deflated(&p, func(w *zlib.Writer) {
		chunk := make([]byte, 1<<20)
		for range size / len(chunk) {
			w.Write(chunk)
		}
	})
	return sealed(&p)
}

// deltaBomb is a pack of a blob of 64 KiB and n deltas against it, each of
// which makes 512 MiB by copying it 8,192 times, but for one byte.
func deltaBomb(n int) []byte {
	const block, size = 1 << 16, 1 << 29
	var p bytes.Buffer
	p.WriteString("PACK\x00\x00\x00\x02")
	p.Write(binary.BigEndian.AppendUint32(nil, uint32(n+1)))
	base := p.Len()
	entryHead(&p, 3, block)
	deflated(&p, func(w *zlib.Writer) { w.Write(make([]byte, block)) })
	for i := range n {
		delta := binary.AppendUvarint(nil, block)
		delta = binary.AppendUvarint(delta, size)
		delta = append(delta, 1, byte(i))
		// 0x80 alone copies 64 KiB from the start, 0xb0 says how many bytes.
		delta = append(delta, bytes.Repeat([]byte{0x80}, size/block-1)...)
		delta = append(delta, 0xb0, 0xff, 0xff)
		back := p.Len() - base
		entryHead(&p, 6, len(delta))
		distance(&p, back)
		deflated(&p, func(w *zlib.Writer) { w.Write(delta) })
	}
	return sealed(&p)
}

// entryHead writes type and size of a pack's entry; see gitformat-pack.
func entryHead(p *bytes.Buffer, kind byte, size int) {
	b := kind<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		p.WriteByte(b | 0x80)
		b = byte(size & 0x7f)
	}
	p.WriteByte(b)
}

// distance writes how far back the base of a delta begins; see gitformat-pack.
func distance(p *bytes.Buffer, d int) {
	out := []byte{byte(d & 0x7f)}
	for d >>= 7; d > 0; d >>= 7 {
		d--
		out = append([]byte{0x80 | byte(d&0x7f)}, out...)
	}
	p.Write(out)
}

// deflated writes into a buffer, where nothing fails.
func deflated(p *bytes.Buffer, write func(w *zlib.Writer)) {
	w, _ := zlib.NewWriterLevel(p, zlib.BestCompression)
	write(w)
	w.Close()
}

func sealed(p *bytes.Buffer) []byte {
	sum := sha1.Sum(p.Bytes())
	p.Write(sum[:])
	return p.Bytes()
}
