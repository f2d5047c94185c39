package workbench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"slipway/buildpacks/detector"
	"slipway/buildpacks/project"
)

// maxWith bounds what --with=NAME=@FILE reads.
const maxWith = 16 << 20

// A WhatIf changes an app before it is detected, without touching it. Nil changes
// nothing.
type WhatIf struct {
	with    map[string]added
	without []string
}

// ParseWhatIf reads changes as they are written on a command line. An element of
// with is FILE=CONTENT, FILE=@PATH for the content of a file of this machine,
// FILE=@@TEXT for a content that begins with @, or DIRECTORY/= for an empty
// directory; what begins with #! becomes executable. An element of without is a
// file, or a directory with all below it. Names are below the app, with slashes.
// First files go, then files come.
func ParseWhatIf(with, without []string) (*WhatIf, error) {
	w := &WhatIf{with: make(map[string]added)}
	for _, name := range without {
		clean, err := inside(strings.TrimSuffix(name, "/"))
		if err != nil {
			return nil, fmt.Errorf("leave out %q: %w", name, err)
		}
		w.without = append(w.without, clean)
	}
	for _, arg := range with {
		if err := w.add(arg); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *WhatIf) add(arg string) error {
	name, content, ok := strings.Cut(arg, "=")
	if !ok {
		return fmt.Errorf("add %q: it has no =: write FILE=CONTENT, or FILE=@PATH", arg)
	}
	clean, err := inside(strings.TrimSuffix(name, "/"))
	if err != nil {
		return fmt.Errorf("add %q: %w", name, err)
	}
	file, err := readContent(name, content)
	if err != nil {
		return fmt.Errorf("add %q: %w", name, err)
	}
	return w.put(clean, file)
}

// put adds a file and the directories above it.
func (w *WhatIf) put(name string, file added) error {
	for above := path.Dir(name); above != "."; above = path.Dir(above) {
		if have, ok := w.with[above]; ok && !have.mode.IsDir() {
			return fmt.Errorf("add %q: %q is added too, as a file", name, above)
		}
		w.with[above] = added{mode: fs.ModeDir | 0o755}
	}
	if have, ok := w.with[name]; ok && have.mode.IsDir() != file.mode.IsDir() {
		return fmt.Errorf("add %q: it is added both as a file and as a directory", name)
	}
	w.with[name] = file
	return nil
}

func readContent(name, content string) (added, error) {
	if strings.HasSuffix(name, "/") {
		if content != "" {
			return added{}, errors.New("a directory has no content: write DIRECTORY/=")
		}
		return added{mode: fs.ModeDir | 0o755}, nil
	}
	if from, ok := strings.CutPrefix(content, "@"); ok && !strings.HasPrefix(from, "@") {
		return readLocal(from)
	}
	if strings.HasPrefix(content, "@@") {
		content = content[1:]
	}
	file := added{data: []byte(content), mode: 0o644}
	if strings.HasPrefix(content, "#!") {
		file.mode = 0o755
	}
	return file, nil
}

func readLocal(from string) (added, error) {
	info, err := os.Stat(from)
	if err != nil {
		return added{}, fmt.Errorf("%w; a content that begins with @ is written @@", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxWith {
		return added{}, fmt.Errorf("%q is not a file of at most %d MiB", from, maxWith>>20)
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return added{}, err
	}
	return added{data: data, mode: info.Mode().Perm()}, nil
}

// inside is a name that cannot leave the app.
func inside(name string) (string, error) {
	clean := path.Clean(name)
	if name == "" || clean == "." || strings.ContainsRune(name, 0) {
		return "", errors.New("it names no file below the app")
	}
	if !fs.ValidPath(clean) {
		return "", errors.New("it leads out of the app: write a path below it, such as bin/start")
	}
	return clean, nil
}

// Missing lists what is to be left out of an app and is not there.
func (w *WhatIf) Missing(dir string) []string {
	if w == nil {
		return nil
	}
	var missing []string
	fsys, ok := os.DirFS(dir).(fs.ReadLinkFS)
	for _, name := range w.without {
		if ok {
			if _, err := fsys.Lstat(name); errors.Is(err, fs.ErrNotExist) {
				missing = append(missing, name)
			}
		}
	}
	return missing
}

// hiding is w, and name left out too.
func (w *WhatIf) hiding(name string) *WhatIf {
	if w == nil {
		return &WhatIf{without: []string{name}}
	}
	return &WhatIf{with: w.with, without: append(slices.Clip(w.without), name)}
}

func (w *WhatIf) empty() bool { return w == nil || len(w.with)+len(w.without) == 0 }

// FS is the app with the changes. It fails where a file would have to lie below
// another file.
func (w *WhatIf) FS(app fs.FS) (fs.FS, error) {
	if w.empty() {
		return app, nil
	}
	gone := make(map[string]bool, len(w.without))
	for _, name := range w.without {
		gone[name] = true
	}
	v := &view{base: app, hidden: func(name string) bool { return gone[name] }, added: w.with}
	for name, file := range w.with {
		if err := v.fits(name, file); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// detect answers for a directory with the changes, and without what the app leaves
// out of its build: a push is detected so, too.
func (w *WhatIf) detect(ctx context.Context, d Detector, dir string, o detector.Options) (*detector.Report, error) {
	app, err := fsOf(dir)
	if err != nil {
		if w.empty() {
			return d.Detect(ctx, dir, o) // which says what is wrong with it
		}
		return nil, err
	}
	changed, err := w.FS(app)
	if err != nil {
		return nil, fmt.Errorf("change %s: %w", dir, err)
	}
	opened, err := project.Open(ctx, changed, project.Limits{Files: maxCopiedFiles})
	if err != nil {
		return nil, err
	}
	if w.empty() && len(opened.LeftOut) == 0 {
		return d.Detect(ctx, dir, o)
	}
	var r *detector.Report
	if d.InProcess() {
		r, err = d.DetectFS(ctx, opened.Tree, o)
	} else {
		r, err = detectCopy(ctx, d, opened.Tree, o)
	}
	if r != nil {
		r.Dir = dir
	}
	return r, err
}

// detectCopy answers for a tree by way of a copy on the disk.
func detectCopy(ctx context.Context, d Detector, app fs.FS, o detector.Options) (*detector.Report, error) {
	temp, err := os.MkdirTemp("", "slipway-detect-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for a copy of the app: %w", err)
	}
	defer func() { _ = os.RemoveAll(temp) }() // it is in the way of nothing
	copied := path.Join(temp, "app")
	if err := copyTree(ctx, app, copied); err != nil {
		return nil, fmt.Errorf("copy the app: %w", err)
	}
	return d.Detect(ctx, copied, o)
}
