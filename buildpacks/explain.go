package buildpacks

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
)

// Explain is the plan for a person: what was decided, why, from which files,
// what else the app could have been, and what is wrong with it.
func (p *Plan) Explain() string {
	var b strings.Builder
	if p.Language != "" || len(p.Processes) > 0 {
		fmt.Fprintf(&b, "-----> %s app detected\n", LanguageName(p.Language))
		b.WriteString(p.Table())
	}
	for _, w := range p.Warnings {
		b.WriteString(w.Text())
	}
	for _, bad := range []*DetectError{p.Error, p.Unavailable} {
		if bad != nil {
			b.WriteString(bad.Text())
		}
	}
	return b.String()
}

// Table is what was decided, a line each, indented as a step's detail.
func (p *Plan) Table() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(subject, value, why string) {
		fmt.Fprintf(w, "       %s\t%s\t%s\n", subject, value, why) //nolint:errcheck // memory
	}
	row("language", orDash(p.Language), p.why("language"))
	row("package manager", orDash(p.PackageManager), p.why("package_manager"))
	row("version", p.versionText(), p.why("version"))
	for i, proc := range p.Processes {
		subject := ""
		if i == 0 {
			subject = "processes"
		}
		row(subject, proc.Type, visible(shorten(proc.Command)))
	}
	if len(p.Processes) == 0 {
		row("processes", "-", p.noProcesses())
	}
	for i, m := range p.AlsoMatches {
		subject := ""
		if i == 0 {
			subject = "also matches"
		}
		row(subject, m.Language, foundIn(m.File))
	}
	if len(p.Files) > 0 {
		row("files read", fmt.Sprint(len(p.Files)), visible(strings.Join(p.Files, ", ")))
	}
	_ = w.Flush() // into a strings.Builder
	return trailing.ReplaceAllString(b.String(), "\n")
}

var trailing = regexp.MustCompile(` +\n`)

func (p *Plan) noProcesses() string {
	switch {
	case !p.HasProcfile:
		return "there is no Procfile"
	case p.Error != nil && p.Error.File == procfileName, p.badProcfile():
		return "the Procfile can't be used"
	default:
		return "the Procfile declares none"
	}
}

func (p *Plan) badProcfile() bool {
	return slices.ContainsFunc(p.Warnings, func(w Warning) bool { return w.ID == procfileUnreadable })
}

func (p *Plan) why(subject string) string {
	for _, r := range p.Reasons {
		if r.Subject == subject {
			return r.Text
		}
	}
	return ""
}

func (p *Plan) versionText() string {
	v := p.Version
	switch {
	case v.Requested == "" && v.Origin == "":
		return "-"
	case v.Requested == "":
		return v.Origin
	case v.Resolved == "" || v.Resolved == v.Requested:
		return v.Requested
	default:
		return v.Requested + " -> " + v.Resolved
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func shorten(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
