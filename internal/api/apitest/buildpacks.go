package apitest

import (
	"strings"

	"slipway/buildpacks/project"
	"slipway/internal/state"
)

// CheckBuildpacks knows the ids that begin with slipway/ and heroku/, and allows
// the addresses of example.com.
func CheckBuildpacks(names []string) ([]string, error) {
	var stored []string
	for _, name := range names {
		ref, err := project.Parse(name)
		if err != nil {
			return nil, state.Invalid("%s", err)
		}
		known := strings.HasPrefix(ref.ID, "slipway/") || strings.HasPrefix(ref.ID, "heroku/")
		if ref.Kind == project.OfBuilder && !known || ref.URI != "" && !strings.Contains(ref.URI, "//example.com/") {
			return nil, state.Invalid("The builder has no buildpack %q. It has: slipway/nodejs, slipway/python", ref.Name)
		}
		stored = append(stored, ref.Name)
	}
	return stored, nil
}
