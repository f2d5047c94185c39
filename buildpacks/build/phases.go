package build

import (
	"regexp"
	"strings"
	"time"
)

// The lifecycle's words for its phases, as they stand behind "===> ".
const (
	phaseAnalyze = "ANALYZING"
	phaseDetect  = "DETECTING"
	phaseRestore = "RESTORING"
	phaseBuild   = "BUILDING"
	phaseExport  = "EXPORTING"
)

const phaseMark = "===> "

var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// PhaseOf returns the phase that a line of the lifecycle's output begins, as
// "BUILDING", or "".
func PhaseOf(line string) string {
	if !strings.Contains(line, phaseMark) {
		return ""
	}
	name, ok := strings.CutPrefix(colours.ReplaceAllString(line, ""), phaseMark)
	if !ok {
		return ""
	}
	return strings.TrimSpace(name)
}

// PhaseTimes measures phases by the moments at which their first lines are
// seen. It works on pack's own output as well, which is how the two are
// compared. It is not for concurrent use.
type PhaseTimes struct {
	phase string
	since time.Time
	took  map[string]time.Duration
}

// Enter ends the phase that ran and begins another, or none if name is "".
func (p *PhaseTimes) Enter(name string, now time.Time) {
	if p.phase != "" {
		if p.took == nil {
			p.took = make(map[string]time.Duration)
		}
		p.took[p.phase] += now.Sub(p.since)
	}
	p.phase, p.since = name, now
}

// Took returns how long a phase ran, all its turns together.
func (p *PhaseTimes) Took(name string) time.Duration { return p.took[name] }

// Buildpacks returns how long detection and building took: the two phases in
// which buildpacks run.
func (p *PhaseTimes) Buildpacks() time.Duration {
	return p.took[phaseDetect] + p.took[phaseBuild]
}
