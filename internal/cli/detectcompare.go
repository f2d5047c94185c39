package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"slipway/buildpacks/detector"
	"slipway/internal/workbench"
)

// comparing shows which apps two builders answer differently.
func (d *detecting) comparing(ctx context.Context) (ok bool, err error) {
	a, b := d.source, d.source
	a.Builder, b.Builder = d.compare.first, d.second
	meter := d.newMeter("Comparing")
	cfg := workbench.CompareConfig{
		A: a, B: b, Dirs: d.dirs, Options: d.options, WhatIf: d.whatIf, Jobs: d.jobs, Progress: meter.progress,
	}
	if d.test != "" {
		cfg.Trees = []string{d.test}
	}
	sum, err := workbench.Compare(ctx, cfg, func(c workbench.Change) error {
		meter.clear()
		return d.showChange(c)
	})
	meter.clear()
	if err != nil {
		return false, err
	}
	if !d.json {
		d.printf("%d of %d apps change from %s to %s%s\n", sum.Changed, sum.Cases,
			detector.Visible(sum.A), detector.Visible(sum.B), brokenText(sum.Broken))
	}
	return !sum.Differ(), nil
}

func brokenText(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %d could not be compared", n)
}

func (d *detecting) showChange(c workbench.Change) error {
	name := detector.Visible(c.Name)
	switch {
	case d.json:
		return json.NewEncoder(d.Stdout).Encode(c)
	case c.Err != "":
		d.printf("%s %s: %s\n", d.paint(red, "!"), name, detector.Visible(c.Err))
	case c.Changed:
		d.printf("%s %s: %s\n", d.paint(yellow, "≠"), name, differ(c.Keys))
		d.showDiff(c.Diff)
	case d.verbose:
		d.printf("%s %s\n", d.paint(green, "="), name)
	}
	return nil
}
