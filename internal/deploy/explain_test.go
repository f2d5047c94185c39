package deploy_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"slipway/buildpacks/build"
	"slipway/buildpacks/detector"
	"slipway/internal/state"
)

// Detect answers with one buildpack of one group, which passes for Python. One
// builder cannot be had.
func (b *fakeBuilder) Detect(_ context.Context, r build.Detection) (*detector.Report, error) {
	if r.Builder == "gone" {
		return nil, errors.New("dial 10.0.0.1: refused")
	}
	report := &detector.Report{Dir: r.App, Builder: cmp.Or(r.Builder, build.Bundled), App: r.Plan, Chosen: -1, ExitCode: 20}
	result := detector.Result{ID: "slipway/python", Version: "1", Outcome: detector.Fail, ExitCode: 100}
	group := detector.Group{Number: 1, Why: "slipway/python failed"}
	if r.Plan.Language == "python" {
		result.Outcome, result.ExitCode = detector.Pass, 0
		report.Chosen, report.ExitCode = 0, 0
		group.Passed, group.Why, group.Chosen = true, "", []string{"slipway/python@1"}
	}
	group.Results = []detector.Result{result}
	report.Groups = []detector.Group{group}
	return report, nil
}

func TestPushExplainsDetection(t *testing.T) {
	python := fstest.MapFS{"requirements.txt": {}, ".python-version": {Data: []byte("3.13\n")}}
	old := fstest.MapFS{"requirements.txt": {}, ".python-version": {Data: []byte("2.7\n")}}
	static := fstest.MapFS{"index.html": {}}
	for name, c := range map[string]struct {
		tree    fstest.MapFS
		options []string
		stands  bool
		want    []string
		not     string
	}{
		"only detected":            {python, []string{"detect"}, false, []string{"python 3.13.15 with pip", "slipway/python@1", "passes and is taken", "asked for by line 1 of", "nothing was built"}, "Building here"},
		"traced":                   {python, []string{"trace"}, true, []string{"passes and is taken", "-----> Python app detected", "Building here"}, "slipway detect"},
		"neither":                  {python, nil, true, []string{"-----> Python app detected", "Building here"}, "passes"},
		"fails":                    {old, nil, false, []string{"Error: The requested Python version has reached end-of-life.", "shop: python that cannot be built", "slipway detect .", "failed to compile Python app"}, "passes and is taken"},
		"fails, traced":            {old, []string{"trace"}, false, []string{"passes and is taken", "end-of-life", "failed to compile Python app"}, "slipway detect ."},
		"fails, only detected":     {old, []string{"detect"}, false, []string{"passes and is taken", "end-of-life", "nothing was built"}, "failed to compile"},
		"no group passes":          {static, []string{"detect"}, false, []string{"lost: slipway/python failed", "no group passes"}, ""},
		"nothing recognises it":    {fstest.MapFS{"README": {}}, nil, false, []string{"No default language could be detected", "slipway detect ."}, "Building here"},
		"other builder":            {old, []string{"detect", "builder=paketo/x"}, false, []string{"passes and is taken", "end-of-life"}, ""},
		"other builder, fails":     {old, []string{"builder=paketo/x"}, false, []string{"slipway detect --builder paketo/x --env KEY ."}, "secret"},
		"builder cannot be had":    {python, []string{"detect", "builder=gone"}, false, []string{"-----> Python app detected", "could not be found out", "slipway detect --builder gone --env KEY ."}, "10.0.0.1"},
		"odd name of a builder":    {old, []string{"builder=a b;c\x1b[1m"}, false, []string{`--builder "a b;c\x1b[1m"`}, "\x1b"},
		"Procfile alone":           {fstest.MapFS{"Procfile": {Data: []byte("web: x")}}, nil, true, []string{"-----> Procfile app detected"}, "Unknown"},
		"Procfile alone, detected": {fstest.MapFS{"Procfile": {Data: []byte("web: x")}}, []string{"detect"}, false, []string{"nothing was built"}, "Unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newBuildRig(t)
			r.releases.all = []state.Release{{App: "shop", Version: 1, Config: map[string]string{"KEY": "secret"}}}
			var seen bytes.Buffer
			err := r.pushedTree(t.Context(), c.tree, &seen, c.options...)
			if stands := err == nil; stands != c.stands {
				t.Fatalf("push = %v, want that it stands: %v\n%s", err, c.stands, seen.String())
			}
			for _, want := range c.want {
				if !strings.Contains(seen.String(), want) {
					t.Errorf("the pusher does not see %q:\n%s", want, seen.String())
				}
			}
			if c.not != "" && strings.Contains(seen.String(), c.not) {
				t.Errorf("the pusher sees %q:\n%s", c.not, seen.String())
			}
		})
	}
}
