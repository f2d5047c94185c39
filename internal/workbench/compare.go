package workbench

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"

	"slipway/buildpacks/detector"
)

// CompareConfig says which builders to compare, over what. Trees or Dirs is
// required.
type CompareConfig struct {
	A, B  detector.Source
	Trees []string // each case below them, whatever it expects
	Dirs  []string // apps
	Open  Opener   // OpenBuilder if nil

	Options  detector.Options
	WhatIf   *WhatIf
	Jobs     int
	Progress func(done, total int)
}

// A Change is an app, and how two builders answer for it.
type Change struct {
	Name    string           `json:"name"`
	Dir     string           `json:"dir"`
	Changed bool             `json:"changed"`
	Keys    []string         `json:"keys"`            // that differ
	Diff    string           `json:"diff,omitempty"`  // from A to B
	Err     string           `json:"error,omitempty"` // why they could not be compared
	A       *detector.Report `json:"-"`
	B       *detector.Report `json:"-"`
}

// A Comparison counts changes.
type Comparison struct {
	A       string `json:"a"`
	B       string `json:"b"`
	Cases   int    `json:"cases"`
	Changed int    `json:"changed"`
	Broken  int    `json:"broken"`
}

// Differ tells whether a case changes, or could not be compared.
func (c Comparison) Differ() bool { return c.Changed+c.Broken > 0 }

// Compare detects in each app with both builders and calls each with the outcomes,
// in order, those without a change too. Versions of buildpacks are not compared:
// two builders differ in most.
func Compare(ctx context.Context, cfg CompareConfig, each func(Change) error) (Comparison, error) {
	sum := Comparison{A: sourceName(cfg.A), B: sourceName(cfg.B)}
	cases, err := TestConfig{Trees: cfg.Trees, New: cfg.Dirs}.find(ctx)
	if err != nil {
		return sum, err
	}
	open := newOpened(cfg.Open)
	defer func() { _ = open.close() }() // again, for an early end
	var both [2]Detector
	for i, s := range []detector.Source{cfg.A, cfg.B} {
		if both[i], err = open.get(ctx, s); err != nil {
			return sum, err
		}
	}
	cfg.Options = shared(cfg.Options, len(cases))
	err = inOrder(ctx, len(cases), cfg.Jobs, func(ctx context.Context, i int) Change {
		c := Change{Name: cases[i].name, Dir: cases[i].app, Keys: []string{}}
		if err := cfg.compare(ctx, both, cases[i], &c); err != nil {
			c.Err = err.Error()
		}
		return c
	}, func(c Change) error {
		sum.Cases++
		if c.Err != "" {
			sum.Broken++
		} else if c.Changed {
			sum.Changed++
		}
		if cfg.Progress != nil {
			cfg.Progress(sum.Cases, len(cases))
		}
		return each(c)
	})
	return sum, errors.Join(err, open.close())
}

func (cfg CompareConfig) compare(ctx context.Context, both [2]Detector, f found, c *Change) error {
	if f.err != nil {
		return f.err
	}
	what, o := cfg.WhatIf, cfg.Options
	if exists(f.file) {
		e, err := readExpectation(f.file)
		if err != nil {
			return err
		}
		o.Env = merge(e.env, o.Env)
		if e.own {
			what = what.hiding(ExpectationFile)
		}
	}
	var got [2]answers
	for i, d := range both {
		r, err := what.detect(ctx, d, f.app, o)
		if err != nil {
			return err
		}
		if i == 0 {
			c.A = r
		} else {
			c.B = r
		}
		if got[i], err = answersOf(r); err != nil {
			return err
		}
		got[i] = got[i].short()
	}
	for _, key := range answerKeys {
		if !reflect.DeepEqual(got[0][key], got[1][key]) {
			c.Keys = append(c.Keys, key)
		}
	}
	if c.Changed = len(c.Keys) > 0; !c.Changed {
		return nil
	}
	var err error
	c.Diff, err = diffAnswers(c.Keys, sourceName(cfg.A), got[0], sourceName(cfg.B), got[1])
	return err
}

// sourceName is a source as a person named it.
func sourceName(s detector.Source) string {
	names := slices.Clone(s.Buildpacks)
	if s.Builder != "" || len(names) == 0 {
		name := s.Builder
		if name == "" {
			name = "bundled"
		}
		names = slices.Insert(names, 0, name)
	}
	return strings.Join(names, " + ")
}
