package repo

import (
	"container/list"
	"sync"
)

// A cache keeps objects that were read from packs, the most recently used
// ones, so that a chain of deltas is not resolved again for each of its links.
type cache struct {
	max   int
	claim *Claim

	mu   sync.Mutex
	size int
	room int        // of the budget
	used *list.List // of *cached, most recent first
	byAt map[cacheKey]*list.Element
}

type cacheKey struct {
	pack *packFile
	off  int64
}

type cached struct {
	key  cacheKey
	kind ObjectType
	data []byte
}

func newCache(limit int, claim *Claim) *cache {
	return &cache{max: limit, claim: claim, used: list.New(), byAt: make(map[cacheKey]*list.Element)}
}

func (c *cache) get(p *packFile, off int64) (*cached, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	el, ok := c.byAt[cacheKey{p, off}]
	if !ok {
		return nil, false
	}
	c.used.MoveToFront(el)
	return el.Value.(*cached), true
}

// grow takes a step of the budget, unless it is used up: then the cache stays
// as small as it is.
func (c *cache) grow() bool {
	const step = 1 << 20
	if c.room >= c.max || !c.claim.try(step) {
		return false
	}
	c.room += step
	return true
}

func (c *cache) put(p *packFile, off int64, kind ObjectType, data []byte) {
	const overhead = 200
	cost := len(data) + overhead
	if cost > c.max/4 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key := cacheKey{p, off}
	if _, ok := c.byAt[key]; ok {
		return
	}
	c.byAt[key] = c.used.PushFront(&cached{key, kind, data})
	c.size += cost
	for c.size > c.room {
		if c.grow() {
			continue
		}
		el := c.used.Back()
		old := c.used.Remove(el).(*cached)
		delete(c.byAt, old.key)
		c.size -= len(old.data) + overhead
	}
}
