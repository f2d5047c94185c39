package buildpacks

import (
	"context"
	"errors"
	"io/fs"
	"slices"
)

// Detect says what the app in fsys is. The error, if the app cannot be built,
// is a [*DetectError] with words for the person who pushed; the plan is
// returned with it as far as it got. Any other error is about fsys or ctx.
//
// It reads the root listing and at most a megabyte of each file that decides
// (16 of Pipfile.lock).
func Detect(ctx context.Context, fsys fs.FS, o Options) (*Plan, error) {
	return detect(ctx, fsys, o, (*detector).detect)
}

// DetectAs says what the app in fsys is to the buildpack of one language, which
// need not be the app's own: Node.js for the assets of a Python app, say. The
// Procfile is left out. Otherwise it is as [Detect].
func DetectAs(ctx context.Context, fsys fs.FS, language string, o Options) (*Plan, error) {
	return detect(ctx, fsys, o, func(d *detector) error {
		d.plan.Language = language
		return d.details()
	})
}

func detect(ctx context.Context, fsys fs.FS, o Options, fill func(*detector) error) (*Plan, error) {
	t, err := openTree(ctx, fsys)
	if err != nil {
		return nil, err
	}
	d := &detector{tree: t, options: o, plan: &Plan{}}
	err = fill(d)
	d.plan.Files = t.read
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if bad, ok := errors.AsType[*DetectError](err); ok {
		d.plan.Error = bad
		return d.plan, bad
	}
	if d.plan.Unavailable != nil {
		return d.plan, d.plan.Unavailable
	}
	return d.plan, err
}

// A detector fills one plan from one tree.
type detector struct {
	tree    *tree
	options Options
	plan    *Plan
}

func (d *detector) detect() error {
	found := d.matches()
	procfileErr := d.procfile()
	switch {
	case len(found) == 0 && len(d.plan.Processes) > 0:
		return procfileErr // a Procfile alone: the app is what it starts
	case len(found) == 0 && procfileErr != nil:
		return procfileErr // it would be one, were it right
	case len(found) == 0:
		return d.unknown()
	case d.options.Language == NoLanguage && len(d.plan.Processes) > 0:
		d.plan.AlsoMatches = found
		return procfileErr
	}
	d.choose(found)
	d.plan.Language = found[0].Language
	d.because("language", found[0].Language, found[0].File, 0, foundIn(found[0].File))
	d.plan.AlsoMatches = found[1:]
	if err := d.details(); err != nil {
		return err
	}
	return procfileErr
}

// choose puts the language that was chosen first, if it is among those found.
func (d *detector) choose(found []Match) {
	i := slices.IndexFunc(found, func(m Match) bool { return m.Language == d.options.Language })
	if i <= 0 {
		return
	}
	chosen := found[i]
	copy(found[1:i+1], found[:i])
	found[0] = chosen
	d.because("language", chosen.Language, "", 0, "chosen by its buildpack")
}

func (d *detector) details() error {
	switch d.plan.Language {
	case python:
		return d.python()
	case nodejs:
		return d.nodejs()
	case golang:
		return d.golang()
	default:
		d.manager()
		return nil
	}
}

func (d *detector) because(subject, value, file string, line int, text string) {
	d.plan.Reasons = append(d.plan.Reasons, Reason{Subject: subject, Value: value, Text: text, File: file, Line: line})
}

func (d *detector) warn(id, format string, args ...any) {
	d.plan.Warnings = append(d.plan.Warnings, Warning{ID: id, Lines: lines(format, args...)})
}

func (d *detector) procfile() error {
	if d.tree.root[procfileName] == nil {
		return nil
	}
	d.plan.HasProcfile = true
	if !d.tree.isFile(procfileName) {
		d.warn(procfileUnreadable, procfileUnreadableText, d.tree.kind(procfileName))
		return nil
	}
	data, err := d.tree.content(procfileName, maxFile)
	if err != nil {
		return err
	}
	parsed, err := ParseProcfile(data)
	if err != nil {
		return err
	}
	d.plan.Processes = parsed.Processes
	d.plan.Warnings = append(d.plan.Warnings, parsed.Warnings...)
	for _, proc := range parsed.Processes {
		d.because("processes", proc.Type, procfileName, proc.Line, "declared on "+at(procfileName, proc.Line))
	}
	return nil
}
