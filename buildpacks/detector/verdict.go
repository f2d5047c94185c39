package detector

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"slipway/buildpacks"
)

// OK tells whether all is well with the directory: a group passes, and where the
// builder is Slipway's own, the app can be built too. Other builders have other
// rules, so Slipway's own answer does not count there.
func (r *Report) OK() bool {
	return r.Err == "" && r.Passed() && r.bad() == nil
}

// ours tells whether the buildpacks follow Slipway's own answer.
func (r *Report) ours() bool { return r.Builder == Bundled }

// bad is why the bundled builder cannot build the app, nil if it can or if the
// builder is another.
func (r *Report) bad() *buildpacks.DetectError {
	switch {
	case !r.ours() || r.App == nil:
		return nil
	case r.App.Error != nil:
		return r.App.Error
	default:
		return r.App.Unavailable
	}
}

// Verdict is the outcome in a few words, such as "python 3.13.2 with pip".
func (r *Report) Verdict() string {
	switch {
	case r.Err != "":
		return "not detected: " + visible(r.Err)
	case r.ours() && r.App != nil:
		return r.ourVerdict()
	case !r.Passed():
		return fmt.Sprintf("no group passes (exit code %d)", r.ExitCode)
	default:
		return fmt.Sprintf("group %d passes: %s", r.Groups[r.Chosen].Number, visible(strings.Join(r.Groups[r.Chosen].Chosen, ", ")))
	}
}

// ourVerdict is that of the bundled builder.
func (r *Report) ourVerdict() string {
	bad := r.bad()
	switch {
	case bad != nil && !r.Passed() && r.App.Language == "":
		return visible(bad.Error())
	case !r.Passed():
		return fmt.Sprintf("%s, but no group passes (exit code %d)", appText(r.App), r.ExitCode)
	case bad != nil:
		return cmp.Or(r.App.Language, "an app") + " that cannot be built: " + visible(strings.TrimPrefix(bad.Error(), "Error: "))
	default:
		return appText(r.App)
	}
}

// appText is what an app is, in words.
func appText(p *buildpacks.Plan) string {
	text := p.Language
	if text == "" && p.Error == nil && len(p.Processes) > 0 {
		text = "a Procfile alone"
	}
	text = cmp.Or(text, "no language")
	if v := cmp.Or(p.Version.Resolved, p.Version.Requested); v != "" {
		text += " " + strings.TrimPrefix(v, "=") // go.mod names one, not a range
	}
	if p.PackageManager != "" {
		text += " with " + p.PackageManager
	}
	return visible(text)
}

// took is a duration for a person.
func took(d time.Duration) string {
	switch ms := float64(d) / float64(time.Millisecond); {
	case d >= 10*time.Second:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d >= time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case ms >= 10:
		return fmt.Sprintf("%.0f ms", ms)
	case ms >= 0.095:
		return fmt.Sprintf("%.1f ms", ms)
	default:
		return "<0.1 ms"
	}
}

// name is how a result's buildpack is called in a group: its ID, "?" behind it
// if the group can do without.
func (r *Result) name() string {
	name := visible(r.ID)
	if r.Version != "" {
		name += "@" + visible(r.Version)
	}
	if r.Optional {
		name += "?"
	}
	return name
}

// mark is a result's outcome as one character.
func mark(outcome string) string {
	switch outcome {
	case Pass:
		return "✓"
	case Fail:
		return "✗"
	case Skip:
		return "–"
	default:
		return "!"
	}
}

// planLines are the plan that a buildpack wrote, in words: its first form, and
// behind it the others that it would be content with.
func planLines(plans []Plan) []string {
	var lines []string
	for i, p := range plans {
		var parts []string
		if len(p.Provides) > 0 {
			parts = append(parts, "provides "+visible(strings.Join(p.Provides, ", ")))
		}
		var names []string
		for _, req := range p.Requires {
			names = append(names, requireText(req))
		}
		if len(names) > 0 {
			parts = append(parts, "requires "+strings.Join(names, ", "))
		}
		text := cmp.Or(strings.Join(parts, "; "), "neither provides nor requires")
		if i > 0 {
			text = "or " + text
		}
		if i == 0 && len(parts) == 0 && len(plans) == 1 {
			continue // nothing was written
		}
		lines = append(lines, text)
	}
	return lines
}

// requireText is a requirement with the version that it asks for, which is what
// people look for in its metadata.
func requireText(req Require) string {
	version, ok := req.Metadata["version"].(string)
	if !ok || version == "" {
		return visible(req.Name)
	}
	return visible(req.Name + " " + version)
}

// text tells who provides and who requires it, in words.
func (e *Edge) text() string {
	by := func(what string, ids []string) string {
		if len(ids) == 0 {
			return what + " by nothing"
		}
		return what + " by " + visible(strings.Join(ids, ", "))
	}
	if e.Fault != "unmet" {
		return by("provided", e.ProvidedBy) + ", " + by("required", e.RequiredBy)
	}
	if len(e.ProvidedBy) > 0 {
		return by("required", e.RequiredBy) + ", but " + by("provided only later,", e.ProvidedBy)
	}
	return by("required", e.RequiredBy) + ", provided by nothing"
}
