package repo

import (
	"container/list"
	"sync"
)

// A cache keeps objects that were read from packs, the most recently used
// ones, so that a chain of deltas is not resolved again for each of its links.
type cache struct {
	max int

	mu   sync.Mutex
	size int
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

func newCache(limit int) *cache {
	return &cache{max: limit, used: list.New(), byAt: make(map[cacheKey]*list.Element)}
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
	for c.size > c.max {
		el := c.used.Back()
		old := c.used.Remove(el).(*cached)
		delete(c.byAt, old.key)
		c.size -= len(old.data) + overhead
	}
}
