package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/term"

	"slipway/buildpacks/detector"
	"slipway/internal/workbench"
)

// testing compares cases with what is expected of them.
func (d *detecting) testing(ctx context.Context) (ok bool, err error) {
	cfg := workbench.TestConfig{
		Update: d.update, Source: d.source, Given: d.given, Options: d.options, WhatIf: d.whatIf, Jobs: d.jobs,
	}
	if d.test != "" {
		cfg.Trees = []string{d.test}
	}
	if d.update {
		cfg.New = d.dirs
	} else {
		cfg.Trees = append(cfg.Trees, d.dirs...)
	}
	meter := d.newMeter("Testing")
	cfg.Progress = meter.progress
	var cases []detector.Case
	sum, err := workbench.Test(ctx, cfg, func(c workbench.Case) error {
		if d.junit != "" || d.html != "" {
			cases = append(cases, caseOf(c))
		}
		meter.clear()
		return d.showCase(c)
	})
	meter.clear()
	if errors.Is(err, workbench.ErrNoCases) {
		return false, usageError{err}
	}
	if err != nil {
		return false, err
	}
	if !d.json {
		d.printf("%s\n", testSummary(sum))
	}
	return !sum.Failed(), d.writeFiles(cases)
}

func (d *detecting) showCase(c workbench.Case) error {
	if d.json {
		return json.NewEncoder(d.Stdout).Encode(struct {
			Name    string           `json:"name"`
			Dir     string           `json:"dir"`
			File    string           `json:"file"`
			Outcome string           `json:"outcome"`
			Keys    []string         `json:"keys"` // that differ
			Diff    string           `json:"diff"`
			Error   *string          `json:"error"`
			TookMS  float64          `json:"took_ms"`
			Report  *detector.Report `json:"report"`
		}{
			c.Name, c.Dir, c.File, c.Outcome, append([]string{}, c.Keys...), c.Diff, orNil(c.Err),
			float64(c.Took.Microseconds()) / 1000, c.Report,
		})
	}
	name := detector.Visible(c.Name)
	switch c.Outcome {
	case workbench.Broken:
		d.printf("%s %s: %s\n", d.paint(red, "!"), name, detector.Visible(c.Err))
	case workbench.Differs:
		d.printf("%s %s: %s\n", d.paint(red, "✗"), name, differ(c.Keys))
		d.showDiff(c.Diff)
		for _, why := range c.Why() {
			d.printf("    %s\n", detector.Visible(why))
		}
	case workbench.Updated:
		d.printf("%s %s: %s, and the expectation is updated\n", d.paint(yellow, "↻"), name, differ(c.Keys))
		d.showDiff(c.Diff)
	case workbench.Added:
		d.printf("%s %s: wrote %s\n", d.paint(green, "+"), name, detector.Visible(c.File))
	default:
		if d.verbose {
			d.printf("%s %s\n", d.paint(green, "✓"), name)
		}
	}
	return nil
}

func differ(keys []string) string {
	if len(keys) == 1 {
		return keys[0] + " differs"
	}
	return strings.Join(keys, ", ") + " differ"
}

// showDiff shows a unified diff, with colours on a terminal.
func (d *detecting) showDiff(diff string) {
	for line := range strings.Lines(diff) {
		line = detector.Visible(strings.TrimSuffix(line, "\n"))
		var s style
		switch {
		case strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "---"):
			s = bold
		case strings.HasPrefix(line, "@@"):
			s = cyan
		case strings.HasPrefix(line, "+"):
			s = green
		case strings.HasPrefix(line, "-"):
			s = red
		}
		if s == "" {
			d.printf("    %s\n", line)
			continue
		}
		d.printf("    %s\n", d.paint(s, line))
	}
}

func testSummary(sum workbench.Summary) string {
	parts := []string{fmt.Sprintf("%d passed", sum.Passed)}
	for _, of := range []struct {
		n    int
		what string
	}{{sum.Differ, "different"}, {sum.Broken, "broken"}, {sum.Updated, "updated"}, {sum.Added, "new"}} {
		if of.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", of.n, of.what))
		}
	}
	cases := "cases"
	if sum.Cases == 1 {
		cases = "case"
	}
	return fmt.Sprintf("%d %s: %s, in %s", sum.Cases, cases, strings.Join(parts, ", "), sum.Took.Round(time.Millisecond))
}

// caseOf is a case for continuous integration.
func caseOf(c workbench.Case) detector.Case {
	to := detector.Case{Name: c.Name, Report: c.Report, Took: c.Took, Error: c.Err}
	if c.Outcome == workbench.Differs {
		to.Failure, to.Diff = differ(c.Keys), c.Diff
	}
	return to
}

// A meter shows on a terminal how far something has come. It is for one
// goroutine.
type meter struct {
	*detecting
	what  string
	quiet bool
	last  time.Time
	shown bool
}

func (d *detecting) newMeter(what string) *meter {
	return &meter{detecting: d, what: what, last: time.Now(), quiet: d.Term == "dumb" || !term.IsTerminal(descriptor(d.Stderr))}
}

// progress shows a count, a few times in a second.
func (m *meter) progress(done, total int) {
	m.show(fmt.Sprintf("%d of %d", done, total))
}

func (m *meter) show(text string) {
	if m.quiet || time.Since(m.last) < turn {
		return
	}
	m.last, m.shown = time.Now(), true
	fmt.Fprintf(m.Stderr, "\r\x1b[2K%s... %s", m.what, text)
}

// clear takes the line away again.
func (m *meter) clear() {
	if m.shown {
		m.shown = false
		fmt.Fprint(m.Stderr, "\r\x1b[2K")
	}
}

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
