package detector_test

import (
	"testing"
	"testing/fstest"
	"time"

	"slipway/buildpacks"
	"slipway/buildpacks/detector"
)

// hostile is what no reader of a report may obey.
const hostile = "\x1b]0;owned\x07<script>document.title='owned'</script>\xff\u202e\"><img src=http://127.0.0.1:9/x onerror=alert(1)>"

// plan is Slipway's own answer for files.
func plan(t *testing.T, files map[string]string) *buildpacks.Plan {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, content := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(content)}
	}
	p, err := buildpacks.Detect(t.Context(), fsys, buildpacks.Options{Python: []string{"3.13.5", "3.12.9"}, Builder: "the bundled builder"})
	if p == nil {
		t.Fatalf("Detect = %v", err)
	}
	return p
}

// shop is an app that the first group of the bundled builder takes, and that a
// later one would take too.
func shop(t *testing.T) *detector.Report {
	t.Helper()
	node := detector.Result{
		ID: "slipway/nodejs", Version: "1.0.0", Optional: true, Outcome: detector.Pass, Took: 210 * time.Microsecond,
		Plans: []detector.Plan{{Provides: []string{"node"}, Requires: []detector.Require{{Name: "node", Metadata: map[string]any{"version": "22.x"}}}}},
	}
	python := detector.Result{
		ID: "slipway/python", Version: "1.0.0", Outcome: detector.Pass, Took: 340 * time.Microsecond,
		Output: []byte("Python app detected\nusing pip\n"),
		Plans:  []detector.Plan{{Provides: []string{"python"}, Requires: []detector.Require{{Name: "python"}}}},
	}
	procfile := detector.Result{ID: "slipway/procfile", Version: "1.0.0", Optional: true, Outcome: detector.Skip, ExitCode: 100, Took: 90 * time.Microsecond}
	again := node
	again.Optional, again.Reused = false, true
	return &detector.Report{
		Dir: "apps/shop", Builder: "bundled",
		App: plan(t, map[string]string{"requirements.txt": "flask\n", "runtime.txt": "python-3.13.5\n", "package.json": `{"name":"shop"}`}),
		Groups: []detector.Group{
			{
				Number: 1, Results: []detector.Result{node, python, procfile}, Passed: true,
				Chosen: []string{"slipway/nodejs@1.0.0", "slipway/python@1.0.0"},
				Edges: []detector.Edge{
					{Name: "node", ProvidedBy: []string{"slipway/nodejs@1.0.0"}, RequiredBy: []string{"slipway/nodejs@1.0.0"}},
					{Name: "python", ProvidedBy: []string{"slipway/python@1.0.0"}, RequiredBy: []string{"slipway/python@1.0.0"}},
				},
			},
			{Number: 2, Also: true, Results: []detector.Result{again}, Passed: true, Chosen: []string{"slipway/nodejs@1.0.0"}},
		},
		Chosen: 0,
		Plan: []detector.PlanEntry{
			{Providers: []string{"slipway/nodejs@1.0.0"}, Requires: []detector.Require{{Name: "node", Metadata: map[string]any{"version": "22.x"}}}},
			{Providers: []string{"slipway/python@1.0.0"}, Requires: []detector.Require{{Name: "python"}}},
		},
		Files: []string{"package.json", "requirements.txt", "runtime.txt"}, FilesSeen: true,
		Sandbox: detector.Sandbox{How: "in process"}, Took: 900 * time.Microsecond,
	}
}

// mill is an app that no group of somebody's buildpacks takes: one errs, a plan
// does not resolve, and all that is said is hostile.
func mill(t *testing.T) *detector.Report {
	t.Helper()
	jdk := detector.Result{
		ID: "acme/jdk", Version: "2.1.0", Outcome: detector.Pass, Took: 12 * time.Millisecond,
		Plans: []detector.Plan{{Provides: []string{"jdk"}}},
	}
	maven := detector.Result{
		ID: "acme/maven", Version: "3.0.0", Outcome: detector.Pass, Took: 1500 * time.Millisecond, Output: []byte(hostile + "\n"),
		Plans: []detector.Plan{
			{Requires: []detector.Require{{Name: "jdk", Metadata: map[string]any{"version": "21"}}}},
			{Requires: []detector.Require{{Name: hostile}}},
		},
		Wrote: []string{"target/x"}, Network: true, Dropped: 12,
	}
	return &detector.Report{
		Dir: "apps/" + hostile, App: plan(t, map[string]string{"pom.xml": "<project/>"}),
		Groups: []detector.Group{
			{
				Number: 1, Results: []detector.Result{maven, jdk}, Why: "acme/maven requires jdk, which nothing before it provides",
				Edges: []detector.Edge{
					{Name: "jdk", ProvidedBy: []string{"acme/jdk@2.1.0"}, RequiredBy: []string{"acme/maven@3.0.0"}, Fault: "unmet"},
					{Name: hostile, RequiredBy: []string{"acme/maven@3.0.0"}, Fault: "unmet"},
					{Name: "cache", ProvidedBy: []string{"acme/jdk@2.1.0"}, Fault: "unused"},
				},
				Hints: []string{"put acme/jdk before acme/maven"},
			},
			{
				Number: 2, Why: "acme/broken erred",
				Results: []detector.Result{{ID: "acme/broken", Version: "0.1", Outcome: detector.Error, ExitCode: 3, Output: []byte("no such thing\n")}},
			},
		},
		Chosen: -1, ExitCode: 21, Sandbox: detector.Sandbox{How: "partly", Missing: []string{"memory: no cgroup can be written"}}, Took: 2 * time.Second,
	}
}
