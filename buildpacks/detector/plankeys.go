package detector

import (
	"bytes"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/buildpacks/lifecycle/buildpack"
)

// maxUnknown bounds how many unknown keys are told.
const maxUnknown = 20

// unknownKeys lists the keys of a plan that the lifecycle passes over, each with
// those above it, without what is below it. A plan that cannot be read has none:
// that is told elsewhere.
func unknownKeys(plan []byte) []string {
	var into struct {
		buildpack.PlanSections
		Or []buildpack.PlanSections `toml:"or"`
	}
	meta, err := toml.NewDecoder(bytes.NewReader(plan)).Decode(&into)
	if err != nil {
		return nil
	}
	var keys []string
	seen := map[string]bool{}
	for _, key := range meta.Undecoded() {
		own := strings.Contains("."+key.String()+".", ".requires.metadata.") // the author's own
		above := key[:len(key)-1].String()
		if !own && !seen[key.String()] && !seen[above] && len(keys) < maxUnknown {
			keys = append(keys, key.String())
		}
		seen[key.String()] = true
	}
	return keys
}
