package detector

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"slipway/buildpacks"
)

// WriteTable shows a report to a person: the verdict; what the app is and why;
// each group with the answers of its buildpacks, and why it lost; the plan; the
// files that decided. Nothing of what buildpacks and apps say reaches a terminal
// as it is.
func WriteTable(w io.Writer, r *Report, look Look) error {
	p := &page{Look: look}
	p.header(r)
	p.app(r)
	p.groups(r)
	p.plan(r)
	p.read(r)
	_, err := w.Write(p.out.Bytes())
	return err
}

// maxLine is how long a line may be that no terminal bounds.
const maxLine = 400

// WriteLine shows a report to a person in a line: the directory, how it went,
// and the group that is taken or why there is none.
func WriteLine(w io.Writer, r *Report, look Look) error {
	p := &page{Look: look}
	sign, style := "✓", green
	if !r.OK() {
		sign, style = "✗", red
	}
	most := maxLine
	if look.Width > 0 {
		most = p.width()
	}
	text := fit(visible(r.Dir)+": "+r.Verdict()+lineTail(r), most-2)
	p.line(p.paint(style, sign), " ", text)
	_, err := w.Write(p.out.Bytes())
	return err
}

// lineTail says what the verdict does not: which group, and what else.
func lineTail(r *Report) string {
	var tail string
	if r.ours() && r.Passed() {
		tail = fmt.Sprintf(" (group %d)", r.Groups[r.Chosen].Number)
	}
	if also := alsoMatches(r); len(also) > 0 {
		tail += "; also matches " + strings.Join(also, ", ")
	}
	if g := nearest(r); g != nil && r.Err == "" && !r.ours() {
		tail += ": " + visible(g.Why)
	}
	return tail
}

// nearest is the group that came nearest to passing: one whose plan did not
// resolve, else one in which a buildpack erred, else the last.
func nearest(r *Report) *Group {
	if r.Passed() || len(r.Groups) == 0 {
		return nil
	}
	best, rank := &r.Groups[len(r.Groups)-1], 0
	for i := range r.Groups {
		g, of := &r.Groups[i], 0
		for _, res := range g.Results {
			if res.Outcome == Error {
				of = 1
			}
		}
		for _, e := range g.Edges {
			if e.Fault != "" {
				of = 2
			}
		}
		if of > rank {
			best, rank = g, of
		}
	}
	return best
}

// alsoMatches are what else the app could have been: languages by Slipway's own
// rules, or groups of another builder.
func alsoMatches(r *Report) []string {
	var also []string
	if r.ours() && r.App != nil {
		for _, m := range r.App.AlsoMatches {
			also = append(also, m.Language)
		}
		return also
	}
	for _, g := range r.Groups {
		if g.Also && g.Passed {
			also = append(also, fmt.Sprintf("group %d", g.Number))
		}
	}
	return also
}

func (p *page) header(r *Report) {
	style := bold
	if !r.OK() {
		style = bold + ";" + red
	}
	p.hang("", 0, style, "=== "+visible(r.Dir)+": "+r.Verdict())
	if bad := r.bad(); bad != nil {
		// Its lines are laid out by whoever wrote them.
		p.line()
		for _, line := range bad.Lines {
			p.line(" ", p.paint(red, "!"), "     ", visible(line))
		}
	}
	p.line()
}

// app shows Slipway's own answer, and where each part of it came from.
func (p *page) app(r *Report) {
	if r.App == nil {
		return
	}
	if !r.ours() {
		p.fact("slipway says", appText(r.App), "by Heroku's rules, whatever the builder")
		p.line()
		return
	}
	a := r.App
	p.fact("language", cmp.Or(a.Language, "-"), reason(a, "language"))
	p.fact("version", versionText(a.Version), reason(a, "version"))
	p.fact("package manager", cmp.Or(a.PackageManager, "-"), reason(a, "package_manager"))
	label := "processes"
	for _, proc := range a.Processes {
		p.fact(label, proc.Type, proc.Command)
		label = ""
	}
	label = "also matches"
	for _, m := range a.AlsoMatches {
		p.fact(label, m.Language, m.File+" was found")
		label = ""
	}
	for _, warning := range a.Warnings {
		p.fact("warning", "", strings.TrimPrefix(warning.Lines[0], "Warning: "))
	}
	p.line()
}

// fact writes what is known under a label, and why.
func (p *page) fact(label, value, why string) {
	const labels, values = 17, 18
	value, why = visible(value), visible(why)
	text := strings.TrimSpace(value + "  " + why)
	switch {
	case p.narrow() && label != "":
		p.hang("", 2, "", label+": "+text)
	case p.narrow():
		p.hang("  ", 2, "", text)
	case value == "" || columns(value) > values-2 && why != "":
		p.hang(pad(label, labels), labels, "", text)
	default:
		p.hang(pad(label, labels)+pad(value, values), labels+values, "", why)
	}
}

func reason(a *buildpacks.Plan, subject string) string {
	for _, r := range a.Reasons {
		if r.Subject == subject {
			return r.Text
		}
	}
	return ""
}

func versionText(v buildpacks.Version) string {
	switch {
	case v.Requested == "":
		return cmp.Or(v.Origin, "-")
	case v.Resolved == "" || v.Resolved == v.Requested:
		return v.Requested
	default:
		return v.Requested + " → " + v.Resolved
	}
}

// plan shows the build plan of the group that is taken.
func (p *page) plan(r *Report) {
	if len(r.Plan) == 0 {
		return
	}
	p.line(p.paint(bold, "plan"))
	for _, e := range r.Plan {
		for _, req := range e.Requires {
			text, by := requireText(req), "provided by "+visible(strings.Join(e.Providers, ", "))
			if p.narrow() {
				p.hang("  ", 2, "", text+" "+by)
				continue
			}
			p.hang("  "+pad(text, 16)+"  ", 4+max(16, columns(text)), "", by)
		}
	}
	p.line()
}

// read shows the files that decided, and what held the buildpacks back.
func (p *page) read(r *Report) {
	switch {
	case len(r.Files) > 0:
		text := visible(strings.Join(r.Files, ", "))
		if most := 30; len(r.Files) > most && !p.Verbose {
			text = fmt.Sprintf("%s and %d more (--verbose lists them)", visible(strings.Join(r.Files[:most], ", ")), len(r.Files)-most)
		}
		p.fact("files read", "", text)
	case r.FilesSeen:
		p.fact("files read", "", "none")
	}
	if !r.FilesSeen {
		p.fact("", "", "(this machine does not tell which files buildpacks read)")
	}
	if r.Sandbox.How != "" {
		p.fact("sandbox", "", sandboxText(r.Sandbox.How))
		for _, missing := range r.Sandbox.Missing {
			p.fact("", "", visible(missing))
		}
	}
	p.fact("took", "", took(r.Took))
}

// sandboxText says what held buildpacks back, in words.
func sandboxText(how string) string {
	switch how {
	case "in process":
		return "not needed: the bundled buildpacks answer in this process"
	case "sandbox":
		return "no network, no changes of the app, limits of time and memory"
	case "partly":
		return "in part; this machine does not allow:"
	case "none":
		return "none: buildpacks ran as they are"
	default:
		return visible(how)
	}
}
