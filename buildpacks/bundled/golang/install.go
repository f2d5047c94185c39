package golang

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"slipway/buildpacks/bundled/cnb"
)

const (
	maxZip      = 512 << 20 // as the go command has it for modules
	maxUnpacked = 2 << 30
)

// install downloads a toolchain, checks it and unpacks it as dir. It returns why
// the toolchain was not checked, "" if it was.
func install(ctx context.Context, ps *proxies, env cnb.Environment, v version, dir string) (note string, err error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	file, err := os.CreateTemp("", "go-*.zip")
	if err != nil {
		return "", fmt.Errorf("make room for Go %s: %w", v.text, err)
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	err = errors.Join(download(ctx, ps, v, file), file.Close())
	if err != nil {
		return "", err
	}
	if note = unchecked(env); note == "" {
		if err := checkSum(ctx, ps, env, v, file.Name()); err != nil {
			return "", err
		}
	}
	if err := unpack(file.Name(), v, dir); err != nil {
		return "", fmt.Errorf("unpack Go %s: %w", v.text, err)
	}
	return note, nil
}

func download(ctx context.Context, ps *proxies, v version, to io.Writer) error {
	body, err := ps.open(ctx, toolchainModule+"/@v/"+v.module()+".zip")
	if err != nil {
		return fmt.Errorf("download Go %s: %w", v.text, err)
	}
	n, err := io.Copy(to, io.LimitReader(body, maxZip+1))
	if err := errors.Join(err, body.Close()); err != nil {
		return fmt.Errorf("download Go %s: %w", v.text, err)
	}
	if n > maxZip {
		return fmt.Errorf("download Go %s: it is larger than %d MiB", v.text, maxZip>>20)
	}
	return nil
}

// unpack unpacks what building needs. A module's zip keeps no modes: the go
// command too makes programs of what lies in bin and pkg/tool.
func unpack(file string, v version, dir string) (err error) {
	r, err := zip.OpenReader(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	prefix, left := toolchainModule+"@"+v.module()+"/", uint64(maxUnpacked)
	for _, f := range r.File {
		name, ok := strings.CutPrefix(f.Name, prefix)
		if !ok || !filepath.IsLocal(name) {
			return fmt.Errorf("%q lies outside of it", f.Name)
		}
		if strings.HasSuffix(name, "/") || notForBuilds(name) {
			continue
		}
		if f.UncompressedSize64 > left {
			return fmt.Errorf("it is larger than %d MiB", maxUnpacked>>20)
		}
		left -= f.UncompressedSize64
		if err := unpackFile(f, filepath.Join(dir, name), modeOf(name)); err != nil {
			return err
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "bin", "go")); err != nil {
		return errors.New("it has no bin/go")
	}
	return nil
}

// notForBuilds are the tests of Go itself, and what people read.
func notForBuilds(name string) bool {
	top, _, _ := strings.Cut(name, "/")
	switch top {
	case "test", "api", "doc", "misc":
		return true
	}
	return strings.HasSuffix(name, "_test.go") || strings.Contains(name, "/testdata/")
}

func modeOf(name string) os.FileMode {
	if dir := path.Dir(name); dir == "bin" || strings.HasPrefix(dir, "pkg/tool") {
		return 0o755
	}
	return 0o644
}

func unpackFile(f *zip.File, to string, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := f.Open()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return errors.Join(err, in.Close())
	}
	// The reader fails where there is more than the size that was counted.
	_, err = io.Copy(out, in)
	return errors.Join(err, in.Close(), out.Close())
}
