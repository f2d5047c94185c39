package gitserver

import (
	"context"
	"slices"
	"sync"
)

// A queue lets one push at a time into each repository, in the order of their
// arrival.
type queue struct {
	limit int // how many may wait for one repository

	mu    sync.Mutex
	lanes map[string]*lane // of busy repositories only
}

// A lane is the queue of one repository. Its channels are closed, in order, as
// each waiter's turn comes.
type lane struct {
	waiting []chan struct{}
}

func newQueue(limit int) *queue {
	return &queue{limit: limit, lanes: make(map[string]*lane)}
}

// enter waits until the repository is free, and takes it. onWait is called once
// if there is anything to wait for. The returned function gives the repository
// back; it must be called once.
func (q *queue) enter(ctx context.Context, name string, onWait func()) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	turn, err := q.line(name)
	if err != nil {
		return nil, err
	}
	leave = func() { q.leave(name) }
	if turn == nil {
		return leave, nil
	}
	onWait()
	select {
	case <-turn:
		return leave, nil
	case <-ctx.Done():
		q.abandon(name, turn)
		return nil, ctx.Err()
	}
}

// line returns nil if the repository was free and is now taken, else a channel
// that is closed when it becomes the caller's.
func (q *queue) line(name string) (chan struct{}, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lanes[name]
	if l == nil {
		q.lanes[name] = &lane{}
		return nil, nil
	}
	if len(l.waiting) >= q.limit {
		return nil, ErrBusy
	}
	turn := make(chan struct{})
	l.waiting = append(l.waiting, turn)
	return turn, nil
}

func (q *queue) leave(name string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.next(name)
}

// next hands the repository to the first who waits, or frees it. The mutex is
// held.
func (q *queue) next(name string) {
	l := q.lanes[name]
	if len(l.waiting) == 0 {
		delete(q.lanes, name)
		return
	}
	turn := l.waiting[0]
	l.waiting = l.waiting[1:]
	close(turn)
}

// abandon gives up a place; the turn may have come in the meantime.
func (q *queue) abandon(name string, turn chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lanes[name]
	if l != nil {
		if i := slices.Index(l.waiting, turn); i >= 0 {
			l.waiting = slices.Delete(l.waiting, i, i+1)
			return
		}
	}
	q.next(name)
}
