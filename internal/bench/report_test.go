//go:build bench

package bench

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
)

var (
	out    = flag.String("o", "", "write the rows to this file, as JSON")
	rounds = flag.Int("rounds", 9, "how often each thing is done")
	source = flag.String("repo", "", "the large history: a bare repository; a generated one if empty")
)

// A row compares one figure. Less is better in all of them.
type row struct {
	Name  string   `json:"name"`
	Ours  float64  `json:"ours"`
	Peer  *float64 `json:"peer"` // null if there is none
	Unit  string   `json:"unit"`
	Ratio *float64 `json:"ratio"` // null if the goal is a figure and not a ratio
	Goal  *float64 `json:"goal"`  // the most that Ratio may be, or Ours where there is no ratio; null if none was set
	Met   *bool    `json:"met"`
	Error string   `json:"error,omitempty"` // why there are no figures
}

// against makes the row of a comparison; goal 0 is none.
func against(name string, ours, peer float64, unit string, goal float64) row {
	ratio := ours / peer
	r := row{Name: name, Ours: ours, Peer: &peer, Unit: unit, Ratio: &ratio}
	if goal > 0 {
		met := ratio <= goal
		r.Goal, r.Met = &goal, &met
	}
	return r
}

// atMost makes the row of a figure without a peer.
func atMost(name string, ours float64, unit string, goal float64) row {
	met := ours <= goal
	return row{Name: name, Ours: ours, Unit: unit, Goal: &goal, Met: &met}
}

func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// all are the rows of every comparison so far.
var all []row

// report prints the table of one test, and writes the file with those before it.
func report(t *testing.T, rows []row) {
	t.Helper()
	all = append(all, rows...)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "WHAT\tOURS\tPEER\tUNIT\tRATIO\tGOAL\tMET")
	for _, r := range rows {
		if r.Error != "" {
			line, _, _ := strings.Cut(r.Error, "\n")
			fmt.Fprintf(w, "%s\tfailed: %s\n", r.Name, line)
			continue
		}
		fmt.Fprintf(w, "%s\t%.3f\t%s\t%s\t%s\t%s\t%s\n", r.Name, r.Ours, number(r.Peer), r.Unit, number(r.Ratio), number(r.Goal), yes(r.Met))
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if *out == "" {
		return
	}
	raw, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(*out, append(raw, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

func number(f *float64) string {
	if f == nil {
		return "-"
	}
	return fmt.Sprintf("%.3f", *f)
}

func yes(b *bool) string {
	switch {
	case b == nil:
		return "-"
	case *b:
		return "yes"
	}
	return "no"
}
