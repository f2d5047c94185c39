package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"golang.org/x/sync/errgroup"

	"slipway/gitserver/inflate"
)

// A receiver reads the entries of a pack. Small objects go in batches to
// workers, which hash and check them while the next ones are inflated.
type receiver struct {
	*ingest
	ctx   context.Context //nolint:containedctx // lives as long as one call of receive
	src   *source
	z     inflater
	buf   []byte
	own   *checker
	batch *batch
	jobs  chan *batch
	free  chan *batch
}

// A batch is a run of small objects.
type batch struct {
	data []byte
	objs []*object
	ends []int
}

const (
	batchSize    = 256 << 10
	batchObjects = 4 << 10
	batches      = 4
	streamSize   = 64 << 10
)

// receive reads the pack from the wire to its trailer.
func (g *ingest) receive(ctx context.Context, pack io.Reader) error {
	src := newSource(pack, g.f, g.r.o.MaxPackBytes)
	defer src.spool.close() //nolint:errcheck // finish has looked, or another error counts
	var head [packHead]byte
	if _, err := io.ReadFull(src, head[:]); err != nil {
		return receiveError(noEOF(err))
	}
	n, err := parsePackHead(head[:])
	if err != nil {
		return err
	}
	if over(int64(n), g.r.o.MaxObjects) || n > 1<<31-1 {
		return fmt.Errorf("%w: pack of %d objects, at most %d are taken", ErrLimit, n, g.r.o.MaxObjects)
	}
	src.takeCRC()

	group, gctx := errgroup.WithContext(ctx)
	rc := &receiver{
		ingest: g, ctx: gctx, src: src, own: g.checker(0, int(n)),
		jobs: make(chan *batch, batches), free: make(chan *batch, batches),
	}
	for i := range min(g.r.o.Workers, 1+int(n)/1000) {
		c := g.checker(i+1, int(n))
		group.Go(func() error { return rc.work(c) })
	}
	err = rc.entries(int(n))
	close(rc.jobs)
	if werr := group.Wait(); werr != nil {
		return werr // the reader's error only says that it was stopped
	}
	if err != nil {
		return receiveError(err)
	}
	g.received = g.objects.n
	g.sum, err = src.finish(g.o.EOF)
	if err != nil {
		return receiveError(err)
	}
	g.end = src.offset() - hashSize
	slices.SortFunc(g.refs, compareRefDelta)
	return nil
}

// receiveError blames the pack for what is wrong with its bytes.
func receiveError(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: ends early: %w", ErrBadPack, err)
	case errors.Is(err, errInflate), errors.Is(err, errEntry), errors.Is(err, errDelta):
		return fmt.Errorf("%w: %w", ErrBadPack, err)
	}
	return err
}

func (rc *receiver) entries(n int) error {
	for i := range n {
		if i&255 == 0 {
			if err := rc.ctx.Err(); err != nil {
				return err
			}
			rc.progress(StageReceiving, i, n, rc.src.offset())
		}
		if err := rc.holdObjects(rc.ctx, i, n); err != nil {
			return err
		}
		if err := rc.entry(); err != nil {
			return fmt.Errorf("entry %d of %d: %w", i+1, n, err)
		}
	}
	rc.progress(StageReceiving, n, n, rc.src.offset())
	return rc.flush()
}

func (rc *receiver) entry() error {
	off := rc.src.offset()
	rc.wire = off
	e, err := readEntryHead(rc.src, off)
	if err != nil {
		return err
	}
	if err := rc.charge(e.size); err != nil {
		return err
	}
	held := isDelta(e.kind) || e.kind != plumbing.BlobObject
	if held && over(e.size, rc.r.o.MaxHeldSize) {
		return fmt.Errorf("%w: %s of %d bytes, at most %d are taken", ErrLimit, e.kind, e.size, rc.r.o.MaxHeldSize)
	}
	number := int32(rc.objects.n)
	obj := rc.objects.add(off)
	obj.kind = e.kind
	switch {
	case isDelta(e.kind):
		err = rc.delta(number, obj, &e)
	case e.size <= batchSize:
		err = rc.small(obj, &e)
	case e.kind == plumbing.BlobObject:
		err = rc.bigBlob(obj, &e)
	default:
		err = rc.bigObject(obj, &e)
	}
	obj.crc = rc.src.takeCRC()
	return err
}

// charge counts size against the limits, before anything is inflated.
func (g *ingest) charge(size int64) error {
	if over(size, g.r.o.MaxObjectSize) {
		return fmt.Errorf("%w: object of %d bytes, at most %d are taken", ErrLimit, size, g.r.o.MaxObjectSize)
	}
	g.inflated += size
	if over(g.inflated, g.r.o.MaxInflated) || g.inflated < 0 {
		return fmt.Errorf("%w: objects of more than %d bytes in all", ErrLimit, g.r.o.MaxInflated)
	}
	return g.checkRatio()
}

// small inflates an object into the current batch.
func (rc *receiver) small(obj *object, e *entryHead) error {
	obj.typ = e.kind
	b := rc.batch
	if b != nil && (len(b.data)+int(e.size) > batchSize || len(b.objs) == batchObjects) {
		if err := rc.flush(); err != nil {
			return err
		}
		b = nil
	}
	if b == nil {
		b = rc.nextBatch()
		rc.batch = b
	}
	start := len(b.data)
	b.data = slices.Grow(b.data, int(e.size)+inflate.Slack)[:start+int(e.size)]
	if err := rc.src.inflate(&rc.z, b.data[start:]); err != nil {
		return err
	}
	b.objs = append(b.objs, obj)
	b.ends = append(b.ends, len(b.data))
	return nil
}

func (rc *receiver) nextBatch() *batch {
	select {
	case b := <-rc.free:
		b.data, b.objs, b.ends = b.data[:0], b.objs[:0], b.ends[:0]
		return b
	default:
		return &batch{}
	}
}

// flush hands the current batch to a worker.
func (rc *receiver) flush() error {
	if rc.batch == nil {
		return nil
	}
	select {
	case rc.jobs <- rc.batch:
		rc.batch = nil
		return nil
	case <-rc.ctx.Done():
		return rc.ctx.Err()
	}
}

func (rc *receiver) work(c *checker) error {
	for b := range rc.jobs {
		start := 0
		for i, obj := range b.objs {
			h, err := c.check(obj.typ, b.data[start:b.ends[i]])
			if err != nil {
				return err
			}
			obj.hash = h
			start = b.ends[i]
		}
		select {
		case rc.free <- b:
		default:
		}
	}
	return nil
}

// bigBlob hashes a blob as it comes.
func (rc *receiver) bigBlob(obj *object, e *entryHead) error {
	obj.typ = e.kind
	rc.own.start(e.kind, e.size)
	err := rc.src.stream(&rc.z, e.size, rc.scratch(), func(b []byte) error {
		rc.own.write(b)
		return rc.ctx.Err()
	})
	if err != nil {
		return err
	}
	obj.hash, err = rc.own.finish()
	return err
}

// bigObject checks a commit, tree or tag that is too large for a batch. Its
// memory grows with what really comes, not with what is claimed.
func (rc *receiver) bigObject(obj *object, e *entryHead) error {
	obj.typ = e.kind
	if err := rc.reserve(rc.ctx, &rc.large, e.size); err != nil {
		return err
	}
	var data bytes.Buffer
	err := rc.src.stream(&rc.z, e.size, rc.scratch(), func(b []byte) error {
		data.Write(b)
		return rc.ctx.Err()
	})
	if err != nil {
		return err
	}
	obj.hash, err = rc.own.check(e.kind, data.Bytes())
	return err
}

func (rc *receiver) scratch() []byte {
	if rc.buf == nil {
		rc.buf = make([]byte, streamSize, streamSize+inflate.Slack)
	}
	return rc.buf
}

// delta notes a delta and its base. It has to be inflated to know where it
// ends; it is inflated again when its base is at hand.
func (rc *receiver) delta(number int32, obj *object, e *entryHead) error {
	if e.kind == plumbing.OFSDeltaObject {
		base, ok := rc.objects.find(e.base)
		if !ok {
			return fmt.Errorf("%w: no entry begins at its base's offset", errEntry)
		}
		o := rc.objects.at(base)
		obj.next, o.child = o.child, number
	} else {
		rc.refs = append(rc.refs, refDelta{e.ref, number})
	}
	head, err := rc.skipDelta(e.size)
	if err != nil {
		return err
	}
	_, result, _, err := deltaSizes(head)
	if err != nil {
		return err
	}
	if over(result, rc.r.o.MaxHeldSize) {
		return fmt.Errorf("%w: result of a delta has %d bytes, at most %d are taken", ErrLimit, result, rc.r.o.MaxHeldSize)
	}
	return rc.charge(result)
}

// skipDelta inflates a delta, and returns how it begins.
func (rc *receiver) skipDelta(size int64) ([]byte, error) {
	buf := rc.scratch()
	if size <= streamSize {
		delta := buf[:size]
		return delta, rc.src.inflate(&rc.z, delta)
	}
	var head []byte
	err := rc.src.stream(&rc.z, size, buf, func(b []byte) error {
		if len(head) < maxDeltaHead {
			head = append(head, b[:min(len(b), maxDeltaHead-len(head))]...)
		}
		return rc.ctx.Err()
	})
	return head, err
}

func compareRefDelta(a, b refDelta) int {
	if c := compareHash(&a.base, &b.base); c != 0 {
		return c
	}
	return int(a.obj - b.obj)
}
