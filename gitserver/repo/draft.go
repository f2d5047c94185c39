package repo

import (
	"bufio"
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// open opens the packs to be joined, the oldest first: what a later push built
// on then lies before it. It returns when the newest object came.
func (j *join) open(packs []packInfo) (newest time.Time, err error) {
	slices.SortFunc(packs, func(a, b packInfo) int {
		return cmp.Or(a.time.Compare(b.time), cmp.Compare(a.name, b.name))
	})
	size := int64(0)
	for _, p := range packs {
		f, err := openPack(filepath.Join(j.r.packDir(), p.name+".idx"))
		if err != nil {
			return newest, unlessVanished(err)
		}
		j.packs = append(j.packs, f)
		size += p.size
		newest = p.time
	}
	return newest, j.r.checkRoom(size)
}

func (j *join) close() error {
	var err error
	for _, p := range j.packs {
		err = errors.Join(err, p.close())
	}
	return err
}

// unlessVanished tells what somebody else has removed from other errors.
func unlessVanished(err error) error {
	if isNotExist(err) {
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return err
}

// checkRoom refuses to write size bytes where they would take more than half of
// what is left: pushes need room, too.
func (r *Repo) checkRoom(size int64) error {
	var st unix.Statfs_t
	if err := unix.Statfs(r.dir, &st); err != nil {
		return fmt.Errorf("look at file system: %w", err)
	}
	//nolint:unconvert // on other systems than Linux these are of other types
	if free := int64(st.Bavail) * int64(st.Bsize); size > free/2 {
		return fmt.Errorf("%w: to write %d bytes, twice that much must be free, and %d are; make room", ErrLimit, size, free)
	}
	return nil
}

// A draft is a pack that was written, but is not yet part of the repository.
type draft struct {
	dir string
	sum []byte // of the pack
}

// draftPrefix begins the names of drafts' directories. `git prune` removes
// what is left of them.
const draftPrefix = "tmp_objdir-upkeep-"

// draft writes the pack of a join, durably.
func (r *Repo) draft(j *join) (*draft, error) {
	j.cache = newCache(16<<20, nil)
	if err := j.choose(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(r.db.dir, draftPrefix)
	if err != nil {
		return nil, err
	}
	d := &draft{dir: dir}
	if err := d.write(j); err != nil {
		d.discard()
		return nil, err
	}
	return d, nil
}

func (d *draft) path(ext string) string { return filepath.Join(d.dir, "tmp"+ext) }

func (d *draft) write(j *join) error {
	f, err := os.OpenFile(d.path(".pack"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o444)
	if err != nil {
		return err
	}
	d.sum, err = j.write(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	err = writeFile(d.path(".idx"), func(w *bufio.Writer) error { return writeIdx(w, j, d.sum) })
	if err != nil {
		return err
	}
	err = writeFile(d.path(".rev"), func(w *bufio.Writer) error { return writeRev(w, j.order(), d.sum) })
	if err != nil {
		return err
	}
	for _, ext := range packExts {
		if err := j.r.sync(d.path(ext), syncFile); err != nil {
			return err
		}
	}
	return nil
}

func (d *draft) discard() { os.RemoveAll(d.dir) } //nolint:errcheck // CleanStale would remove what is left

// packExts are a pack's files in the order in which they are put in place. The
// index comes last: it is what makes the pack known.
var packExts = []string{".pack", ".rev", ".idx"}

// install makes a draft part of the repository, durably, with the time at
// which the newest of its objects came.
func (r *Repo) install(d *draft, newest time.Time) error {
	name, keep, err := r.reserve(d.sum)
	if err != nil {
		return err
	}
	dest := filepath.Join(r.packDir(), name)
	for _, ext := range packExts {
		if err := r.rename(d.path(ext), dest+ext); err != nil {
			return errors.Join(err, r.remove(dest+".rev"), r.remove(dest+".pack"), r.remove(keep))
		}
	}
	err = r.sync(r.packDir(), syncDir)
	return errors.Join(err, os.Chtimes(dest+".pack", time.Time{}, newest), r.remove(keep))
}

// stillThere checks that packs are where they were opened. Where one is not,
// its objects may have been removed on purpose: it is not to be replaced.
func (r *Repo) stillThere(packs []*packFile) error {
	for _, p := range packs {
		ours, err := p.f.Stat()
		if err != nil {
			return err
		}
		now, err := os.Stat(p.f.Name())
		if err != nil {
			return unlessVanished(err)
		}
		if !os.SameFile(ours, now) {
			return fmt.Errorf("%w: %s was replaced", ErrBusy, p.f.Name())
		}
	}
	return r.gcRuns()
}

const (
	keepSuffix = ".keep"
	keepText   = "slipway: references are about to move\n"
)

// reserve finds a name for a new pack, and makes the file that tells git, and
// Repack, to leave it alone. The name is new even if the repository has the
// very same pack: that one may be about to be removed.
func (r *Repo) reserve(sum []byte) (name, keep string, err error) {
	if err := os.Mkdir(r.packDir(), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", "", err
	}
	for taken := false; ; taken = true {
		name = "pack-" + hex.EncodeToString(sum)
		if taken {
			var other [hashSize]byte
			rand.Read(other[:])
			name = "pack-" + hex.EncodeToString(other[:])
		}
		path := filepath.Join(r.packDir(), name)
		f, err := os.OpenFile(path+keepSuffix, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", "", err
		}
		_, err = f.WriteString(keepText)
		if err = errors.Join(err, f.Close()); err != nil {
			return "", "", errors.Join(err, os.Remove(path+keepSuffix))
		}
		if _, err := os.Lstat(path + ".pack"); isNotExist(err) {
			return name, path + keepSuffix, nil
		}
		if err := os.Remove(path + keepSuffix); err != nil {
			return "", "", err
		}
	}
}
