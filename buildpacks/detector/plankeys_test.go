package detector

import (
	"slices"
	"testing"
)

func TestUnknownKeysOfPlans(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, plan string
		want       []string
	}{
		{"nothing", "", nil},
		{"all that a plan has", `
[[provides]]
name = "a"
[[requires]]
name = "b"
[requires.metadata]
own = "x"
[requires.metadata.below]
own = [1, 2]
[[requires.metadata.list]]
own = "y"
[[or]]
[[or.provides]]
name = "c"
[[or.requires]]
name = "d"
[or.requires.metadata]
own = "z"
`, nil},
		{"misspelt", "[[provide]]\nname = \"a\"\n[[requires]]\nname = \"b\"\nmetdata = 1\n[[or]]\n[[or.require]]\nname = \"c\"\n", []string{"provide", "requires.metdata", "or.require"}},
		{"no TOML", "[[", nil},
	} {
		if got := unknownKeys([]byte(c.plan)); !slices.Equal(got, c.want) {
			t.Errorf("unknownKeys(%s) = %q, want %q", c.name, got, c.want)
		}
	}
}
