package repo

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"

	"github.com/go-git/go-git/v5/plumbing"
	"golang.org/x/sync/errgroup"
)

// scan finds all links of all trees. It may run while commits are walked.
func (l *linked) scan(ctx context.Context, s *sender) error {
	parts := []*linked{l}
	for _, p := range l.packs {
		workers := min(s.r.o.Workers, 1+p.p.idx.n/scanShare)
		for len(parts) < workers {
			parts = append(parts, l.part())
		}
		if err := s.scan(ctx, p.p, parts[:workers]); err != nil {
			return err
		}
	}
	for _, part := range parts[1:] {
		l.join(part)
	}
	for h := range l.loose {
		if err := errors.Join(ctx.Err(), s.scanLoose(l, h)); err != nil {
			return err
		}
	}
	return nil
}

// scanShare is how many objects of a pack are worth a goroutine.
const scanShare = 1000

// scan reads the trees of a pack, each chain of deltas from its root, as an
// ingest resolves them.
func (s *sender) scan(ctx context.Context, p *packFile, parts []*linked) error {
	g := &ingest{r: s.r, f: p.f, end: p.end(), o: IngestOptions{Progress: func(at Progress) {
		s.progress(StageCounting, at.Done, 0)
	}}}
	if err := g.lookUp(ctx, p); err != nil {
		return err
	}
	var next atomic.Int32
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range parts {
		w := &resolver{ingest: g, ctx: ctx, total: g.objects.n, see: func(_ ObjectType, data, base []byte) (Hash, error) {
			return Hash{}, part.tree(data, base)
		}}
		group.Go(func() error { return w.roots(&next) })
	}
	return group.Wait()
}

// roots takes roots of trees of deltas until there are no more.
func (w *resolver) roots(next *atomic.Int32) error {
	for {
		i := next.Add(1) - 1
		if int(i) >= w.objects.n {
			return nil
		}
		o := w.objects.at(i)
		if o.kind != plumbing.TreeObject {
			continue
		}
		data, err := w.read(i)
		if err != nil {
			return err
		}
		if _, err := w.see(o.kind, data, nil); err != nil {
			return err
		}
		w.count()
		if o.child < 0 {
			w.release(data)
			continue
		}
		if err := w.tree(i, data); err != nil {
			return err
		}
	}
}

// lookUp fills the table of objects from a pack that lies in the repository.
func (g *ingest) lookUp(ctx context.Context, p *packFile) error {
	order, err := p.order()
	if err != nil {
		return err
	}
	win := window{f: p.f, end: p.end()}
	raw := new(bytes.Reader)
	for i, pos := range order {
		if i&1023 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		off, err := p.idx.offset(int(pos))
		if err != nil {
			return err
		}
		if off < packHead || off >= p.end() {
			return p.corrupt(off, errors.New("offset out of bounds"))
		}
		head, err := win.at(off, int(min(maxEntryHead, p.end()-off)))
		if err != nil {
			return p.corrupt(off, err)
		}
		raw.Reset(head)
		e, err := readEntryHead(raw, off)
		if err != nil {
			return p.corrupt(off, err)
		}
		o := g.objects.add(off)
		o.kind, o.typ = e.kind, e.kind
		switch e.kind { //nolint:exhaustive // others have no base
		case plumbing.OFSDeltaObject:
			err = g.hang(int32(i), e.base)
		case plumbing.REFDeltaObject:
			g.refs = append(g.refs, refDelta{e.ref, int32(i)})
		}
		if err != nil {
			return p.corrupt(off, err)
		}
	}
	return g.hangRefs(p)
}

// hang notes a delta with its base.
func (g *ingest) hang(number int32, base int64) error {
	at, ok := g.objects.find(base)
	if !ok {
		return errEntry
	}
	o, b := g.objects.at(number), g.objects.at(at)
	o.next, b.child = b.child, number
	return nil
}

// hangRefs does so for deltas whose bases were not known yet.
func (g *ingest) hangRefs(p *packFile) error {
	for _, d := range g.refs {
		o := g.objects.at(d.obj)
		base, err := p.baseOf(o.off, &entryHead{kind: o.kind, ref: d.base})
		if err != nil {
			return err
		}
		if err := g.hang(d.obj, base); err != nil {
			return p.corrupt(o.off, err)
		}
	}
	g.refs = nil
	return nil
}

func (s *sender) scanLoose(l *linked, h Hash) error {
	kind, err := s.r.Type(h)
	if err != nil || kind != plumbing.TreeObject {
		return err
	}
	data, err := s.r.typed(h, kind)
	if err != nil {
		return err
	}
	return l.tree(data, nil)
}
