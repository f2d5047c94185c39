package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"
)

// A trash deletes directories in the background: taking a tree of ten
// thousand files away is one rename for the caller.
type trash struct {
	dir  string
	log  *zap.Logger
	next atomic.Int64
	wake chan struct{}
	done sync.WaitGroup

	mu     sync.Mutex
	closed bool
}

// openTrash starts by deleting what an earlier one left.
func openTrash(dir string, log *zap.Logger) *trash {
	t := &trash{dir: dir, log: log, wake: make(chan struct{}, 1)}
	t.wake <- struct{}{}
	t.done.Go(func() {
		for range t.wake {
			t.empty()
		}
	})
	return t
}

func (t *trash) throw(path string) error {
	to := filepath.Join(t.dir, strconv.Itoa(os.Getpid())+"-"+strconv.FormatInt(t.next.Add(1), 10))
	if err := os.Rename(path, to); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("move to trash: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return os.RemoveAll(to)
	}
	select {
	case t.wake <- struct{}{}:
	default:
	}
	return nil
}

func (t *trash) empty() {
	entries, err := os.ReadDir(t.dir)
	if err != nil {
		t.log.Warn("trash unreadable", zap.Error(err))
		return
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(t.dir, e.Name())); err != nil {
			t.log.Warn("trash not emptied", zap.Error(err))
		}
	}
}

// close empties the trash once more and waits.
func (t *trash) close() {
	t.mu.Lock()
	if !t.closed {
		t.closed = true
		close(t.wake)
	}
	t.mu.Unlock()
	t.done.Wait()
	t.empty()
}
