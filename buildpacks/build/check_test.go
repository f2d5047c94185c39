package build

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestCheckBuildpacks(t *testing.T) {
	t.Parallel()
	ours := &bundle{ref: "slipway/builder:1", buildpacks: []string{"slipway/nodejs", "slipway/python"}}
	alone := &Builder{cfg: Config{Builder: Bundled}, bundle: ours}
	open := &Builder{cfg: Config{Builder: Bundled, Allowed: []string{"heroku/builder:24", "https://ok.test/bp.tgz"}}, bundle: ours}
	got, err := alone.CheckBuildpacks([]string{"urn:buildpack:heroku/nodejs", "slipway/python@1.0.0", "./a/../bp/"})
	if want := []string{"heroku/nodejs", "slipway/python@1.0.0", "./bp"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("CheckBuildpacks() = %q, %v, want %q", got, err, want)
	}
	if got, err := open.CheckBuildpacks([]string{"heroku/ruby", "https://ok.test/bp.tgz"}); err != nil || len(got) != 2 {
		t.Errorf("CheckBuildpacks() where other builders may be used = %q, %v", got, err)
	}
	for name, want := range map[string]string{
		"heroku/ruby":            `no buildpack "heroku/ruby". It has: slipway/nodejs, slipway/python`,
		"https://no.test/bp.tgz": "not one that this server allows",
		"docker://no.test/bp":    "not one that this server allows",
		"../bp":                  "no name of a buildpack",
		"":                       "is empty",
	} {
		var told *Error
		if _, err := alone.CheckBuildpacks([]string{name}); !errors.As(err, &told) || !strings.Contains(told.Text, want) {
			t.Errorf("CheckBuildpacks(%q) = %v, want %q", name, err, want)
		}
	}
	if _, err := alone.CheckBuildpacks([]string{"heroku/nodejs", "urn:buildpack:heroku/nodejs"}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("CheckBuildpacks() of one twice = %v", err)
	}
}
