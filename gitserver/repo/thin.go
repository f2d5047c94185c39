package repo

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1" // the pack's own checksum, which is no protection
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/klauspost/compress/zlib"
)

// complete appends to a thin pack the bases that it lacks, in the order of the
// entries that need them, as C git does, and resolves what waits for them.
func (g *ingest) complete(ctx context.Context, w *resolver) error {
	waiting := slices.Clone(g.refs)
	slices.SortFunc(waiting, func(a, b refDelta) int { return int(a.obj - b.obj) })
	for _, d := range waiting {
		if err := ctx.Err(); err != nil {
			return err
		}
		if g.objects.at(d.obj).typ != plumbing.InvalidObject {
			continue
		}
		number, data, err := g.appendBase(ctx, d.base)
		if errors.Is(err, ErrNotFound) {
			continue // perhaps it is the result of a delta that still waits
		}
		if err != nil {
			return err
		}
		if err := w.tree(number, slices.Clone(data)); err != nil {
			return err
		}
	}
	for _, d := range waiting {
		if g.objects.at(d.obj).typ == plumbing.InvalidObject {
			return fmt.Errorf("%w: base %s of a delta", ErrMissing, d.base)
		}
	}
	if g.objects.n == g.received {
		return fmt.Errorf("%w: deltas without a base", ErrBadPack)
	}
	return g.seal()
}

// appendBase appends an object of the repository to the pack.
func (g *ingest) appendBase(ctx context.Context, h Hash) (int32, []byte, error) {
	if err := g.reserveStored(ctx, &g.large, h); err != nil {
		return 0, nil, fmt.Errorf("read base of a delta: %w", err)
	}
	kind, data, err := g.r.object(h, g.r.o.MaxHeldSize)
	if err != nil {
		return 0, nil, fmt.Errorf("read base of a delta: %w", err)
	}
	if err := g.charge(int64(len(data))); err != nil {
		return 0, nil, err // or a short pack could copy the whole repository
	}
	var b bytes.Buffer
	b.Write(appendEntryHead(nil, kind, int64(len(data))))
	if g.zw == nil {
		g.zw = zlib.NewWriter(&b)
	}
	g.zw.Reset(&b)
	if _, err := g.zw.Write(data); err != nil {
		return 0, nil, err
	}
	if err := g.zw.Close(); err != nil {
		return 0, nil, err
	}
	if _, err := g.f.WriteAt(b.Bytes(), g.end); err != nil {
		return 0, nil, fmt.Errorf("complete thin pack: %w", err)
	}
	number := int32(g.objects.n)
	o := g.objects.add(g.end)
	o.kind, o.typ, o.hash = kind, kind, h
	o.crc = crc32.ChecksumIEEE(b.Bytes())
	g.end += int64(b.Len())
	return number, data, nil
}

// seal corrects the number of entries in the header, and the trailer.
func (g *ingest) seal() error {
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(g.objects.n))
	if _, err := g.f.WriteAt(n[:], 8); err != nil {
		return fmt.Errorf("complete thin pack: %w", err)
	}
	sum := sha1.New()
	if _, err := io.Copy(sum, bufio.NewReaderSize(io.NewSectionReader(g.f, 0, g.end), 256<<10)); err != nil {
		return fmt.Errorf("complete thin pack: %w", err)
	}
	g.sum = sum.Sum(nil)
	if _, err := g.f.WriteAt(g.sum, g.end); err != nil {
		return fmt.Errorf("complete thin pack: %w", err)
	}
	return g.f.Truncate(g.end + hashSize)
}
