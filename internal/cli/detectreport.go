package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/term"

	"slipway/buildpacks/detector"
	"slipway/internal/workbench"
)

// reporting detects in each directory and shows what it finds, in order and as it
// comes.
func (d *detecting) reporting(ctx context.Context) (ok bool, err error) {
	b, err := d.open(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	cfg := workbench.Config{Detector: b, Options: d.options, WhatIf: d.whatIf, Jobs: d.jobs}
	started := time.Now()
	ok = true
	out := outcomes{detecting: d, total: len(d.dirs)}
	err = workbench.Run(ctx, cfg, d.dirs, func(res workbench.Result) error {
		one, err := d.examine(ctx, cfg, res)
		if err != nil {
			return err
		}
		ok = ok && one.ok()
		return out.show(one)
	})
	if err != nil {
		return false, err
	}
	out.sum(time.Since(started))
	return ok, d.writeFiles(out.cases)
}

// An examined directory is a report with what lint says of it.
type examined struct {
	*detector.Report
	remarks []workbench.Remark
	lint    bool // remarks count
}

// examine lints what was detected, for which --lint detects again.
func (d *detecting) examine(ctx context.Context, cfg workbench.Config, res workbench.Result) (examined, error) {
	r := res.Report
	if r == nil {
		r = &detector.Report{Dir: res.Dir, Builder: d.builder, Chosen: -1, ExitCode: 1}
	}
	if res.Err != nil {
		r.Err = res.Err.Error()
	}
	one := examined{Report: r, lint: d.lint}
	for _, name := range d.whatIf.Missing(res.Dir) {
		d.note("%s has no %s to go without", detector.Visible(res.Dir), detector.Visible(name))
	}
	if r.Err != "" {
		return one, nil
	}
	var again *detector.Report
	if d.lint {
		err := workbench.Run(ctx, cfg, []string{res.Dir}, func(second workbench.Result) error {
			again = second.Report
			return nil
		})
		if err != nil {
			return one, err
		}
		for _, dir := range d.buildpacks {
			if info, err := os.Stat(dir); err == nil && info.IsDir() {
				one.remarks = append(one.remarks, workbench.LintBuildpack(dir)...)
			}
		}
	}
	one.remarks = append(one.remarks, workbench.Lint(r, again, workbench.LintConfig{Slow: d.slow})...)
	return one, nil
}

// ok tells whether the directory is as it should be.
func (e examined) ok() bool { return e.OK() && e.wrong() == 0 }

// wrong counts what lint fails on.
func (e examined) wrong() int {
	n := 0
	for _, r := range e.remarks {
		if e.lint && r.Severity == workbench.Wrong {
			n++
		}
	}
	return n
}

// MarshalJSON is the report, with the remarks.
func (e examined) MarshalJSON() ([]byte, error) {
	report, err := json.Marshal(e.Report)
	if err != nil {
		return nil, err
	}
	remarks, err := json.Marshal(append([]workbench.Remark{}, e.remarks...))
	if err != nil {
		return nil, err
	}
	report = append(report[:len(report)-1], `,"remarks":`...)
	return append(append(report, remarks...), '}'), nil
}

// asCase is the directory as a test.
func (e examined) asCase() detector.Case {
	c := detector.CaseOf(e.Report)
	if n := e.wrong(); n > 0 && c.Failure == "" && c.Error == "" {
		c.Failure = fmt.Sprintf("lint: %s", e.remarks[0].Text)
		for _, r := range e.remarks {
			if r.Severity == workbench.Wrong {
				c.Failure = "lint: " + r.Text
				break
			}
		}
	}
	for _, r := range e.remarks {
		c.Notes = append(c.Notes, remarkText(r))
	}
	return c
}

func remarkText(r workbench.Remark) string {
	text := r.Severity + ": "
	if r.Buildpack != "" {
		text += r.Buildpack + ": "
	}
	if r.Place != "" {
		text += r.Place + ": "
	}
	text += r.Text
	if r.Do != "" {
		text += ": " + r.Do
	}
	return detector.Visible(text + " (" + r.ID + ")")
}

// outcomes shows directories one after another.
type outcomes struct {
	*detecting
	total, shown, good int
	cases              []detector.Case // for files that are written at the end
}

func (o *outcomes) show(e examined) error {
	o.shown++
	if e.ok() {
		o.good++
	}
	if o.junit != "" || o.html != "" {
		o.cases = append(o.cases, e.asCase())
	}
	switch {
	case o.json:
		return json.NewEncoder(o.Stdout).Encode(e)
	case o.total > 1 && !o.verbose:
		if err := detector.WriteLine(o.Stdout, e.Report, o.look()); err != nil {
			return err
		}
	default:
		if o.shown > 1 {
			o.printf("\n")
		}
		if err := detector.WriteTable(o.Stdout, e.Report, o.look()); err != nil {
			return err
		}
	}
	if o.total > 1 && !o.verbose && !o.lint {
		return nil
	}
	for _, r := range e.remarks {
		style := map[string]style{workbench.Wrong: red, workbench.Suspect: yellow}[r.Severity]
		o.printf("%s\n", o.paint(style, remarkText(r)))
	}
	return nil
}

// sum ends a list of several directories.
func (o *outcomes) sum(took time.Duration) {
	if o.json || o.total < 2 {
		return
	}
	o.printf("\n%d directories: %d detected, %d not, in %s\n", o.total, o.good, o.total-o.good, took.Round(100*time.Microsecond))
	if o.good < o.total && !o.verbose {
		o.note("slipway detect DIR says why, and -v for all of them.")
	}
}

// look is how this terminal shows reports.
func (d *detecting) look() detector.Look {
	look := detector.Look{Color: d.colors(d.Stdout), Verbose: d.verbose}
	if columns, _, err := term.GetSize(descriptor(d.Stdout)); err == nil {
		look.Width = columns
	}
	return look
}

// writeFiles writes what --junit and --html ask for.
func (d *detecting) writeFiles(cases []detector.Case) error {
	if d.junit != "" {
		err := writeWhole(d.junit, func(w io.Writer) error { return detector.WriteJUnit(w, d.heading, cases) })
		if err != nil {
			return fmt.Errorf("write --junit: %w", err)
		}
	}
	if d.html != "" {
		err := writeWhole(d.html, func(w io.Writer) error { return detector.WriteHTML(w, d.heading, cases) })
		if err != nil {
			return fmt.Errorf("write --html: %w", err)
		}
	}
	return nil
}

// writeWhole writes a file that others see whole or not at all; what is no plain
// file, such as /dev/stdout, as it comes.
func writeWhole(path string, write func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(f), f.Close())
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	const readable = 0o644 // as a file that a program makes usually is
	err = errors.Join(write(f), f.Chmod(readable), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
