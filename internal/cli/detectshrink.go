package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"slipway/buildpacks/detector"
	"slipway/internal/workbench"
)

// shrinking looks for the smallest app with the same verdict.
func (d *detecting) shrinking(ctx context.Context) (ok bool, err error) {
	if d.shrinkTo != "" && len(d.dirs) > 1 {
		return false, usageError{errors.New("--shrink-to takes one directory: give one DIR")}
	}
	b, err := d.open(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	for _, dir := range d.dirs {
		meter := d.newMeter("Shrinking " + detector.Visible(dir))
		found, err := workbench.Shrink(ctx, b, dir, workbench.ShrinkConfig{
			Options: d.options, WhatIf: d.whatIf, To: d.shrinkTo,
			Progress: func(left, tried int) { meter.show(fmt.Sprintf("%d files left, %d tries", left, tried)) },
		})
		meter.clear()
		if err != nil {
			return false, err
		}
		if err := d.showShrunk(found); err != nil {
			return false, err
		}
	}
	return true, nil
}

func (d *detecting) showShrunk(s *workbench.Shrunk) error {
	if d.json {
		return json.NewEncoder(d.Stdout).Encode(struct {
			*workbench.Shrunk
			Verdict string  `json:"verdict"`
			TookMS  float64 `json:"took_ms"`
		}{s, s.Report.Verdict(), float64(s.Took.Microseconds()) / 1000})
	}
	d.printf("%s\n\n", d.paint(bold, fmt.Sprintf("=== %s: %s", detector.Visible(s.Dir), s.Report.Verdict())))
	d.printf("%d of %d files keep this verdict:\n\n", len(s.Files), s.Of)
	for _, file := range s.Files {
		d.printf("  %s\n", detector.Visible(file))
	}
	d.printf("\n%d sets of files were tried in %s\n", s.Tried, s.Took.Round(time.Millisecond))
	if s.Stopped != "" {
		d.note("The search ended early, since %s: a smaller set may exist.", s.Stopped)
	}
	if s.To != "" {
		d.printf("They are in %s\n", detector.Visible(s.To))
	}
	return nil
}
