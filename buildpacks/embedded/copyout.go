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
	"sort"
	"time"

	containertypes "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"

	"slipway/internal/bundle"
)

// CopyFromContainer implements DockerClient: a tar of one file or directory,
// whose entries begin with its base name. The caller closes it.
func (e *Engine) CopyFromContainer(ctx context.Context, id string, o client.CopyFromContainerOptions) (client.CopyFromContainerResult, error) {
	c, err := e.container(id)
	if err != nil {
		return client.CopyFromContainerResult{}, err
	}
	name := path.Clean("/" + o.SourcePath)
	st, link, err := lstat(c.bundle.Root(), name)
	if errors.Is(err, fs.ErrNotExist) {
		return client.CopyFromContainerResult{}, notFound("file in the container", o.SourcePath)
	}
	if err != nil {
		return client.CopyFromContainerResult{}, fmt.Errorf("copy from container: %w", err)
	}
	pr, pw := io.Pipe()
	stop := context.AfterFunc(ctx, func() { pw.CloseWithError(ctx.Err()) })
	go func() {
		defer stop()
		tw := tar.NewWriter(pw)
		err := pack(c.bundle.Root(), tw, name, path.Base(name))
		if err == nil {
			err = tw.Close()
		}
		pw.CloseWithError(err)
	}()
	return client.CopyFromContainerResult{Content: pr, Stat: containertypes.PathStat{
		Name: path.Base(name), Size: st.Size, Mode: fileMode(st.Mode),
		Mtime: time.Unix(st.Mtim.Unix()), LinkTarget: link,
	}}, nil
}

// lstat looks at name itself, and where it points to if it is a link.
func lstat(root *bundle.Root, name string) (st unix.Stat_t, link string, err error) {
	f, err := root.Open(name, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if err != nil {
		return st, "", err
	}
	defer f.Close() //nolint:errcheck // only read
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return st, "", &os.PathError{Op: "stat", Path: name, Err: err}
	}
	if st.Mode&unix.S_IFMT == unix.S_IFLNK {
		buf := make([]byte, unix.PathMax)
		n, err := unix.Readlinkat(int(f.Fd()), "", buf)
		if err != nil {
			return st, "", &os.PathError{Op: "readlink", Path: name, Err: err}
		}
		link = string(buf[:n])
	}
	return st, link, nil
}

// pack writes the tree at name as entries that begin with as.
func pack(root *bundle.Root, tw *tar.Writer, name, as string) error {
	st, link, err := lstat(root, name)
	if err != nil {
		return err
	}
	hdr := &tar.Header{
		Name: as, Mode: int64(st.Mode & 0o7777), Uid: int(st.Uid), Gid: int(st.Gid),
		ModTime: time.Unix(st.Mtim.Unix()), Format: tar.FormatPAX,
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		hdr.Typeflag, hdr.Name = tar.TypeDir, as+"/"
		if err := tw.WriteHeader(hdr); err != nil {
			return err
		}
		return packDir(root, tw, name, as)
	case unix.S_IFLNK:
		hdr.Typeflag, hdr.Linkname = tar.TypeSymlink, link
		return tw.WriteHeader(hdr)
	case unix.S_IFREG:
		return packFile(root, tw, name, hdr)
	}
	return nil // sockets, pipes and devices are nobody's result
}

func packDir(root *bundle.Root, tw *tar.Writer, name, as string) error {
	dir, err := root.Open(name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	names, err := dir.Readdirnames(-1)
	if err = errors.Join(err, dir.Close()); err != nil {
		return err
	}
	sort.Strings(names)
	for _, n := range names {
		err := pack(root, tw, path.Join(name, n), path.Join(as, n))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func packFile(root *bundle.Root, tw *tar.Writer, name string, hdr *tar.Header) error {
	f, err := root.Open(name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return err
	}
	hdr.Typeflag, hdr.Size = tar.TypeReg, st.Size()
	if err := tw.WriteHeader(hdr); err != nil {
		return err
	}
	// A file that shrinks meanwhile is an error; one that grows is cut.
	_, err = io.CopyN(tw, f, hdr.Size)
	return err
}

func fileMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	switch mode & unix.S_IFMT {
	case unix.S_IFDIR:
		m |= fs.ModeDir
	case unix.S_IFLNK:
		m |= fs.ModeSymlink
	}
	return m
}
