package repo

import (
	"context"
	"fmt"
)

// What a push holds in memory, as far as it depends on the push. It is taken
// from the budget in such steps that a small push has one, and that a client
// which only claims to send much gets nothing.
const (
	ingestBytes = 1 << 20 // buffers, and the sets of a small pack
	stepObjects = 64 << 10
	objectBytes = 72      // an entry of the table, of the order, and of the links in memory
	stepBytes   = 4 << 20 // links and caches of a large pack, for each worker
	freeBytes   = 1 << 20 // objects up to this size are part of the above
	copies      = 3       // of an object: what it is made of, itself, and garbage
)

// holdObjects takes memory for the objects of a step, of which i is the first.
func (g *ingest) holdObjects(ctx context.Context, i, n int) error {
	if i%stepObjects != 0 {
		return nil
	}
	more := int64(min(n-i, stepObjects)) * objectBytes
	if i == 0 {
		more += ingestBytes + int64(g.r.o.Workers)*min(stepBytes, int64(n)*objectBytes)
	}
	return g.claim.Hold(ctx, more)
}

// holdBases takes memory for the bases that so many resolvers keep.
func (g *ingest) holdBases(ctx context.Context, workers int) error {
	return g.claim.Hold(ctx, int64(workers)*min(spareBudget, g.inflated))
}

// A room is the size of the largest object that a goroutine has memory for.
type room struct{ size int64 }

// reserve makes room for an object.
func (g *ingest) reserve(ctx context.Context, r *room, size int64) error {
	if size <= freeBytes || size <= r.size {
		return nil
	}
	if err := g.claim.Hold(ctx, copies*(size-r.size)); err != nil {
		return err
	}
	r.size = size
	return nil
}

// reserveStored makes room for an object of the repository.
func (g *ingest) reserveStored(ctx context.Context, r *room, h Hash) error {
	_, size, err := g.r.Stat(h)
	if err != nil {
		return err
	}
	if over(size, g.r.o.MaxHeldSize) {
		return fmt.Errorf("%w: base of a delta has %d bytes, at most %d are taken", ErrLimit, size, g.r.o.MaxHeldSize)
	}
	return g.reserve(ctx, r, size)
}

// ratioFloor is what any pack may inflate to: zlib alone makes 1 GiB of zeros
// out of 1 MiB.
const ratioFloor = 1 << 30

// checkRatio refuses a pack that inflates to far more than what came of it.
func (g *ingest) checkRatio() error {
	ratio := g.r.o.MaxInflateRatio
	if ratio < 0 || g.inflated <= ratioFloor || g.inflated/ratio <= g.wire {
		return nil
	}
	return fmt.Errorf("%w: %d bytes of the pack inflate to %d, at most %d times as much are taken", ErrLimit, g.wire, g.inflated, ratio)
}

// SendClaim is what the claim of a fetch should hold before WritePack.
func (r *Repo) SendClaim() int64 {
	const fixed, each = 8 << 20, 96
	return fixed + each*int64(r.db.count())
}

// count is the number of objects in packs that are known.
func (d *odb) count() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	n := 0
	for _, p := range d.packs {
		n += p.idx.n
	}
	return n
}
