package sources

import (
	"archive/tar"
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"syscall"
	"unicode/utf8"
)

// Limits bound what a tarball may hold.
type Limits struct {
	Bytes int64 // of all files, and of the tarball; required
	Files int   // files, folders and links; required
}

// headers is how much of a tarball may be about one of its files.
const headers = 4 << 10

// A Tree is an unpacked tarball, in a directory of its own.
type Tree struct {
	fs.ReadLinkFS
	// Folder is the one folder that all lay in, and which is the tree; "" if
	// there was none.
	Folder string
	dir    string
	root   *os.Root
}

// Close deletes the tree.
func (t *Tree) Close() error { return errors.Join(t.root.Close(), os.RemoveAll(t.dir)) }

var validChecksum = regexp.MustCompile(`^(?i:sha256):([0-9a-fA-F]{64})$`)

// CheckChecksum returns nil for "SHA256:" and 64 hexadecimal digits, and for "".
func CheckChecksum(text string) error {
	if text != "" && !validChecksum.MatchString(text) {
		return refuse(`the checksum is none: write "SHA256:" and the 64 hexadecimal digits that sha256sum prints`)
	}
	return nil
}

// Unpack reads a gzipped tarball to its end and makes a tree of it, below dir. A
// checksum is compared unless it is "". An [*Error] says why there is no tree;
// nothing is left of it then. Close the tree.
func Unpack(ctx context.Context, tarball io.Reader, checksum, dir string, limits Limits) (*Tree, error) {
	dir, err := os.MkdirTemp(dir, "source-")
	if err != nil {
		return nil, fmt.Errorf("unpack source: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("unpack source: %w", err), os.RemoveAll(dir))
	}
	t := &Tree{dir: dir, root: root}
	u := &unpacking{root: root, what: "source", limits: limits, bytes: limits.Bytes}
	err = u.verified(ctx, tarball, checksum)
	if err == nil {
		err = t.descend()
	}
	if err != nil {
		return nil, errors.Join(u.explain(ctx, err), t.Close())
	}
	return t, nil
}

// descend makes the one folder that all lies in the tree: that is how forges
// pack theirs.
func (t *Tree) descend() error {
	t.show()
	entries, err := fs.ReadDir(t, ".")
	if err != nil || len(entries) != 1 || !entries[0].IsDir() {
		return err
	}
	inner, err := t.root.OpenRoot(entries[0].Name())
	if err != nil {
		return err
	}
	outer := t.root
	t.root, t.Folder = inner, entries[0].Name()
	t.show()
	return outer.Close()
}

// show makes the tree that of its root, which has links in it for sure.
func (t *Tree) show() { t.ReadLinkFS, _ = t.root.FS().(fs.ReadLinkFS) }

// An unpacking is an archive on its way to disk.
type unpacking struct {
	root   *os.Root
	what   string // it is: "source"
	limits Limits
	bytes  int64 // still allowed
	files  int   // so far
	at     string
}

// verified unpacks, and compares the checksum of all that was sent.
func (u *unpacking) verified(ctx context.Context, tarball io.Reader, checksum string) error {
	sum := sha256.New()
	in := &bounded{in: tarball, left: u.limits.Bytes, sum: sum, stop: ctx.Err}
	unzip, err := gzip.NewReader(in)
	if err != nil {
		return u.notGzip(err)
	}
	if err := u.tarball(ctx, unzip); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return err
	}
	if want := validChecksum.FindStringSubmatch(checksum); want != nil && !strings.EqualFold(want[1], hex.EncodeToString(sum.Sum(nil))) {
		return refuse("the source is not what its checksum says: it is SHA256:%x", sum.Sum(nil))
	}
	return nil
}

// tarball unpacks a tarball, and reads it to its end.
func (u *unpacking) tarball(ctx context.Context, in io.Reader) error {
	// The files count for themselves; this is for what is between them.
	most := u.limits.Bytes + int64(u.limits.Files)*headers
	plain := &bounded{in: in, left: most, stop: ctx.Err}
	if err := u.entries(tar.NewReader(plain)); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, plain)
	return err
}

func (u *unpacking) notGzip(err error) error {
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return refuse("the %s is no gzipped tarball: pack it with tar -czf", u.what)
	}
	return err
}

func (u *unpacking) entries(r *tar.Reader) error {
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			if u.files == 0 {
				return refuse("the %s has no files in it", u.what)
			}
			return nil
		}
		if err != nil {
			return err
		}
		if u.files++; u.files > u.limits.Files {
			return refuse("the %s has more than %d files and folders", u.what, u.limits.Files)
		}
		if err := u.entry(r, h); err != nil {
			return err
		}
	}
}

func (u *unpacking) entry(r io.Reader, h *tar.Header) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := u.inside(h.Name)
	if err != nil || name == "." {
		return err
	}
	u.at = name
	if err := u.parents(name); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return u.folder(name)
	case tar.TypeReg, tar.TypeGNUSparse:
		return u.file(name, r, h.FileInfo().Mode())
	case tar.TypeSymlink:
		return u.link(name, func() error { return u.root.Symlink(h.Linkname, name) })
	case tar.TypeLink:
		target, err := u.inside(h.Linkname)
		if err != nil {
			return err
		}
		return u.link(name, func() error { return u.root.Link(target, name) })
	}
	return refuse("%.200q in the %s is neither a file, a folder nor a link", name, u.what)
}

// inside is the name of a file below the tree's root.
func (u *unpacking) inside(name string) (string, error) {
	clean := path.Clean(name)
	if !utf8.ValidString(name) || strings.ContainsRune(name, 0) || path.IsAbs(clean) || !fs.ValidPath(clean) {
		return "", refuse("the name %.200q in the %s leads out of it, or is none: pack its folder with tar -czf %[2]s.tgz -C FOLDER .", name, u.what)
	}
	return clean, nil
}

// parents makes the folders that a file lies in, which tarballs may leave out.
func (u *unpacking) parents(name string) error {
	dir := path.Dir(name)
	if dir == "." {
		return nil
	}
	if _, err := u.root.Lstat(dir); err == nil {
		return nil
	}
	if u.files += strings.Count(dir, "/"); u.files > u.limits.Files {
		return refuse("the %s has more than %d files and folders", u.what, u.limits.Files)
	}
	return u.root.MkdirAll(dir, 0o755)
}

func (u *unpacking) folder(name string) error {
	if err := u.root.Mkdir(name, 0o755); !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := u.root.Lstat(name)
	if err == nil && !info.IsDir() {
		err = refuse("%.200q in the %s is a folder and something else", name, u.what)
	}
	return err
}

func (u *unpacking) file(name string, in io.Reader, mode fs.FileMode) error {
	perm := fs.FileMode(0o644)
	if mode&0o111 != 0 {
		perm = 0o755
	}
	return u.link(name, func() error {
		out, err := u.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, perm)
		if err != nil {
			return err
		}
		n, err := io.Copy(out, io.LimitReader(in, u.bytes+1))
		if u.bytes -= n; u.bytes < 0 && err == nil {
			err = ErrTooLarge
		}
		return errors.Join(err, out.Close())
	})
}

// link makes a file or a link; as tar does, the last of a name counts.
func (u *unpacking) link(name string, do func() error) error {
	err := u.root.Remove(name)
	if info, no := u.root.Lstat(name); no == nil && info.IsDir() {
		return refuse("%.200q in the %s is a folder and something else", name, u.what)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return do()
}

// explain makes words of what is the tarball's fault.
func (u *unpacking) explain(ctx context.Context, err error) error {
	known, ok := errors.AsType[*Error](err)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case ok:
		return known
	case errors.Is(err, ErrTooLarge):
		return u.tooLarge()
	case errors.Is(err, tar.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, tar.ErrFieldTooLong), errors.As(err, new(flate.CorruptInputError)):
		return refuse("the %s is broken, or no gzipped tarball: pack it with tar -czf, and send it again", u.what)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("unpack source: %w", err)
	case errors.As(err, new(*fs.PathError)), errors.As(err, new(*os.LinkError)):
		// The names and links in it do not fit together, or lead out of it.
		return refuse("%.200q cannot be unpacked: its name, or that of what it links to, leads out of the %s or is none", u.at, u.what)
	}
	return refuse("the %s cannot be read: %v", u.what, err)
}

func (u *unpacking) tooLarge() error {
	if u.what == "source" {
		return refuse("%v", ErrTooLarge)
	}
	return refuse("the %s is larger than %d MB unpacked, the most that is taken", u.what, u.limits.Bytes>>20)
}

// A bounded reader stops with [ErrTooLarge], and counts in a sum.
type bounded struct {
	in   io.Reader
	left int64
	sum  hash.Hash    // nil for none
	stop func() error // why, if so
}

func (b *bounded) Read(p []byte) (int, error) {
	if err := b.stop(); err != nil {
		return 0, err
	}
	n, err := b.in.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, ErrTooLarge
	}
	if b.sum != nil {
		_, _ = b.sum.Write(p[:n]) // never fails
	}
	return n, err
}
