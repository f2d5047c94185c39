package detector

import (
	"fmt"
	"strings"
)

// The columns of the table of groups.
const (
	groupWidth  = 7
	answerWidth = 9
	timeWidth   = 9
)

// groups shows each trial of a group: a line for each of its buildpacks, and how
// it ended.
func (p *page) groups(r *Report) {
	if len(r.Groups) == 0 {
		return
	}
	names := p.nameWidth(r)
	wide := p.width()-groupWidth-names-answerWidth-timeWidth >= 20
	if wide {
		p.line(p.paint(bold, pad("GROUP", groupWidth)+pad("BUILDPACK", names)+pad("ANSWER", answerWidth)+pad("TIME", timeWidth)+"OUTPUT"))
		p.line(strings.Repeat("─", p.width()))
	}
	also := false
	for i := range r.Groups {
		g := &r.Groups[i]
		if g.Also && !also {
			also = true
			p.hang("", 0, faint, "The rest was tried only to tell what else matches:")
		}
		for n := range g.Results {
			if wide {
				p.row(g, n, names)
			} else {
				p.stacked(g, n)
			}
		}
		p.end(r, i)
	}
	p.line()
}

// nameWidth is how wide the column of buildpacks is.
func (p *page) nameWidth(r *Report) int {
	const least, most = 14, 44
	widest := least
	for i := range r.Groups {
		for n := range r.Groups[i].Results {
			widest = max(widest, columns(r.Groups[i].Results[n].name())+2)
		}
	}
	return min(widest, most, max(least, p.width()*2/5))
}

// row shows one answer in the columns of a wide terminal.
func (p *page) row(g *Group, n, names int) {
	res := &g.Results[n]
	number := ""
	if n == 0 {
		number = fmt.Sprint(g.Number)
	}
	first := pad(number, groupWidth) + pad(fit(res.name(), names-2), names) +
		p.paint(outcomeStyle(res.Outcome), pad(mark(res.Outcome)+" "+res.Outcome, answerWidth)) + pad(resultTime(res), timeWidth)
	indent := groupWidth + names + answerWidth + timeWidth
	said := p.said(res)
	if len(said) == 0 {
		p.line(first)
		return
	}
	for _, s := range said {
		p.remark(first, indent, s)
		first = strings.Repeat(" ", indent)
	}
}

// stacked shows one answer where columns do not fit.
func (p *page) stacked(g *Group, n int) {
	res := &g.Results[n]
	if n == 0 {
		p.line(p.paint(bold, fmt.Sprintf("group %d", g.Number)))
	}
	answer := mark(res.Outcome) + " " + res.Outcome
	taken := resultTime(res)
	p.line("  ", p.paint(outcomeStyle(res.Outcome), pad(answer, 7)), " ", fit(res.name(), p.width()-len(taken)-11), " ", taken)
	for _, s := range p.said(res) {
		p.remark("    ", 4, s)
	}
}

func (p *page) remark(first string, indent int, r remark) {
	if r.style == verbatim {
		p.line(first, r.text)
		return
	}
	p.hang(first, indent, r.style, r.text)
}

func resultTime(res *Result) string {
	if res.Reused {
		return "(before)"
	}
	if res.Took == 0 {
		return "" // it never ran
	}
	return took(res.Took)
}

// A remark is a line about an answer.
type remark struct{ style, text string }

// verbatim is the style of a line of output that keeps its spaces.
const verbatim = "verbatim"

// said is what there is to say of an answer: its error, what it printed (the
// first line of it, unless all is asked for), the plan it wrote, and what it did
// beside.
func (p *page) said(res *Result) []remark {
	var all []remark
	switch {
	case res.Err != "":
		all = append(all, remark{outcomeStyle(res.Outcome), visible(res.Err)})
	case res.Outcome == Error:
		all = append(all, remark{red, exitText(res)})
	}
	if res.Reused && !p.Verbose {
		return all
	}
	lines := outputLines(res.Output)
	switch {
	case p.Verbose:
		for _, line := range lines {
			all = append(all, remark{verbatim, "| " + line})
		}
	case len(lines) == 1:
		all = append(all, remark{"", lines[0]})
	case len(lines) > 1:
		all = append(all, remark{"", fmt.Sprintf("%s (and %s)", lines[0], count(len(lines)-1, "more line"))})
	}
	for _, line := range planLines(res.Plans) {
		all = append(all, remark{faint, "plan: " + line})
	}
	return append(all, did(res)...)
}

func exitText(res *Result) string {
	return fmt.Sprintf("exit code %d, which is neither 0 nor 100", res.ExitCode)
}

// did is what a buildpack did beside answering.
func did(res *Result) []remark {
	var all []remark
	if res.Dropped > 0 {
		all = append(all, remark{yellow, fmt.Sprintf("(%d bytes of its output were not kept)", res.Dropped)})
	}
	if len(res.Wrote) > 0 {
		all = append(all, remark{yellow, "wrote into the app: " + visible(strings.Join(res.Wrote, ", "))})
	}
	if res.Network {
		all = append(all, remark{yellow, "tried to reach the network"})
	}
	return all
}

// count is a number of things in words.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// end shows how a group ended, what of its plan did not fit, and what would
// mend it.
func (p *page) end(r *Report, i int) {
	g := &r.Groups[i]
	first, indent := strings.Repeat(" ", groupWidth), groupWidth
	if p.narrow() {
		first, indent = "  ", 2
	}
	switch {
	case i == r.Chosen:
		p.hang(first, indent, green, "→ passes and is taken: "+visible(strings.Join(g.Chosen, ", ")))
	case g.Passed:
		p.hang(first, indent, "", "→ would pass too: "+visible(strings.Join(g.Chosen, ", ")))
	default:
		p.hang(first, indent, yellow, "→ lost: "+visible(g.Why))
	}
	for _, e := range g.Edges {
		switch {
		case e.Fault != "":
			p.hang(first+"  ", indent+2, red, visible(e.Name)+" is "+e.Fault+": "+e.text())
		case p.Verbose:
			p.hang(first+"  ", indent+2, faint, visible(e.Name)+": "+e.text())
		}
	}
	for _, hint := range g.Hints {
		p.hang(first+"  ", indent+2, bold, "hint: "+visible(hint))
	}
}
