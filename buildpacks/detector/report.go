package detector

import (
	"time"

	"slipway/buildpacks"
)

// A Report is what detection decided about one directory, and why.
type Report struct {
	Dir     string // as it was named
	Builder string // as it was named; "" where only buildpacks were given

	// App is Slipway's own answer (Heroku's rules): language, version, processes.
	// It is there whatever the builder, nil only if the tree could not be read.
	App *buildpacks.Plan

	// Groups are the groups tried, in order, meta-buildpacks expanded. Those
	// behind Chosen were tried only to tell what also matches.
	Groups []Group
	Chosen int // index of the group that wins, -1 if none does

	// Plan is the build plan of the chosen group: what its buildpacks require
	// and who provides it.
	Plan []PlanEntry

	// ExitCode is what the lifecycle's detector exits with: 0 passed, 20 no
	// group passed, 21 none passed and a buildpack erred, 12 a buildpack API
	// that is not supported, 22 a meta-buildpack names what is not there, 2 where
	// it would crash, 1 anything else.
	ExitCode int
	// Err is why detection could not be run or ended, for a person; "" if it was.
	Err string

	// Files are the files of the tree that were opened to decide, as far as it
	// was seen, sorted. FilesSeen is false where the machine cannot tell.
	Files     []string
	FilesSeen bool

	Sandbox Sandbox
	Took    time.Duration
}

// Passed tells whether a group won.
func (r *Report) Passed() bool { return r.Chosen >= 0 }

// A Group is one trial of a group of the order.
type Group struct {
	Number  int // in the builder's order, from 1; meta-buildpacks give several trials one number
	Results []Result
	Passed  bool
	// Also marks a group tried after one had passed.
	Also bool
	// Why says why it lost, a sentence without its full stop; "" if it passed.
	Why string
	// Edges are what its passing buildpacks provide and require, those that
	// kept the plan from resolving marked.
	Edges []Edge
	// Hints say what would mend the plan, such as another order.
	Hints []string
	// Chosen are the IDs (id@version) that take part, where it passed.
	Chosen []string
}

// Outcomes of a buildpack's detection.
const (
	Pass  = "pass"  // exit code 0
	Fail  = "fail"  // exit code 100
	Skip  = "skip"  // optional, and failed or could not be used: the group goes on without it
	Error = "error" // anything else: another exit code, no bin/detect, a bad plan, a time limit, the target
)

// A Result is what one buildpack answered in one group. A buildpack runs once
// for a directory; groups share its answer.
type Result struct {
	ID, Version string
	API         string // "" where none is known
	Homepage    string
	Name        string // of buildpack.toml; "" if it has none
	Optional    bool
	Extension   bool
	Classic     bool // bin/detect BUILD_DIR, Heroku's older interface

	Outcome  string // Pass, Fail, Skip or Error
	ExitCode int    // -1 where it did not exit by itself
	// Err is why the outcome is Error, or why it was skipped, for a person.
	Err  string
	Took time.Duration
	// Reused tells that the answer is that of an earlier group.
	Reused bool

	// Output is what it printed, both streams in order; at most Options.Output
	// bytes, from its beginning and its end. Dropped is how much was not kept.
	Output  []byte
	Dropped int64

	Plans []Plan // what it wrote: the first, then its alternatives ("or")
	// Unknown are keys of what it wrote that no plan has, such as "provide".
	Unknown []string

	// What was observed while it ran, as far as the sandbox sees it.
	Wrote   []string // paths below the app that it made, changed or removed
	Network bool     // it tried to reach something
	Files   []string // files of the app that it opened
	// LeftRunning tells that it left processes behind, which were stopped.
	LeftRunning bool
}

// A Plan is a set of provisions and requirements (Buildpack Interface
// Specification, "Build Plan (TOML)").
type Plan struct {
	Provides []string
	Requires []Require
}

// A Require is a requirement with its metadata.
type Require struct {
	Name     string
	Metadata map[string]any
}

// An Edge is a name that buildpacks of a group provide or require.
type Edge struct {
	Name       string
	ProvidedBy []string // IDs in group order
	RequiredBy []string
	// Fault is "" where it is well, "unmet" where it is required and not
	// provided before, "unused" where it is provided and not required.
	Fault string
}

// A PlanEntry is an entry of the resolved plan (plan.toml).
type PlanEntry struct {
	Providers []string
	Requires  []Require
}

// A Sandbox says what held detect scripts back, for a person to judge the rest.
type Sandbox struct {
	// How is "in process" (our own buildpacks' functions), "sandbox", "partly"
	// (they are shut in, but what they write to the app is not seen) or "none".
	How string
	// Missing are the parts that this machine does not allow, with the reason.
	Missing []string
}
