package nodejs

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
)

const (
	maxTarball  = 512 << 20
	maxUnpacked = 2 << 30
)

// fetch unpacks a release into dir, after checking it, but for what skip says;
// skip may be nil. pinned is a digest that the app names, "sha512.HEX", or "".
func (r *registry) fetch(ctx context.Context, rel release, pinned, dir string, skip func(name string) bool) error {
	file, err := r.download(ctx, rel, pinned, filepath.Dir(dir))
	if err != nil {
		return err
	}
	defer func() {
		_ = file.Close()           // it was only read
		_ = os.Remove(file.Name()) // the layers directory goes with the build
	}()
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("clear %s: %w", filepath.Base(dir), err)
	}
	if err := unpack(file, dir, skip); err != nil {
		return fmt.Errorf("unpack %s %s: %w", rel.Package, rel.Version, err)
	}
	return nil
}

// download gets a release's file, whose digest must be the registry's and the
// app's. The caller closes and removes it.
func (r *registry) download(ctx context.Context, rel release, pinned, dir string) (_ *os.File, err error) {
	sums, err := digests(rel.Integrity, pinned)
	if err != nil {
		return nil, fmt.Errorf("check %s %s: %w", rel.Package, rel.Version, err)
	}
	address, err := r.tarball(rel)
	if err != nil {
		return nil, err
	}
	resp, err := r.get(ctx, address, http.Header{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	file, err := os.CreateTemp(dir, ".fetch-")
	if err != nil {
		return nil, fmt.Errorf("keep a download: %w", err)
	}
	defer func() {
		if err != nil {
			_ = file.Close()           // nobody reads it
			_ = os.Remove(file.Name()) // the layers directory goes with the build
		}
	}()
	writers := []io.Writer{file}
	for _, s := range sums {
		writers = append(writers, s.hash)
	}
	n, err := io.Copy(io.MultiWriter(writers...), io.LimitReader(resp.Body, maxTarball+1))
	switch {
	case err != nil:
		return nil, &unreachableError{address.Host, fmt.Errorf("read %s: %w", path.Base(address.Path), err)}
	case n > maxTarball:
		return nil, fmt.Errorf("download %s %s: it is larger than %d MiB", rel.Package, rel.Version, maxTarball>>20)
	}
	for _, s := range sums {
		if got := hex.EncodeToString(s.hash.Sum(nil)); got != s.want {
			return nil, &digestError{rel.Package, rel.Version, s.of, s.want, got}
		}
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read a download: %w", err)
	}
	return file, nil
}

// A digestError says that a file is not what it should be.
type digestError struct{ name, version, of, want, got string }

func (e *digestError) Error() string {
	return fmt.Sprintf("check %s %s: its digest is %s, but %s says %s", e.name, e.version, e.got, e.of, e.want)
}

// A digest is what a file must come to.
type digest struct {
	hash hash.Hash
	want string // hex
	of   string // who says so
}

// digests are those of a release, by Subresource Integrity, and of the app.
func digests(integrity, pinned string) ([]digest, error) {
	var sums []digest
	for one := range strings.FieldsSeq(integrity) {
		name, sum, _ := strings.Cut(one, "-")
		sum, _, _ = strings.Cut(sum, "?")
		made := map[string]func() hash.Hash{"sha512": sha512.New, "sha256": sha256.New}[name]
		data, err := base64.StdEncoding.DecodeString(sum)
		if made == nil || err != nil || len(data) != made().Size() {
			continue
		}
		sums = []digest{{made(), hex.EncodeToString(data), "the registry"}}
		if name == "sha512" {
			break
		}
	}
	if len(sums) == 0 {
		return nil, errors.New("the registry has no SHA-512 of it")
	}
	if want, ok := strings.CutPrefix(pinned, "sha512."); ok {
		sums = append(sums, digest{sha512.New(), strings.ToLower(want), "packageManager in package.json"})
	}
	return sums, nil
}

// unpack unpacks a package: files below one folder, whose name does not matter.
func unpack(r io.Reader, dir string, skip func(name string) bool) error {
	zr, err := gzip.NewReader(bufio.NewReader(r))
	if err != nil {
		return err
	}
	limited := &io.LimitedReader{R: zr, N: maxUnpacked}
	for tr := tar.NewReader(limited); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			if limited.N <= 0 {
				return fmt.Errorf("it is larger than %d MiB", maxUnpacked>>20)
			}
			return err
		}
		_, name, _ := strings.Cut(path.Clean(h.Name), "/")
		switch {
		case h.Typeflag != tar.TypeReg || name == "":
			continue // npm has only files in its packages
		case !filepath.IsLocal(name):
			return fmt.Errorf("%q lies outside", h.Name)
		case skip != nil && skip(name):
			continue
		}
		if err := unpackFile(tr, filepath.Join(dir, name), h.FileInfo().Mode()); err != nil {
			return err
		}
	}
}

func unpackFile(r io.Reader, name string, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	perm := fs.FileMode(0o644)
	if mode&0o111 != 0 {
		perm = 0o755
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, perm)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, r)
	return errors.Join(err, file.Close())
}
