package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"

	cfs "github.com/containerd/continuity/fs"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"

	"slipway/internal/bundle"
)

var goodVolume = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,199}$`)

// ofBuild says whether a volume lives as long as a build: pack's are, by their
// names, except its caches.
func ofBuild(name string) bool {
	return strings.HasPrefix(name, "pack-") && !strings.HasPrefix(name, "pack-cache-")
}

// A volumeStore keeps named volumes, each a plain directory.
type volumeStore struct {
	dir   string
	trash func(path string) error

	mu   sync.Mutex
	uses map[string]int // containers by volume
}

// openVolumes removes the volumes of builds that a killed engine left.
func openVolumes(dir string, trash func(string) error) (*volumeStore, error) {
	if err := os.MkdirAll(dir, 0o701); err != nil {
		return nil, fmt.Errorf("make volumes: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list volumes: %w", err)
	}
	for _, e := range entries {
		if !ofBuild(e.Name()) {
			continue
		}
		if err := trash(filepath.Join(dir, e.Name())); err != nil {
			return nil, err
		}
	}
	return &volumeStore{dir: dir, trash: trash, uses: make(map[string]int)}, nil
}

// acquire makes a volume if it is new, which fresh says, and keeps it from
// being removed until release.
func (v *volumeStore) acquire(name string) (dir string, fresh bool, err error) {
	if !goodVolume.MatchString(name) {
		return "", false, invalid("volume name %q", name)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	dir = filepath.Join(v.dir, name)
	switch err := os.Mkdir(dir, 0o755); {
	case err == nil:
		fresh = true
	case !errors.Is(err, fs.ErrExist):
		return "", false, fmt.Errorf("make volume: %w", err)
	}
	v.uses[name]++
	return dir, fresh, nil
}

func (v *volumeStore) release(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.uses[name]--; v.uses[name] == 0 {
		delete(v.uses, name)
	}
}

// VolumeRemove implements DockerClient.
func (e *Engine) VolumeRemove(ctx context.Context, name string, o client.VolumeRemoveOptions) (client.VolumeRemoveResult, error) {
	return client.VolumeRemoveResult{}, errors.Join(e.volumes.remove(name, o.Force), ctx.Err())
}

func (v *volumeStore) remove(name string, force bool) error {
	if !goodVolume.MatchString(name) {
		return invalid("volume name %q", name)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.uses[name] > 0 {
		return conflict("volume %s is in use", name)
	}
	dir := filepath.Join(v.dir, name)
	if _, err := os.Lstat(dir); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			if force {
				return nil
			}
			return notFound("volume", name)
		}
		return fmt.Errorf("remove volume: %w", err)
	}
	return v.trash(dir)
}

// A bindMount is one line of HostConfig.Binds.
type bindMount struct {
	bundle.Mount
	volume string // its name; "" for a path on the host
	fresh  bool   // a volume that was made for this container
}

func (b bindMount) point() (kind mount.Type) {
	if b.volume != "" {
		return mount.TypeVolume
	}
	return mount.TypeBind
}

// parseBind reads "source:target[:options]". The options that concern SELinux
// and propagation are accepted and do nothing.
func parseBind(line string) (bindMount, error) {
	parts := strings.Split(line, ":")
	if len(parts) < 2 || len(parts) > 3 || parts[0] == "" || !path.IsAbs(parts[1]) || path.Clean(parts[1]) == "/" {
		return bindMount{}, invalid("bind %q: want source:target[:ro]", line)
	}
	b := bindMount{Mount: bundle.Mount{Source: parts[0], Target: path.Clean(parts[1])}}
	if !filepath.IsAbs(b.Source) {
		b.volume = b.Source
	}
	if len(parts) < 3 {
		return b, nil
	}
	for o := range strings.SplitSeq(parts[2], ",") {
		switch o {
		case "ro", "readonly":
			b.ReadOnly = true
		case "rw", "z", "Z", "nocopy", "delegated", "cached", "consistent", "private", "rprivate":
		default:
			return bindMount{}, invalid("bind %q: unknown option %q", line, o)
		}
	}
	return b, nil
}

// bindAll resolves a container's binds. Missing paths on the host are made, as
// Docker does.
func (v *volumeStore) bindAll(lines []string) (binds []bindMount, err error) {
	defer func() {
		if err != nil {
			v.releaseAll(binds)
		}
	}()
	seen := make(map[string]bool)
	for _, line := range lines {
		b, err := parseBind(line)
		if err != nil {
			return binds, err
		}
		if seen[b.Target] {
			return binds, invalid("two binds on %s", b.Target)
		}
		seen[b.Target] = true
		if b.volume != "" {
			if b.Source, b.fresh, err = v.acquire(b.volume); err != nil {
				return binds, err
			}
		} else if err := os.MkdirAll(b.Source, 0o755); err != nil && !errors.Is(err, syscall.ENOTDIR) {
			return binds, fmt.Errorf("make bind source: %w", err)
		}
		binds = append(binds, b)
	}
	return binds, nil
}

func (v *volumeStore) releaseAll(binds []bindMount) {
	for _, b := range binds {
		if b.volume != "" {
			v.release(b.volume)
		}
	}
}

// populate gives a new volume the owner, mode and content of the directory
// that it will cover, as Docker does. pack's five-phase builds rely on it.
func populate(root *bundle.Root, b bindMount) error {
	covered, err := root.Open(b.Target, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("fill volume %s: %w", b.volume, err)
	}
	defer covered.Close() //nolint:errcheck // only read
	var st unix.Stat_t
	if err := unix.Fstat(int(covered.Fd()), &st); err != nil {
		return fmt.Errorf("fill volume %s: %w", b.volume, err)
	}
	switch _, err := covered.Readdirnames(1); {
	case err == nil:
		if err := cfs.CopyDir(b.Source, fmt.Sprintf("/proc/self/fd/%d/", covered.Fd())); err != nil {
			return fmt.Errorf("fill volume %s: %w", b.volume, err)
		}
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("fill volume %s: %w", b.volume, err)
	}
	if err := os.Chown(b.Source, int(st.Uid), int(st.Gid)); err != nil {
		return fmt.Errorf("fill volume %s: %w", b.volume, err)
	}
	if err := unix.Chmod(b.Source, st.Mode&0o7777); err != nil {
		return fmt.Errorf("fill volume %s: %w", b.volume, err)
	}
	return nil
}
