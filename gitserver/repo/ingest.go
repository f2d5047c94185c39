package repo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/klauspost/compress/zlib"
)

// An ingest takes in one pack: read (receive.go), resolve deltas (resolve.go),
// complete a thin pack (thin.go), write the index (idxwrite.go), then look at
// what needs all objects (settle.go).
type ingest struct {
	r   *Repo
	o   IngestOptions
	dir string
	f   *os.File // the pack
	end int64    // where its trailer begins
	sum []byte   // its trailer

	objects  table
	received int        // objects that came in; a thin pack's bases follow them
	refs     []refDelta // sorted by base once all are read
	checkers []*checker
	inflated int64
	wire     int64 // of the pack, that came so far
	claim    *Claim
	large    room         // of the goroutine that runs the stages
	zw       *zlib.Writer // for bases of a thin pack

	mu   sync.Mutex
	done int // for progress
}

const quarantinePrefix = "tmp_objdir-incoming-"

// Ingest reads one pack into a new quarantine, indexes it as it comes, resolves
// deltas, completes a thin pack, hashes with collision detection and checks
// every object as fsck would. After an error nothing is left behind.
func (r *Repo) Ingest(ctx context.Context, pack io.Reader, o IngestOptions) (*Quarantine, error) {
	lease, err := r.lease(ctx)
	if err != nil {
		return nil, fmt.Errorf("take in pack: %w", err)
	}
	// Git's own name for such directories: `git prune` knows them.
	dir, err := os.MkdirTemp(filepath.Join(r.dir, "objects"), quarantinePrefix)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make quarantine: %w", err), lease.Close())
	}
	g := &ingest{r: r, o: o, dir: dir, claim: r.o.Budget.Claim(o.OnWait)}
	defer g.claim.Release()
	q, err := g.run(ctx, pack)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("take in pack: %w", err), os.RemoveAll(dir), lease.Close())
	}
	q.lease = lease
	return q, nil
}

func (g *ingest) run(ctx context.Context, pack io.Reader) (q *Quarantine, err error) {
	g.f, err = os.OpenFile(g.path("tmp.pack"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o444)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, g.f.Close()) }()
	defer g.release()
	if err := g.receive(ctx, pack); err != nil {
		return nil, err
	}
	if g.objects.n == 0 {
		q := g.r.NoPack()
		q.dir = g.dir
		return q, nil
	}
	if err := g.resolve(ctx); err != nil {
		return nil, err
	}
	order, err := g.order()
	if err != nil {
		return nil, err
	}
	if err := g.writeIndex(order); err != nil {
		return nil, err
	}
	front, err := openPack(g.path("tmp.idx"))
	if err != nil {
		return nil, err
	}
	q = &Quarantine{
		Objects: Objects{db: g.r.db, front: front},
		repo:    g.r, dir: g.dir, count: g.received,
	}
	if err := g.settle(ctx, q, order); err != nil {
		return nil, errors.Join(err, front.close())
	}
	return q, nil
}

func (g *ingest) path(name string) string { return filepath.Join(g.dir, name) }

func (g *ingest) release() {
	for _, c := range g.checkers {
		c.links.close()
	}
}

// checker is the checker of one of the goroutines of a stage, for a pack of
// about n objects; the first one has the odd jobs. The next stage goes on with
// those of the one before.
func (g *ingest) checker(i, n int) *checker {
	if len(g.checkers) == 0 {
		g.checkers = append(g.checkers, newChecker(g.dir, 1))
	}
	for len(g.checkers) <= i {
		g.checkers = append(g.checkers, newChecker(g.dir, n))
	}
	return g.checkers[i]
}

// order numbers the objects by name, and refuses duplicates.
func (g *ingest) order() ([]int32, error) {
	var start [257]int
	for i := range g.objects.n {
		start[int(g.objects.at(int32(i)).hash[0])+1]++
	}
	for i := range 256 {
		start[i+1] += start[i]
	}
	order := make([]int32, g.objects.n)
	next := start
	for i := range g.objects.n {
		b := g.objects.at(int32(i)).hash[0]
		order[next[b]] = int32(i)
		next[b]++
	}
	for b := range 256 {
		slices.SortFunc(order[start[b]:start[b+1]], func(x, y int32) int {
			return compareHash(&g.objects.at(x).hash, &g.objects.at(y).hash)
		})
	}
	for i := 1; i < len(order); i++ {
		if h := g.objects.at(order[i]).hash; h == g.objects.at(order[i-1]).hash {
			return nil, fmt.Errorf("%w: object %s appears twice", ErrBadPack, h)
		}
	}
	return order, nil
}

// progress is called with g.mu held or by the only goroutine.
func (g *ingest) progress(s Stage, done, total int, bytes int64) {
	if g.o.Progress != nil {
		g.o.Progress(Progress{Stage: s, Done: done, Total: total, Bytes: bytes})
	}
}

func (g *ingest) writeIndex(order []int32) error {
	err := writeFile(g.path("tmp.idx"), func(w *bufio.Writer) error {
		return writeIdx(w, byName{&g.objects, order}, g.sum)
	})
	if err != nil {
		return fmt.Errorf("write idx: %w", err)
	}
	err = writeFile(g.path("tmp.rev"), func(w *bufio.Writer) error {
		return writeRev(w, order, g.sum)
	})
	if err != nil {
		return fmt.Errorf("write rev: %w", err)
	}
	return nil
}
