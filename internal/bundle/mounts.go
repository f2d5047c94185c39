package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"github.com/containerd/containerd/v2/core/mount"
	"golang.org/x/sys/unix"
)

const (
	minInodes     = 4096
	bytesPerInode = 8192
)

// A Mount is a bind mount into a container.
type Mount struct {
	Source   string // on the host; a directory or a file
	Target   string // absolute, inside the container; made if missing
	ReadOnly bool
}

// virtual says whether the target lies in a file system that exists only while
// the container runs, so that runc has to mount it.
func (m Mount) virtual() bool {
	for _, dir := range []string{"/proc", "/dev", "/sys"} {
		if m.Target == dir || strings.HasPrefix(m.Target, dir+"/") {
			return true
		}
	}
	return false
}

// mountRoot mounts a container's root file system at dir/rootfs.
func mountRoot(dir string, s Spec) error {
	target := filepath.Join(dir, "rootfs")
	if err := os.Mkdir(target, 0o755); err != nil {
		return fmt.Errorf("make mount point: %w", err)
	}
	if s.Dir != "" {
		m := mount.Mount{Type: "bind", Source: s.Dir, Options: []string{"rbind", "rw"}}
		if err := m.Mount(target); err != nil {
			return fmt.Errorf("bind root: %w", err)
		}
		return makePrivate(target)
	}
	if len(s.Lower) == 0 {
		return errors.New("no root file system: neither layers nor a directory")
	}
	if s.Scratch > 0 {
		if err := mountScratch(scratch(dir, s), s.Scratch); err != nil {
			return err
		}
	}
	upper, work := filepath.Join(scratch(dir, s), "upper"), filepath.Join(scratch(dir, s), "work")
	if err := makeUpper(upper, s.Lower[0]); err != nil {
		return err
	}
	if err := os.Mkdir(work, 0o711); err != nil {
		return fmt.Errorf("make overlay: %w", err)
	}
	options := []string{
		"lowerdir=" + strings.Join(s.Lower, ":"),
		"upperdir=" + upper,
		"workdir=" + work,
		"index=off",
	}
	// A volatile overlay does not sync the disk when it is unmounted. What
	// is in it does not outlive the container anyhow. Linux 5.10.
	m := mount.Mount{Type: "overlay", Source: "overlay", Options: append(options, "volatile")}
	err := m.Mount(target)
	if errors.Is(err, unix.EINVAL) {
		m.Options = options
		err = m.Mount(target)
	}
	if err != nil {
		return fmt.Errorf("mount overlay: %w", err)
	}
	return makePrivate(target)
}

// scratch is the directory for what a container writes.
func scratch(dir string, s Spec) string {
	if s.Scratch > 0 {
		return filepath.Join(dir, "scratch")
	}
	return dir
}

// mountScratch mounts a file system of a bounded size at dir.
func mountScratch(dir string, size int64) error {
	if err := os.Mkdir(dir, 0o711); err != nil {
		return fmt.Errorf("make scratch: %w", err)
	}
	// The kernel keeps about a kilobyte an inode, which the size does not
	// count.
	options := fmt.Sprintf("mode=711,size=%d,nr_inodes=%d", size, minInodes+size/bytesPerInode)
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return fmt.Errorf("mount scratch: %w", err)
	}
	return makePrivate(dir)
}

// makeUpper makes the upper directory, which gives the root its owner and mode.
func makeUpper(upper, lower string) error {
	var st unix.Stat_t
	if err := unix.Stat(lower, &st); err != nil {
		return fmt.Errorf("look at layer: %w", err)
	}
	if err := os.Mkdir(upper, 0o755); err != nil {
		return fmt.Errorf("make overlay: %w", err)
	}
	if err := os.Chmod(upper, fs.FileMode(st.Mode&0o777)); err != nil {
		return fmt.Errorf("make overlay: %w", err)
	}
	if err := os.Chown(upper, int(st.Uid), int(st.Gid)); err != nil {
		return fmt.Errorf("make overlay: %w", err)
	}
	return nil
}

// makePrivate keeps the bind mounts below target out of other namespaces.
func makePrivate(target string) error {
	if err := unix.Mount("", target, "", unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mount private: %w", err)
	}
	return nil
}

// bindAll puts bind mounts into a mounted root, shallow ones first.
func bindAll(root *Root, mounts []Mount) error {
	sort.SliceStable(mounts, func(i, j int) bool {
		return strings.Count(mounts[i].Target, "/") < strings.Count(mounts[j].Target, "/")
	})
	for _, m := range mounts {
		if m.virtual() {
			continue
		}
		if err := bind(root, m); err != nil {
			return fmt.Errorf("mount %s: %w", m.Target, err)
		}
	}
	return nil
}

func bind(root *Root, m Mount) error {
	st, err := os.Stat(m.Source)
	if err != nil {
		return err
	}
	target, err := mountPoint(root, m.Target, st.IsDir())
	if err != nil {
		return err
	}
	defer target.Close() //nolint:errcheck // only read
	if err := unix.Mount(m.Source, fdPath(target), "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	if !m.ReadOnly {
		return nil
	}
	// Only a second call makes a bind mount read-only, on the mount that
	// now covers the old target. It must repeat the flags that it has.
	mounted, err := root.OpenPath(m.Target)
	if err != nil {
		return err
	}
	defer mounted.Close() //nolint:errcheck // only read
	var vfs unix.Statfs_t
	if err := unix.Fstatfs(int(mounted.Fd()), &vfs); err != nil {
		return err
	}
	keep := uintptr(vfs.Flags) & (unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_NOATIME | unix.MS_NODIRATIME | unix.MS_RELATIME)
	return unix.Mount("", fdPath(mounted), "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY|keep, "")
}

// mountPoint opens the target of a mount, and makes it if it is missing.
func mountPoint(root *Root, target string, isDir bool) (*os.File, error) {
	if isDir {
		return root.MkdirAll(target, 0o755)
	}
	f, err := root.OpenPath(target)
	if err == nil || !errors.Is(err, unix.ENOENT) {
		return f, err
	}
	parent, err := root.MkdirAll(path.Dir(target), 0o755)
	if err != nil {
		return nil, err
	}
	defer parent.Close() //nolint:errcheck // only read
	// A link that leads nowhere, as /etc/resolv.conf often is in images,
	// gives way.
	if err := unix.Unlinkat(int(parent.Fd()), path.Base(target), 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return nil, err
	}
	fd, err := unix.Openat(int(parent.Fd()), path.Base(target), unix.O_CREAT|unix.O_EXCL|unix.O_RDONLY|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), target), nil
}

// unmountAll takes the root of a container and all mounts in it away, even
// when somebody still has a file open in it.
func unmountAll(dir string) error {
	return errors.Join(unmount(filepath.Join(dir, "rootfs")), unmount(filepath.Join(dir, "scratch")))
}

func unmount(target string) error {
	for {
		err := unix.Unmount(target, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
		switch {
		case err == nil:
			// Again, until it is no mount point: nothing that is bound
			// into it may be deleted with it.
		case errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT):
			// Remove refuses what is not empty, so this cannot eat a
			// mounted volume either.
			if err := os.Remove(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("remove mount point: %w", err)
			}
			return nil
		default:
			return fmt.Errorf("unmount %s: %w", target, err)
		}
	}
}
