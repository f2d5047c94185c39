package bundled

import (
	"cmp"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// code is the source of the steps whose results are cached: a change of a step
// makes its results anew.
//
//go:embed layer.go debian.go python.go adapt.go caddy.go lifecycle.go recipe.go image.go builder.go assemble.go
var code embed.FS

// keptParts is how many versions of a part stay in the cache.
const keptParts = 3

// A cache keeps parts that take long to make, by the hash of what goes in.
type cache struct {
	dir  string
	lock *os.File
}

// openCache opens the cache in dir and waits until nobody else has it.
func openCache(ctx context.Context, dir string, waiting func()) (*cache, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make cache: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open cache: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		waiting()
		err = waitLock(ctx, f)
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
	} else if err != nil {
		return nil, errors.Join(fmt.Errorf("lock cache: %w", err), f.Close())
	}
	return &cache{dir: dir, lock: f}, nil
}

// waitLock tries for the lock on f until it is ours or ctx is done.
func waitLock(ctx context.Context, f *os.File) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for cache: %w", ctx.Err())
		case <-tick.C:
		}
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil || !errors.Is(err, unix.EWOULDBLOCK) {
			return err
		}
	}
}

// Close lets others have the cache.
func (c *cache) Close() error { return c.lock.Close() }

// A part is something in the cache.
type part[T any] struct {
	name string
	key  string
	make func(ctx context.Context, dir string) (T, error)
}

// newPart describes a part made by make from inputs and from the named source
// files of this package.
func newPart[T any](name string, inputs any, files []string, make func(context.Context, string) (T, error)) (part[T], error) {
	h := sha256.New()
	if err := json.NewEncoder(h).Encode(inputs); err != nil {
		return part[T]{}, fmt.Errorf("hash inputs of %s: %w", name, err)
	}
	for _, f := range files {
		text, err := code.ReadFile(f)
		if err != nil {
			return part[T]{}, fmt.Errorf("hash inputs of %s: %w", name, err)
		}
		h.Write(text)
	}
	return part[T]{name: name, key: hex.EncodeToString(h.Sum(nil))[:24], make: make}, nil
}

// get gives the part and the directory with its files, made now if the cache
// lacks it.
func (p part[T]) get(ctx context.Context, c *cache, fresh bool) (v T, dir string, err error) {
	dir = filepath.Join(c.dir, p.name+"-"+p.key)
	if !fresh {
		data, err := os.ReadFile(filepath.Join(dir, "part.json"))
		if err == nil {
			if err := json.Unmarshal(data, &v); err == nil {
				now := time.Now()
				return v, dir, os.Chtimes(dir, now, now)
			}
		} else if !errors.Is(err, fs.ErrNotExist) {
			return v, "", fmt.Errorf("read cached %s: %w", p.name, err)
		}
	}
	var tmp string
	tmp, err = os.MkdirTemp(c.dir, ".tmp-")
	if err != nil {
		return v, "", fmt.Errorf("make %s: %w", p.name, err)
	}
	defer removeAll(tmp, &err)
	if v, err = p.make(ctx, tmp); err != nil {
		return v, "", err
	}
	if err := writeJSON(filepath.Join(tmp, "part.json"), v); err != nil {
		return v, "", err
	}
	if err := os.RemoveAll(dir); err != nil {
		return v, "", fmt.Errorf("replace %s: %w", p.name, err)
	}
	if err := os.Rename(tmp, dir); err != nil {
		return v, "", fmt.Errorf("keep %s: %w", p.name, err)
	}
	return v, dir, c.prune(p.name, filepath.Base(dir))
}

// prune removes all but the newest versions of a part. The one in the directory
// last stays, whatever the clock says: it has just been made.
func (c *cache) prune(name, last string) error {
	const keyLength = 24
	var old []string
	dirs, err := os.ReadDir(c.dir)
	if err != nil {
		return fmt.Errorf("prune cache: %w", err)
	}
	times := map[string]int64{}
	for _, d := range dirs {
		key, ok := strings.CutPrefix(d.Name(), name+"-")
		if !ok || len(key) != keyLength {
			continue
		}
		info, err := d.Info()
		if err != nil {
			return fmt.Errorf("prune cache: %w", err)
		}
		old = append(old, d.Name())
		times[d.Name()] = info.ModTime().UnixNano()
	}
	times[last] = math.MaxInt64
	slices.SortFunc(old, func(a, b string) int { return cmp.Compare(times[b], times[a]) })
	for _, name := range old[min(keptParts, len(old)):] {
		if err := os.RemoveAll(filepath.Join(c.dir, name)); err != nil {
			return fmt.Errorf("prune cache: %w", err)
		}
	}
	return nil
}

// sweep removes what a killed run left: all that matches the pattern.
func sweep(pattern string) error {
	left, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("sweep %s: %w", filepath.Dir(dir), err)
		}
	}
	return nil
}

func writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", filepath.Base(path), err)
	}
	if err := os.WriteFile(path, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}

// hashCode hashes the recipe and the steps after the cached ones: this
// package's own source.
func hashCode() (string, error) {
	h := sha256.New()
	for _, name := range ownCode {
		text, err := code.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("hash recipe: %w", err)
		}
		h.Write(text)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// ownCode is the source of the steps that run every time.
var ownCode = []string{"recipe.go", "image.go", "builder.go", "assemble.go"}
