package cnb

import (
	"io/fs"

	"github.com/buildpacks/libcnb"

	"slipway/buildpacks"
)

// Detect decides whether a buildpack takes part in building the app in fsys,
// of which package buildpacks says plan. It looks at little beside the plan,
// changes nothing, and may be called by many goroutines at once.
type Detect func(fsys fs.FS, plan *buildpacks.Plan) Answer

// An Answer is the result of a detection. The zero value says no.
type Answer struct {
	Pass bool
	// Provides and Requires are names of the build plan.
	Provides, Requires []string
	// Output is for the person who reads the detection's log; lines.
	Output string
}

// Says is the answer of a buildpack that is for one language. It passes even if
// the app cannot be built: the build then says why, where the pusher sees it.
func Says(language string, plan *buildpacks.Plan) Answer {
	if plan.Language != language {
		return Answer{}
	}
	a := Answer{Pass: true, Provides: []string{language}, Requires: []string{language}}
	switch {
	case plan.Error != nil:
		a.Output = plan.Error.Text()
	case plan.Unavailable != nil:
		a.Output = plan.Unavailable.Text()
	}
	return a
}

// result is the answer as libcnb writes it.
func (a Answer) result() libcnb.DetectResult {
	r := libcnb.DetectResult{Pass: a.Pass}
	if !a.Pass || len(a.Provides)+len(a.Requires) == 0 {
		return r
	}
	var plan libcnb.BuildPlan
	for _, name := range a.Provides {
		plan.Provides = append(plan.Provides, libcnb.BuildPlanProvide{Name: name})
	}
	for _, name := range a.Requires {
		plan.Requires = append(plan.Requires, libcnb.BuildPlanRequire{Name: name})
	}
	r.Plans = []libcnb.BuildPlan{plan}
	return r
}
