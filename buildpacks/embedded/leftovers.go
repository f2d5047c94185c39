package embedded

import (
	"context"
	"fmt"
	"os"
)

// Leftovers names the containers, networks and build volumes that the engine
// has at the moment. When no build runs, there are none.
func (e *Engine) Leftovers(ctx context.Context) ([]string, error) {
	var found []string
	e.mu.Lock()
	for id := range e.containers {
		found = append(found, "container "+id)
	}
	e.mu.Unlock()
	e.nets.mu.Lock()
	for name := range e.nets.byName {
		found = append(found, "network "+name)
	}
	e.nets.mu.Unlock()
	entries, err := os.ReadDir(e.volumes.dir)
	if err != nil {
		return nil, fmt.Errorf("list volumes: %w", err)
	}
	for _, v := range entries {
		if ofBuild(v.Name()) {
			found = append(found, "volume "+v.Name())
		}
	}
	return found, ctx.Err()
}
