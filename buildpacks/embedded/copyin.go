package embedded

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"

	"slipway/internal/bundle"
)

// CopyToContainer implements DockerClient: it unpacks a tar into the container
// as it stands, volumes included. Nothing in the tar, nor any link that is in
// the container already, leads out of it.
func (e *Engine) CopyToContainer(ctx context.Context, id string, o client.CopyToContainerOptions) (client.CopyToContainerResult, error) {
	c, err := e.container(id)
	if err != nil {
		return client.CopyToContainerResult{}, err
	}
	dest, err := c.bundle.Root().Open(o.DestinationPath, unix.O_PATH|unix.O_DIRECTORY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return client.CopyToContainerResult{}, notFound("directory in the container", o.DestinationPath)
	}
	if err != nil {
		return client.CopyToContainerResult{}, fmt.Errorf("copy to container: %w", err)
	}
	if err := dest.Close(); err != nil {
		return client.CopyToContainerResult{}, err
	}
	u := &unpacker{root: c.bundle.Root(), dest: o.DestinationPath, overwrite: o.AllowOverwriteDirWithFile}
	defer u.forget()
	if err := u.unpack(ctx, o.Content); err != nil {
		return client.CopyToContainerResult{}, fmt.Errorf("copy to container: %w", err)
	}
	return client.CopyToContainerResult{}, nil
}

// An unpacker writes the entries of a tar into a root.
type unpacker struct {
	root      *bundle.Root
	dest      string
	overwrite bool // directories by files and the reverse

	// The directory that the last entry went to, since many follow into it.
	parent     *os.File
	parentName string
	dirs       []dirTime // set last, because files change them
}

type dirTime struct {
	name string
	time time.Time
}

func (u *unpacker) unpack(ctx context.Context, r io.Reader) error {
	tr := tar.NewReader(r)
	for {
		hdr, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return u.setDirTimes()
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := u.entry(hdr, tr); err != nil {
			return fmt.Errorf("%q: %w", hdr.Name, err)
		}
	}
}

func (u *unpacker) entry(hdr *tar.Header, r io.Reader) error {
	name := path.Join(u.dest, path.Clean("/"+hdr.Name))
	if name == "/" {
		return nil
	}
	dir, base := path.Split(name)
	parent, err := u.open(dir)
	if err != nil {
		return err
	}
	if hdr.Typeflag != tar.TypeReg {
		// The entry may be part of what is remembered.
		defer u.forget()
	}
	exists, err := u.clear(parent, base, hdr.Typeflag == tar.TypeDir)
	if err != nil {
		return err
	}
	switch hdr.Typeflag {
	case tar.TypeDir:
		if !exists {
			err = unix.Mkdirat(parent, base, uint32(hdr.Mode&0o7777))
		}
		u.dirs = append(u.dirs, dirTime{name, hdr.ModTime})
	case tar.TypeReg:
		return u.file(parent, base, hdr, r)
	case tar.TypeSymlink:
		err = unix.Symlinkat(hdr.Linkname, parent, base)
	case tar.TypeLink:
		return u.link(parent, base, hdr.Linkname)
	case tar.TypeFifo:
		err = unix.Mkfifoat(parent, base, uint32(hdr.Mode&0o7777))
	case tar.TypeXGlobalHeader:
		return nil
	default:
		return invalid("entries of type %q are not copied", hdr.Typeflag)
	}
	if err != nil {
		return err
	}
	return setOwner(parent, base, hdr)
}

// open opens a directory, making what is missing of it.
func (u *unpacker) open(dir string) (int, error) {
	if u.parent != nil && u.parentName == dir {
		return int(u.parent.Fd()), nil
	}
	u.forget()
	f, err := u.root.MkdirAll(dir, 0o755)
	if err != nil {
		return -1, err
	}
	u.parent, u.parentName = f, dir
	return int(f.Fd()), nil
}

func (u *unpacker) forget() {
	if u.parent != nil {
		_ = u.parent.Close()
		u.parent = nil
	}
}

// clear makes room for an entry. A directory stays for a directory.
func (u *unpacker) clear(parent int, base string, isDir bool) (exists bool, err error) {
	var st unix.Stat_t
	err = unix.Fstatat(parent, base, &st, unix.AT_SYMLINK_NOFOLLOW)
	if errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	haveDir := st.Mode&unix.S_IFMT == unix.S_IFDIR
	switch {
	case haveDir && isDir:
		return true, nil
	case haveDir != isDir && !u.overwrite:
		return false, conflict("a directory cannot take a file's place, nor the reverse")
	case haveDir:
		return false, os.RemoveAll(fmt.Sprintf("/proc/self/fd/%d/%s", parent, base))
	}
	return false, unix.Unlinkat(parent, base, 0)
}

func (u *unpacker) file(parent int, base string, hdr *tar.Header, r io.Reader) (err error) {
	fd, err := unix.Openat(parent, base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), hdr.Name)
	defer func() { err = errors.Join(err, f.Close()) }()
	if hdr.Size > 0 {
		if _, err := io.Copy(f, r); err != nil {
			return err
		}
	}
	if err := unix.Fchown(fd, hdr.Uid, hdr.Gid); err != nil {
		return err
	}
	// After the owner, whose change takes set-user-ID bits away.
	if err := unix.Fchmod(fd, uint32(hdr.Mode&0o7777)); err != nil {
		return err
	}
	for key, value := range hdr.PAXRecords {
		name, ok := strings.CutPrefix(key, "SCHILY.xattr.")
		if !ok || !strings.HasPrefix(name, "user.") && name != "security.capability" {
			continue
		}
		if err := unix.Fsetxattr(fd, name, []byte(value), 0); err != nil && !errors.Is(err, unix.ENOTSUP) {
			return err
		}
	}
	return setTime(parent, base, hdr.ModTime)
}

// link makes a hard link to a file that the tar, or the container, has.
func (u *unpacker) link(parent int, base, target string) error {
	from, name, err := u.root.OpenParent(path.Join(u.dest, path.Clean("/"+target)))
	if err != nil {
		return err
	}
	defer from.Close() //nolint:errcheck // only read
	return unix.Linkat(int(from.Fd()), name, parent, base, 0)
}

func setOwner(parent int, base string, hdr *tar.Header) error {
	if err := unix.Fchownat(parent, base, hdr.Uid, hdr.Gid, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if hdr.Typeflag == tar.TypeSymlink {
		return setTime(parent, base, hdr.ModTime)
	}
	// It was made, or found to be no link, a moment ago, and nothing runs
	// in the container yet; still, a link is not followed.
	fd, err := unix.Openat(parent, base, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // a path, not data
	if err := unix.Chmod(fmt.Sprintf("/proc/self/fd/%d", fd), uint32(hdr.Mode&0o7777)); err != nil {
		return err
	}
	return setTime(parent, base, hdr.ModTime)
}

func setTime(parent int, base string, t time.Time) error {
	if t.IsZero() {
		return nil
	}
	ts := unix.NsecToTimespec(t.UnixNano())
	return unix.UtimesNanoAt(parent, base, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW)
}

func (u *unpacker) setDirTimes() error {
	for _, d := range u.dirs {
		parent, base, err := u.root.OpenParent(d.name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		err = setTime(int(parent.Fd()), base, d.time)
		_ = parent.Close()
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return err
		}
	}
	return nil
}
