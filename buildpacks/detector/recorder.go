package detector

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/buildpacks/lifecycle/buildpack"
	"github.com/buildpacks/lifecycle/log"
	"github.com/buildpacks/lifecycle/phase"
	"github.com/buildpacks/lifecycle/platform/files"
)

const (
	// maxGroups is how many groups are tried: meta-buildpacks multiply them.
	maxGroups = 1000
	// maxTrials is in how many ways a group's plans are put together: their
	// alternatives multiply.
	maxTrials = 10_000
	// maxWork is how many entries of plans are looked at for it.
	maxWork = 10_000_000
)

// errEnded keeps the lifecycle from going on.
var errEnded = errors.New("detection has ended")

// A recorder is the lifecycle's resolver, whose verdict it passes on, and keeps
// what becomes of each group.
type recorder struct {
	run    *run
	stop   func() error // why to stop, if so
	number int          // of the group of the order that is tried

	fatal int    // exit code that is certain, whatever else passes; 0 if none
	why   string // in words

	groups []Group
	chosen int // 1 + index; 0 if none yet
	plan   []files.BuildPlanEntry
	erred  bool
	shown  map[buildpack.Descriptor]bool // answers that a group has had
}

var _ phase.DetectResolver = (*recorder)(nil)

// Resolve implements [phase.DetectResolver].
func (r *recorder) Resolve(done []buildpack.GroupElement, runs *sync.Map) ([]buildpack.GroupElement, []files.BuildPlanEntry, error) {
	if err := r.stop(); err != nil {
		return nil, nil, err
	}
	if len(r.groups) == maxGroups {
		r.giveUp(fmt.Sprintf("gave up after %d groups: meta-buildpacks multiply each other's groups", maxGroups))
		return nil, nil, errEnded
	}
	over := r.over()
	g := Group{Number: r.number, Also: over}
	t := r.newTrial(done, runs)
	if !over && t.fatal() != 0 {
		r.fatal, r.why = t.fatal(), t.fatalText()
	}
	found, entries, err := r.resolve(done, runs, t)
	t.explain(&g, found, err)
	r.groups = append(r.groups, g)
	if err != nil {
		return nil, nil, err
	}
	if r.over() {
		r.groups[len(r.groups)-1].Also = true
		return nil, nil, phase.ErrFailedDetection
	}
	r.chosen, r.plan = len(r.groups), entries
	if r.run.options.All {
		return nil, nil, phase.ErrFailedDetection // so that it goes on
	}
	return found, entries, nil
}

// over tells whether the verdict is known.
func (r *recorder) over() bool { return r.chosen > 0 || r.fatal != 0 }

// resolve is the lifecycle's verdict on a group.
func (r *recorder) resolve(done []buildpack.GroupElement, runs *sync.Map, t *trial) ([]buildpack.GroupElement, []files.BuildPlanEntry, error) {
	if t.tooManyWays() {
		t.tooMany = true
		return nil, nil, phase.ErrBuildpack
	}
	return phase.NewDefaultDetectResolver(log.NewDefaultLogger(io.Discard)).Resolve(done, runs)
}

// ended tells whether no further group is to be tried, after one that ended with
// err.
func (r *recorder) ended(err error) bool {
	if r.over() && !r.run.options.All {
		return true
	}
	if lost, ok := errors.AsType[*buildpack.Error](err); ok {
		// Of groups below an optional meta-buildpack the lifecycle forgets it.
		r.erred = r.erred || lost.Type == buildpack.ErrTypeBuildpack
		return false
	}
	if err == nil {
		return false
	}
	if !r.over() && !errors.Is(err, errEnded) && r.stop() == nil {
		r.fatal, r.why = codeDetectError, err.Error()
	}
	return true
}

func (r *recorder) giveUp(why string) {
	if !r.over() {
		r.fatal, r.why = codeFailed, why
	}
}

// verdict fills in what became of all groups.
func (r *recorder) verdict(to *Report) {
	to.Groups = r.groups
	switch {
	case r.fatal != 0:
		to.ExitCode, to.Err = r.fatal, r.why
	case r.chosen > 0:
		to.Chosen = r.chosen - 1
		for _, entry := range r.plan {
			to.Plan = append(to.Plan, planEntry(entry))
		}
		sortPlan(to.Plan)
	case r.erred:
		to.ExitCode = codeErred
	default:
		to.ExitCode = codeNotDetected
	}
}
