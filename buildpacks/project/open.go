package project

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/buildpacks/pack/pkg/project/types"
)

const (
	descriptorName = "project.toml"
	slugignoreName = ".slugignore"
	maxFile        = 1 << 20 // of either, in bytes: they are parsed in memory
)

// Limits bound what an app may cost.
type Limits struct {
	// Files is the most files and folders that a build takes; 100,000 if zero.
	// Several times as many are looked at to leave some out.
	Files int

	work int64 // of matching patterns; matchWork if zero
}

// A Project is what an app says about its build.
type Project struct {
	// Tree is the app as a build is to see it.
	Tree fs.FS
	// Descriptor is its project.toml; empty if it has none. What it includes and
	// excludes is done already, and no longer in it.
	Descriptor types.Descriptor
	// LeftOut counts what is not in Tree, in the order in which it was left out.
	LeftOut []LeftOut
	// Warnings are for the person who pushed, each of one or more lines.
	Warnings []string
}

// LeftOut is how many files a file of the app leaves out. A folder that is left
// out whole counts as one.
type LeftOut struct {
	By    string // ".slugignore", "project.toml"
	Files int
}

// String is a line for the person who pushed: for .slugignore in Heroku's words.
func (l LeftOut) String() string {
	files := "files"
	if l.Files == 1 {
		files = "file"
	}
	if l.By == slugignoreName {
		return fmt.Sprintf("Deleting %d %s matching .slugignore patterns.", l.Files, files)
	}
	return fmt.Sprintf("Leaving out %d %s by what %s says.", l.Files, files, l.By)
}

// Open reads what the app in fsys says about its build. An [*Error] says what is
// wrong with that. Tree reads fsys, which is to stay as it is.
func Open(ctx context.Context, fsys fs.FS, limits Limits) (*Project, error) {
	if limits.Files == 0 {
		limits.Files = 100_000
	}
	if limits.work == 0 {
		limits.work = matchWork
	}
	p := &Project{Tree: fsys}
	if err := p.slugignore(ctx, limits); err != nil {
		return nil, err
	}
	text, err := read(p.Tree, descriptorName)
	if err != nil || text == "" {
		return p, err
	}
	if p.Descriptor, p.Warnings, err = parseDescriptor(text, p.Warnings); err != nil {
		return nil, err
	}
	return p, p.includeExclude(ctx, limits)
}

// slugignore takes away what Heroku would remove after the checkout.
func (p *Project) slugignore(ctx context.Context, limits Limits) error {
	text, err := read(p.Tree, slugignoreName)
	if err != nil || text == "" {
		return err
	}
	patterns, err := compile(slugignoreName, strings.Split(text, "\n"))
	if err != nil {
		return err
	}
	kept := patterns.all[:0]
	for _, one := range patterns.all {
		if one.negated {
			p.Warnings = append(p.Warnings, fmt.Sprintf("Warning: .slugignore has the pattern \"!%.80s\", and takes none with an exclamation mark.\nThe line does nothing: name what is to be left out.", strings.Join(one.segments, "/")))
			continue
		}
		kept = append(kept, one)
	}
	patterns.all = kept
	return p.leave(ctx, leaving{file: slugignoreName, patterns: patterns, limits: limits})
}

// includeExclude does what project.toml says of files.
func (p *Project) includeExclude(ctx context.Context, limits Limits) error {
	build := &p.Descriptor.Build
	lines, only := build.Exclude, false
	if len(build.Include) > 0 {
		lines, only = build.Include, true
	}
	build.Include, build.Exclude = nil, nil
	if len(lines) == 0 {
		return nil
	}
	patterns, err := compile("", lines)
	if place, is := errors.AsType[*Error](err); is {
		return bad(descriptorName, 0, "pattern %d: %s", place.Line, place.Text)
	}
	return p.leave(ctx, leaving{file: descriptorName, patterns: patterns, only: only, limits: limits})
}

func (p *Project) leave(ctx context.Context, l leaving) error {
	if len(l.patterns.all) == 0 {
		return nil
	}
	t, files, err := leave(ctx, p.Tree, l)
	if err != nil {
		return err
	}
	p.Tree = t
	if files > 0 {
		p.LeftOut = append(p.LeftOut, LeftOut{By: l.file, Files: files})
	}
	return nil
}

// read reads a file of the app, if there is one. Links are not followed: they
// could lead out of the app.
func read(fsys fs.FS, name string) (string, error) {
	info, err := fs.Lstat(fsys, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("read %s: %w", name, err)
	case !info.Mode().IsRegular():
		return "", bad(name, 0, "it is not a regular file: put the file itself in its place.")
	case info.Size() > maxFile:
		return "", bad(name, 0, "it is larger than %d KB: make it shorter.", maxFile>>10)
	}
	f, err := fsys.Open(name)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	return strings.TrimPrefix(string(data), "\uFEFF"), nil
}
