package cli

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// filesOf lists the files and links below a folder, by name. Where git keeps the
// folder, it says which: those that it has, and others that it does not ignore.
func filesOf(ctx context.Context, dir string, everything bool) ([]string, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, usageError{fmt.Errorf("%q is no folder: give --source-dir one that is, or --source-tar a tarball", dir)}
	}
	var files []string
	err := error(nil)
	listed := false
	if !everything {
		files, listed = gitFiles(ctx, dir)
	}
	if !listed {
		files, err = walkFiles(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("list the files of %s: %w", dir, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there are no files to build in %s", dir)
	}
	return files, nil
}

// gitFiles asks git; listed is false where there is none, or where the folder is
// in no repository.
func gitFiles(ctx context.Context, dir string) (files []string, listed bool) {
	out, err := exec.CommandContext(ctx, "git", "-C", dir, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		return nil, false
	}
	files = strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	slices.Sort(files)
	files = slices.Compact(files) // those in a conflict come thrice
	// Some are gone from the folder, and submodules are folders.
	files = slices.DeleteFunc(files, func(name string) bool {
		info, err := os.Lstat(filepath.Join(dir, name))
		return name == "" || err != nil || !isPacked(info.Mode())
	})
	return files, true
}

// isPacked says whether a file is one that goes into a tarball: sockets do not.
func isPacked(mode fs.FileMode) bool { return mode.IsRegular() || mode.Type() == fs.ModeSymlink }

func walkFiles(dir string) (files []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case !isPacked(d.Type()):
			return nil
		}
		name, err := filepath.Rel(dir, path)
		files = append(files, name)
		return err
	})
	return files, err
}

// packFiles writes a gzipped tarball.
func packFiles(w io.Writer, dir string, files []string) error {
	zip := gzip.NewWriter(w)
	out := tar.NewWriter(zip)
	for _, name := range files {
		if err := packFile(out, dir, name); err != nil {
			return fmt.Errorf("pack %s: %w", name, err)
		}
	}
	return errors.Join(out.Close(), zip.Close())
}

func packFile(out *tar.Writer, dir, name string) error {
	path := filepath.Join(dir, name)
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	link := ""
	if info.Mode().Type() == fs.ModeSymlink {
		if link, err = os.Readlink(path); err != nil {
			return err
		}
	}
	h, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	// Whose the files are here is nobody's business there.
	h.Name, h.Uid, h.Gid, h.Uname, h.Gname = filepath.ToSlash(name), 0, 0, "", ""
	if err := out.WriteHeader(h); err != nil {
		return err
	}
	if link != "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	_, err = io.Copy(out, f)
	return err
}
