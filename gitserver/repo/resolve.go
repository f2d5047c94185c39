package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/bits"
	"sort"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"slipway/gitserver/inflate"
)

// resolve turns deltas into objects: each undeltified object is the root of a
// tree of deltas, which one worker walks depth first.
func (g *ingest) resolve(ctx context.Context) error {
	deltas := g.deltas()
	if deltas == 0 {
		return nil
	}
	workers := min(g.r.o.Workers, 1+deltas/500)
	if err := g.holdBases(ctx, workers); err != nil {
		return err
	}
	var next atomic.Int32
	taken := make(bitset, 1+len(g.refs)/32)
	group, gctx := errgroup.WithContext(ctx)
	for i := range workers {
		w := g.resolver(gctx, i+1, deltas, taken)
		group.Go(func() error {
			for {
				i := next.Add(1) - 1
				if int(i) >= g.received {
					return nil
				}
				if o := g.objects.at(i); isDelta(o.kind) || !w.hasChildren(o) {
					continue
				}
				if err := w.tree(i, nil); err != nil {
					return err
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		return resolveError(err)
	}
	if g.done < deltas {
		if err := g.complete(ctx, g.resolver(ctx, 0, deltas, taken)); err != nil {
			return resolveError(err)
		}
	}
	g.progress(StageResolving, g.done, deltas, 0)
	return nil
}

func resolveError(err error) error {
	if errors.Is(err, errDelta) || errors.Is(err, errInflate) || errors.Is(err, errEntry) {
		return fmt.Errorf("%w: %w", ErrBadPack, err)
	}
	return err
}

func (g *ingest) deltas() int {
	n := 0
	for i := range g.objects.n {
		if isDelta(g.objects.at(int32(i)).kind) {
			n++
		}
	}
	return n
}

// A resolver walks trees of deltas. Bases on the way down are kept, up to a
// budget; what was dropped is made again from what is above it.
type resolver struct {
	*ingest
	ctx    context.Context //nolint:containedctx // lives as long as one call of resolve
	see    seeFunc
	z      inflater
	win    []byte // of the pack: the last entry that was read, and what follows it
	winOff int64
	head   bytes.Reader
	delta  []byte
	spare  [classes][][]byte // memory of released objects, by size
	spares int64             // bytes in spare
	stack  []frame
	held   int64
	room   room
	rework int64
	total  int
	taken  bitset // deltas by name that somebody resolves
}

// A bitset is a set of numbers that several goroutines fill.
type bitset []atomic.Uint32

// add adds a number, and reports whether it was not there.
func (b bitset) add(i int) bool {
	bit := uint32(1) << (i % 32)
	return b[i/32].Or(bit)&bit == 0
}

// A seeFunc is shown an object that a delta made of base, and returns its name.
type seeFunc func(t ObjectType, data, base []byte) (Hash, error)

// A frame is an object on the way from the root to the current one.
type frame struct {
	obj   int32
	data  []byte // nil if dropped
	size  int    // of its memory
	child int32  // next offset delta to resolve
	ref   int    // next delta by name to resolve
}

const heldBudget = 4 << 20

func (g *ingest) resolver(ctx context.Context, i, total int, taken bitset) *resolver {
	return &resolver{ingest: g, ctx: ctx, see: g.checker(i, total).checkLike, total: total, taken: taken}
}

// firstRef is the index of the first delta on the object of that name.
func (g *ingest) firstRef(h Hash) int {
	return sort.Search(len(g.refs), func(i int) bool { return compareHash(&g.refs[i].base, &h) >= 0 })
}

func (w *resolver) hasChildren(o *object) bool {
	if o.child >= 0 {
		return true
	}
	i := w.firstRef(o.hash)
	return i < len(w.refs) && w.refs[i].base == o.hash
}

// tree resolves everything below an object, whose content is read if nil.
func (w *resolver) tree(root int32, data []byte) error {
	if data == nil {
		var err error
		if data, err = w.read(root); err != nil {
			return err
		}
	}
	w.push(root, data)
	for len(w.stack) > 0 {
		f := &w.stack[len(w.stack)-1]
		child, ok := w.nextChild(f)
		if !ok {
			w.pop()
			continue
		}
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if over(int64(len(w.stack)), int64(w.r.o.MaxDeltaDepth)) {
			return fmt.Errorf("%w: delta chain is longer than %d", ErrLimit, w.r.o.MaxDeltaDepth)
		}
		if err := w.child(f, child); err != nil {
			return err
		}
	}
	return nil
}

// nextChild takes the next delta on the frame's object that nobody has taken.
func (w *resolver) nextChild(f *frame) (int32, bool) {
	if c := f.child; c >= 0 {
		f.child = w.objects.at(c).next
		return c, true
	}
	h := w.objects.at(f.obj).hash
	for f.ref < len(w.refs) && w.refs[f.ref].base == h {
		i := f.ref
		f.ref++
		if w.taken.add(i) {
			return w.refs[i].obj, true
		}
	}
	return 0, false
}

// child resolves one delta on f's object, and goes down to it if it is a base.
func (w *resolver) child(f *frame, number int32) error {
	if f.data == nil {
		if err := w.restore(len(w.stack) - 1); err != nil {
			return err
		}
	}
	obj := w.objects.at(number)
	data, err := w.patch(f.data, number)
	if err != nil {
		return err
	}
	typ := w.objects.at(f.obj).typ
	h, err := w.see(typ, data, f.data)
	if err != nil {
		return err
	}
	obj.hash, obj.typ = h, typ
	w.count()
	if !w.hasChildren(obj) {
		w.release(data)
		return nil
	}
	if f.child < 0 && (f.ref >= len(w.refs) || w.refs[f.ref].base != w.objects.at(f.obj).hash) {
		w.drop(f) // its last child: not needed any more
	}
	w.push(number, data)
	return nil
}

func (w *resolver) count() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done&1023 == 0 {
		w.progress(StageResolving, w.done, w.total, 0)
	}
	w.done++
}

func (w *resolver) push(number int32, data []byte) {
	o := w.objects.at(number)
	w.stack = append(w.stack, frame{
		obj: number, data: data, size: cap(data),
		child: o.child, ref: w.firstRef(o.hash),
	})
	w.held += int64(cap(data))
	for i := 0; w.held > heldBudget && i < len(w.stack)-1; i++ {
		w.drop(&w.stack[i])
	}
}

func (w *resolver) pop() {
	w.drop(&w.stack[len(w.stack)-1])
	w.stack = w.stack[:len(w.stack)-1]
}

func (w *resolver) drop(f *frame) {
	if f.data != nil {
		w.held -= int64(f.size)
		w.release(f.data)
		f.data = nil
	}
}

// restore makes the content of a dropped frame again. The work is limited as
// that of resolving is, or a crafted tree could make it quadratic.
func (w *resolver) restore(at int) error {
	from := at
	for from > 0 && w.stack[from].data == nil {
		from--
	}
	data := w.stack[from].data
	own := data == nil
	if own {
		var err error
		if data, err = w.read(w.stack[0].obj); err != nil {
			return err
		}
	}
	for i := from + 1; i <= at; i++ {
		if w.rework += int64(w.stack[i].size); over(w.rework, w.r.o.MaxInflated) {
			return fmt.Errorf("%w: deltas of more than %d bytes in all", ErrLimit, w.r.o.MaxInflated)
		}
		next, err := w.patch(data, w.stack[i].obj)
		if err != nil {
			return err
		}
		if own {
			w.release(data)
		}
		data, own = next, true
	}
	f := &w.stack[at]
	f.data = data
	f.size = cap(data)
	w.held += int64(f.size)
	return nil
}

// patch applies the delta of an entry to its base.
func (w *resolver) patch(base []byte, number int32) ([]byte, error) {
	e, raw, err := w.entry(number)
	if err != nil {
		return nil, err
	}
	if err := w.reserve(w.ctx, &w.room, e.size); err != nil {
		return nil, err
	}
	if int64(cap(w.delta)) < e.size+inflate.Slack {
		w.delta = make([]byte, e.size+e.size/4+inflate.Slack)
	}
	delta := w.delta[:e.size]
	if err := w.z.flatten(delta, raw); err != nil {
		return nil, w.at(number, err)
	}
	if cap(w.delta) > maxSpare {
		defer func() { w.delta = nil }()
	}
	_, size, _, err := deltaSizes(delta)
	if err != nil {
		return nil, w.at(number, err)
	}
	if err := w.reserve(w.ctx, &w.room, size); err != nil {
		return nil, err
	}
	dst := w.alloc(int(size))
	if err := applyDelta(dst, base, delta); err != nil {
		return nil, w.at(number, err)
	}
	return dst, nil
}

func (w *resolver) at(number int32, err error) error {
	return fmt.Errorf("entry %d: %w", number+1, err)
}

// read inflates an object that is no delta.
func (w *resolver) read(number int32) ([]byte, error) {
	e, raw, err := w.entry(number)
	if err != nil {
		return nil, err
	}
	if over(e.size, w.r.o.MaxHeldSize) {
		return nil, w.at(number, fmt.Errorf("%w: base of a delta has %d bytes, at most %d are taken", ErrLimit, e.size, w.r.o.MaxHeldSize))
	}
	if err := w.reserve(w.ctx, &w.room, e.size); err != nil {
		return nil, err
	}
	data := w.alloc(int(e.size))
	if err := w.z.flatten(data, raw); err != nil {
		return nil, w.at(number, err)
	}
	return data, nil
}

// entry reads an entry as it lies on disk: its header, and its zlib data.
func (w *resolver) entry(number int32) (entryHead, []byte, error) {
	o := w.objects.at(number)
	end := w.end
	if int(number)+1 < w.objects.n {
		end = w.objects.at(number + 1).off
	}
	raw, err := w.window(o.off, end)
	if err != nil {
		return entryHead{}, nil, fmt.Errorf("read entry: %w", err)
	}
	w.head.Reset(raw)
	e, err := readEntryHead(&w.head, o.off)
	if err != nil {
		return e, nil, err
	}
	return e, raw[e.len:], nil
}

// resolveWindow is how much is read ahead: the entries of a chain of deltas lie
// close together as a rule.
const resolveWindow = 16 << 10

// window is the pack's bytes from off to end, until the next call.
func (w *resolver) window(off, end int64) ([]byte, error) {
	if off >= w.winOff && end <= w.winOff+int64(len(w.win)) {
		return w.win[off-w.winOff : end-w.winOff], nil
	}
	size := max(end-off, min(resolveWindow, w.end-off))
	if int64(cap(w.win)) < size || cap(w.win) > maxSpare {
		w.win = make([]byte, size)
	}
	w.win, w.winOff = w.win[:size], off
	if _, err := w.f.ReadAt(w.win, off); err != nil {
		w.win = nil
		return nil, noEOF(err)
	}
	return w.win[:end-off], nil
}

// Memory of released objects is used again. It comes in sizes that lie a fifth
// to a quarter apart, and together with what is held stays within a budget.
const (
	maxSpare    = 1 << 20 // of buffers that are not counted
	spareBudget = heldBudget + 1<<20
	minShift    = 8 // log2 of the smallest step between sizes
	classes     = 4 * 18
)

// sizeClass is the number of the smallest size of at least n bytes, and that
// size: four to seven times a power of two.
func sizeClass(n int) (class, size int) {
	shift := max(bits.Len(uint(n-1))-3, minShift)
	steps := (n + 1<<shift - 1) >> shift
	return 4*(shift-minShift) + steps, steps << shift
}

func (w *resolver) alloc(n int) []byte {
	class, size := sizeClass(n + inflate.Slack)
	for i := class; i < min(class+3, classes); i++ {
		if list := w.spare[i]; len(list) > 0 {
			b := list[len(list)-1]
			list[len(list)-1] = nil // or it would live as long as the list
			w.spare[i] = list[:len(list)-1]
			w.spares -= int64(cap(b))
			return b[:n]
		}
	}
	return make([]byte, n, size)
}

// release takes memory back; that of others is left alone.
func (w *resolver) release(b []byte) {
	if cap(b) == 0 || w.held+w.spares+int64(cap(b)) > spareBudget {
		return
	}
	if class, size := sizeClass(cap(b)); size == cap(b) && class < classes {
		w.spare[class] = append(w.spare[class], b)
		w.spares += int64(cap(b))
	}
}
