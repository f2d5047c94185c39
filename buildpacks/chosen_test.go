package buildpacks_test

import (
	"testing"
	"testing/fstest"

	"slipway/buildpacks"
)

// A chosen language wins over those that would come first, if its files are there.
func TestDetectTakesTheChosenLanguage(t *testing.T) {
	t.Parallel()
	app := fstest.MapFS{"Gemfile": {}, "requirements.txt": {}, "package.json": {Data: []byte("{}")}}
	for chosen, want := range map[string]string{"": "ruby", "python": "python", "nodejs": "nodejs", "go": "ruby", "nothing": "ruby"} {
		plan, err := buildpacks.Detect(t.Context(), app, buildpacks.Options{Language: chosen})
		if err != nil || plan.Language != want || len(plan.AlsoMatches) != 2 {
			t.Errorf("Detect() with %q chosen = %q, also %v, %v, want %q and two others", chosen, plan.Language, plan.AlsoMatches, err, want)
		}
	}
}

// An app that others' buildpacks build is of no language, if its Procfile starts it.
func TestDetectTakesNoLanguage(t *testing.T) {
	t.Parallel()
	app := fstest.MapFS{"Gemfile": {}, "Procfile": {Data: []byte("web: x\n")}}
	plan, err := buildpacks.Detect(t.Context(), app, buildpacks.Options{Language: buildpacks.NoLanguage})
	if err != nil || plan.Language != "" || len(plan.Processes) != 1 || len(plan.AlsoMatches) != 1 {
		t.Errorf("Detect() = %+v, %v, want a process, and Ruby only as what also matches", plan, err)
	}
	delete(app, "Procfile")
	if plan, err := buildpacks.Detect(t.Context(), app, buildpacks.Options{Language: buildpacks.NoLanguage}); err != nil || plan.Language != "ruby" {
		t.Errorf("Detect() without a Procfile = %q, %v, want ruby", plan.Language, err)
	}
}
