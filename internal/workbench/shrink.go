package workbench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"slipway/buildpacks/detector"
)

// ShrinkConfig bounds the search for a smaller app. The zero value is usable.
type ShrinkConfig struct {
	Options detector.Options
	WhatIf  *WhatIf
	Runs    int           // detections at most; 2000 if zero
	Time    time.Duration // for all of them; 2m if zero
	// Progress is told how many files are left, and how often was tried; may be nil.
	Progress func(left, tried int)
	// To is a directory that the result is written to, which must not exist yet or
	// be empty; nowhere if "".
	To string
}

// Shrunk is the smallest set of files found that keeps a verdict.
type Shrunk struct {
	Dir   string   `json:"dir"`
	Files []string `json:"files"` // sorted; an empty directory ends with a slash
	Of    int      `json:"of"`    // how many files the app has
	// Tried counts detections, Remembered sets that had been tried before.
	Tried      int `json:"tried"`
	Remembered int `json:"remembered"`
	// Stopped is why the search ended before it was done: a smaller set may exist.
	Stopped string           `json:"stopped,omitempty"`
	To      string           `json:"to,omitempty"`
	Took    time.Duration    `json:"-"`
	Report  *detector.Report `json:"-"` // on the whole app
}

// verdictKeys are the answers that a smaller app must give too.
var verdictKeys = []string{
	"language", "package_manager", "version_requested", "version_origin", "version_resolved",
	"error", "group", "plan", "exit_code",
}

// Shrink searches for the smallest set of the app's files that is detected in the
// same way: it leaves out directories, then files, by halves and smaller parts
// (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input",
// 2002), until none can be left out alone. It leaves files out as a whole, and
// never shortens one. Where it is out of Runs or Time, or ctx is done, the result
// is the smallest set so far.
func Shrink(ctx context.Context, d Detector, dir string, cfg ShrinkConfig) (*Shrunk, error) {
	start := time.Now()
	if cfg.Runs == 0 {
		cfg.Runs = 2000
	}
	if cfg.Time == 0 {
		cfg.Time = 2 * time.Minute
	}
	if err := mayWrite(cfg.To); err != nil {
		return nil, err
	}
	app, err := shrinkable(dir, cfg.WhatIf)
	if err != nil {
		return nil, err
	}
	units, err := unitsOf(ctx, app)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	t, err := newTrials(ctx, d, app, units, cfg.Options)
	if err != nil {
		return nil, err
	}
	defer t.close()
	s := &shrinker{cfg: cfg, trials: t, units: units, memo: make(map[set]bool), late: start.Add(cfg.Time)}
	kept, err := s.search(ctx)
	if err != nil {
		return nil, err
	}
	out := &Shrunk{
		Dir: dir, Files: names(units, kept), Of: len(units), Tried: s.tried, Remembered: s.remembered,
		Stopped: s.stopped, Took: time.Since(start), Report: s.report,
	}
	out.Report.Dir = dir
	if cfg.To != "" {
		out.To = cfg.To
		if err := os.Remove(cfg.To); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err // it is empty no more
		}
		if err := copyTree(context.WithoutCancel(ctx), subset(app, units, kept), cfg.To); err != nil {
			return nil, fmt.Errorf("write the smaller app: %w", err)
		}
	}
	return out, nil
}

// shrinkable is the app, without the expectation in it.
func shrinkable(dir string, what *WhatIf) (fs.FS, error) {
	app, err := fsOf(dir)
	if err != nil {
		return nil, err
	}
	if exists(filepath.Join(dir, ExpectationFile)) {
		what = what.hiding(ExpectationFile)
	}
	return what.FS(app)
}

// mayWrite tells whether a directory is free to be written.
func mayWrite(dir string) error {
	if dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		_, err = os.Stat(filepath.Dir(dir))
		return err
	}
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s is not empty: name a new directory", dir)
	}
	return err
}

// A shrinker looks for a smaller set of units with the verdict.
type shrinker struct {
	cfg     ShrinkConfig
	trials  trials
	units   []string
	verdict answers
	report  *detector.Report
	late    time.Time

	memo              map[set]bool
	tried, remembered int
	stopped           string
}

// search goes from directories down to files.
func (s *shrinker) search(ctx context.Context) ([]bool, error) {
	kept := make([]bool, len(s.units))
	for i := range kept {
		kept[i] = true
	}
	if err := s.first(ctx, kept); err != nil {
		return nil, err
	}
	for depth := 1; s.stopped == ""; depth++ {
		parts, last := groups(s.units, kept, depth)
		least, err := ddmin(parts, func(parts [][]int) (bool, error) {
			return s.same(ctx, only(len(s.units), parts))
		})
		kept = only(len(s.units), least)
		if err != nil {
			return kept, err
		}
		if last {
			break
		}
	}
	return kept, nil
}

// first detects in the whole app, twice.
func (s *shrinker) first(ctx context.Context, kept []bool) error {
	var err error
	if s.report, err = s.trials.detect(ctx, kept); err != nil {
		return err
	}
	if s.verdict, err = verdictOf(s.report); err != nil {
		return err
	}
	s.tried = 1
	same, err := s.same(ctx, kept)
	if err == nil && !same && s.stopped == "" {
		err = fmt.Errorf("%w: slipway detect --lint tells more", ErrUnstable)
	}
	return err
}

// same tells whether some of the files have the verdict. Out of time or runs it
// says no, which ends the search with what there is.
func (s *shrinker) same(ctx context.Context, kept []bool) (bool, error) {
	key := setOf(kept)
	if same, ok := s.memo[key]; ok {
		s.remembered++
		return same, nil
	}
	if s.over(ctx) {
		return false, nil
	}
	s.tried++
	r, err := s.trials.detect(ctx, kept)
	if err != nil {
		if ctx.Err() != nil && s.over(ctx) {
			err = nil // an interrupted search has a result
		}
		return false, err
	}
	verdict, err := verdictOf(r)
	if err != nil {
		return false, err
	}
	same := reflect.DeepEqual(verdict, s.verdict)
	s.memo[key] = same
	if s.cfg.Progress != nil {
		s.cfg.Progress(count(kept), s.tried)
	}
	return same, nil
}

// over tells whether to end, and keeps why.
func (s *shrinker) over(ctx context.Context) bool {
	switch {
	case s.stopped != "":
	case ctx.Err() != nil:
		s.stopped = "it was interrupted"
	case s.tried >= s.cfg.Runs:
		s.stopped = fmt.Sprintf("%d detections were tried", s.tried)
	case time.Now().After(s.late):
		s.stopped = fmt.Sprintf("%s are over", s.cfg.Time)
	}
	return s.stopped != ""
}

func verdictOf(r *detector.Report) (answers, error) {
	all, err := answersOf(r)
	if err != nil {
		return nil, err
	}
	verdict := answers{}
	for _, key := range verdictKeys {
		verdict[key] = all[key]
	}
	return verdict, nil
}

// groups puts the kept units together by the first depth elements of their names.
// last tells that each is alone.
func groups(units []string, kept []bool, depth int) (parts [][]int, last bool) {
	at := make(map[string]int)
	last = true
	for i, unit := range units {
		if !kept[i] {
			continue
		}
		elements := strings.SplitN(strings.TrimSuffix(unit, "/"), "/", depth+1)
		if len(elements) > depth {
			elements, last = elements[:depth], false
		}
		key := strings.Join(elements, "/")
		n, ok := at[key]
		if !ok {
			n = len(parts)
			at[key] = n
			parts = append(parts, nil)
		}
		parts[n] = append(parts[n], i)
	}
	return parts, last
}

// only keeps the units in parts.
func only(n int, parts [][]int) []bool {
	kept := make([]bool, n)
	for _, part := range parts {
		for _, i := range part {
			kept[i] = true
		}
	}
	return kept
}
