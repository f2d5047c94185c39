package workbench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"slipway/buildpacks/detector"
)

// TestConfig says which cases to test. Trees or New is required.
type TestConfig struct {
	// Trees are directories; each directory at or below them with an expectation
	// is a case.
	Trees []string
	// New are apps of which each is a case; with Update, one without an
	// expectation gets one.
	New []string
	// Update writes what was detected into expectations that differ.
	Update bool

	// Source is what cases are detected with that name nothing themselves, and
	// all of them where Given.
	Source detector.Source
	Given  bool
	// Open opens a source; [OpenBuilder] if nil.
	Open Opener

	Options detector.Options
	WhatIf  *WhatIf // as if each case's app were changed so; may be nil
	Jobs    int     // cases at once; the number of CPUs if zero

	// Progress is told how many cases of how many are done, from one goroutine;
	// may be nil.
	Progress func(done, total int)
}

// Outcomes of a case.
const (
	Passed  = "passed"
	Differs = "differs" // from what is expected
	Broken  = "broken"  // it could not be tested
	Updated = "updated" // it differed, and the expectation was rewritten
	Added   = "added"   // it had no expectation, and has one now
)

// A Case is the outcome of one case.
type Case struct {
	Name    string // its directory, as it was found
	Dir     string // of the app
	File    string // with the expectation
	Outcome string
	Keys    []string // that differ
	Diff    string   // a unified diff from what is expected to what is detected
	Err     string   // why it is broken, with what to do
	Took    time.Duration
	Report  *detector.Report // nil where it is broken
}

// Why says why nothing was detected, a line each: what ended detection, why each
// group lost, and what would mend it. It is nil where a group passed.
func (c Case) Why() []string {
	if c.Report == nil || c.Report.Passed() {
		return nil
	}
	var lines []string
	if c.Report.Err != "" {
		lines = append(lines, c.Report.Err)
	}
	for _, g := range c.Report.Groups {
		if g.Why != "" {
			lines = append(lines, fmt.Sprintf("group %d lost: %s", g.Number, g.Why))
		}
		lines = append(lines, g.Hints...)
	}
	return lines
}

// Failed tells whether the case is against the tree.
func (c Case) Failed() bool { return c.Outcome == Differs || c.Outcome == Broken }

// A Summary counts cases.
type Summary struct {
	Cases, Passed, Differ, Broken, Updated, Added int
	Took                                          time.Duration
}

// Failed tells whether a case failed.
func (s Summary) Failed() bool { return s.Differ+s.Broken > 0 }

func (s *Summary) count(outcome string) {
	s.Cases++
	switch outcome {
	case Passed:
		s.Passed++
	case Differs:
		s.Differ++
	case Broken:
		s.Broken++
	case Updated:
		s.Updated++
	case Added:
		s.Added++
	}
}

// Test detects in the app of every case and compares it with its expectation. It
// calls each with the outcomes one by one, in the order of the cases' names in
// each tree. A case that is broken is an outcome; the others still run. The error
// is ErrNoCases, that of each, or about a tree, the source or ctx.
func Test(ctx context.Context, cfg TestConfig, each func(Case) error) (Summary, error) {
	start := time.Now()
	var sum Summary
	cases, err := cfg.find(ctx)
	if err != nil {
		return sum, err
	}
	open := newOpened(cfg.Open)
	defer func() { _ = open.close() }() // again, for an early end
	cfg.Options = shared(cfg.Options, len(cases))
	err = inOrder(ctx, len(cases), cfg.Jobs, func(ctx context.Context, i int) Case {
		return cfg.run(ctx, open, cases[i])
	}, func(c Case) error {
		sum.count(c.Outcome)
		if cfg.Progress != nil {
			cfg.Progress(sum.Cases, len(cases))
		}
		return each(c)
	})
	sum.Took = time.Since(start)
	return sum, errors.Join(err, open.close())
}

func (cfg TestConfig) find(ctx context.Context) ([]found, error) {
	var cases []found
	for _, tree := range cfg.Trees {
		below, err := find(ctx, tree)
		if err != nil {
			return nil, err
		}
		if len(below) == 0 {
			return nil, fmt.Errorf("%w in %s: make one with slipway detect --update DIR, which writes DIR/%s", ErrNoCases, tree, ExpectationFile)
		}
		cases = append(cases, below...)
	}
	for _, dir := range cfg.New {
		c, ok := caseAt(dir)
		if !ok {
			c = found{app: dir, file: filepath.Join(dir, ExpectationFile)}
		}
		c.name = filepath.ToSlash(dir)
		cases = append(cases, c)
	}
	return cases, nil
}

// run tests one case.
func (cfg TestConfig) run(ctx context.Context, open *opened, f found) Case {
	c := Case{Name: f.name, Dir: f.app, File: f.file, Outcome: Passed}
	if err := cfg.judge(ctx, open, f, &c); err != nil {
		c.Outcome, c.Err = Broken, err.Error()
	}
	return c
}

func (cfg TestConfig) judge(ctx context.Context, open *opened, f found, c *Case) error {
	if f.err != nil {
		return f.err
	}
	e, isNew, err := cfg.expectation(f)
	if err != nil {
		return err
	}
	s := e.source(cfg.Source, cfg.Given)
	d, err := open.get(ctx, s)
	if err != nil {
		return err
	}
	o := cfg.Options
	o.Env = merge(e.env, o.Env)
	what := cfg.WhatIf
	if e.own && !isNew {
		what = what.hiding(ExpectationFile)
	}
	start := time.Now()
	c.Report, err = what.detect(ctx, d, f.app, o)
	c.Took = time.Since(start)
	if err != nil {
		return err
	}
	got, err := answersOf(c.Report)
	if err != nil {
		return err
	}
	if isNew {
		c.Outcome = Added
		return errors.Join(e.set(newKeys(s), got.short()), e.save())
	}
	return cfg.compare(e, got, c)
}

// expectation reads that of a case, or begins one.
func (cfg TestConfig) expectation(f found) (e *expectation, isNew bool, err error) {
	e, err = readExpectation(f.file)
	if !errors.Is(err, os.ErrNotExist) {
		return e, false, err
	}
	if !cfg.Update {
		return nil, false, fmt.Errorf("%w: write them with slipway detect --update %s", ErrNoCases, f.app)
	}
	if _, err := fsOf(f.app); err != nil {
		return nil, false, err
	}
	return newExpectation(f.file), true, nil
}

func (cfg TestConfig) compare(e *expectation, got answers, c *Case) error {
	different, shaped, err := e.compare(got)
	if err != nil || len(different) == 0 {
		return err
	}
	c.Outcome, c.Keys = Differs, different
	if c.Diff, err = e.diff(shaped); err != nil || !cfg.Update {
		return err
	}
	c.Outcome = Updated
	return errors.Join(e.set(different, shaped), e.save())
}

// newKeys are the keys of a new expectation: Slipway's own answer says nothing
// about buildpacks that somebody else brings.
func newKeys(s detector.Source) []string {
	switch {
	case len(s.Buildpacks) > 0:
		return buildpackKeys
	default:
		return slices.Concat(appKeys, buildpackKeys)
	}
}

// short is a without the versions of buildpacks.
func (a answers) short() answers {
	for _, key := range []string{"group", "plan"} {
		a[key] = like(key, a[key], nil)
	}
	return a
}

// merge is env with the variables of over, which win.
func merge(env, over map[string]string) map[string]string {
	if len(env) == 0 {
		return over
	}
	all := maps.Clone(env)
	maps.Copy(all, over)
	return all
}
