package detector

import (
	"fmt"
	"strings"
)

// maxShown bounds what of one output is in a page.
const maxShown = 8 << 10

// groupHTML is a trial of a group below its directory.
func groupHTML(dir string, r *Report, i int) htmlGroup {
	g := &r.Groups[i]
	h := htmlGroup{
		ID: fmt.Sprintf("%s-g%d", dir, i+1), Class: groupClass(r, i), Number: g.Number,
		Hints: each(g.Hints, visible), Graph: newGraph(g),
	}
	switch h.Class {
	case "taken":
		h.State, h.Why = "taken", visible(strings.Join(g.Chosen, ", "))
	case "also":
		h.State, h.Why = "would pass too", visible(strings.Join(g.Chosen, ", "))
	default:
		h.State, h.Why = "lost", visible(g.Why)
	}
	// What decided is open: the group that is taken, else the one that came nearest.
	h.Open = i == r.Chosen || g == nearest(r)
	for n := range g.Results {
		h.Results = append(h.Results, resultHTML(resultID(dir, i, n), &g.Results[n]))
	}
	return h
}

func resultHTML(id string, res *Result) htmlResult {
	h := htmlResult{
		ID: id, Outcome: res.Outcome, Mark: mark(res.Outcome), Name: res.name(), Note: visible(res.Name), Took: resultTime(res),
		Err: visible(res.Err), Output: shownOutput(res.Output), Plan: planLines(res.Plans),
	}
	if res.Classic {
		h.Note = strings.TrimSpace(h.Note + " (classic)")
	}
	if res.Err == "" && res.Outcome == Error {
		h.Err = exitText(res)
	}
	for _, remark := range did(res) {
		h.Remarks = append(h.Remarks, remark.text)
	}
	return h
}

// shownOutput is an output as text of a page, cut where it is very long.
func shownOutput(output []byte) string {
	text := strings.Join(outputLines(output), "\n")
	if len(text) <= maxShown {
		return text
	}
	return strings.ToValidUTF8(text[:maxShown], "") + fmt.Sprintf("\n… (%d bytes more)", len(text)-maxShown)
}

// facts are what the app is and why, as the table has them.
func facts(r *Report) []htmlFact {
	var all []htmlFact
	add := func(label, value, why string) {
		all = append(all, htmlFact{label, visible(value), visible(why)})
	}
	if a := r.App; a != nil {
		if r.ours() {
			add("language", a.Language, reason(a, "language"))
			add("version", versionText(a.Version), reason(a, "version"))
			add("package manager", a.PackageManager, reason(a, "package_manager"))
			for _, proc := range a.Processes {
				add("process", proc.Type, proc.Command)
			}
			for _, w := range a.Warnings {
				add("warning", "", strings.TrimPrefix(w.Lines[0], "Warning: "))
			}
		} else {
			add("slipway says", appText(a), "")
		}
	}
	if also := alsoMatches(r); len(also) > 0 {
		add("also matches", strings.Join(also, ", "), "")
	}
	for _, e := range r.Plan {
		for _, req := range e.Requires {
			add("plan", requireText(req), "provided by "+strings.Join(e.Providers, ", "))
		}
	}
	if len(r.Files) > 0 {
		const most = 40
		text := strings.Join(r.Files[:min(most, len(r.Files))], ", ")
		if len(r.Files) > most {
			text += fmt.Sprintf(" and %d more", len(r.Files)-most)
		}
		add("files read", "", text)
	}
	if r.Sandbox.How != "" {
		add("sandbox", "", strings.TrimSpace(sandboxText(r.Sandbox.How)+" "+strings.Join(r.Sandbox.Missing, "; ")))
	}
	return all
}

// visibleLines is a text of several lines, each made visible.
func visibleLines(s string) string { return strings.Join(outputLines([]byte(s)), "\n") }

// diffWords are the lines of a unified diff, with a class each.
func diffWords(diff string) []htmlWord {
	if diff == "" {
		return nil
	}
	return each(outputLines([]byte(diff)), func(line string) htmlWord {
		switch {
		case strings.HasPrefix(line, "+"):
			return htmlWord{"add", line}
		case strings.HasPrefix(line, "-"):
			return htmlWord{"del", line}
		default:
			return htmlWord{"", line}
		}
	})
}
