package golang

import "testing"

func TestRequirementMatchesAsCargoDoes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want     string
		yes, not []string
	}{
		{"", []string{"1.2.2", "1.27.4"}, []string{"1.28rc1"}},
		{"*", []string{"1.21.0"}, nil},
		{"=1.26", []string{"1.26", "1.26.0", "1.26.11"}, []string{"1.25.9", "1.27.0", "1.26rc1", "2.26.0"}},
		{"=1.26.8", []string{"1.26.8"}, []string{"1.26.7", "1.26.9", "1.26"}},
		{"=1.20.0", []string{"1.20"}, []string{"1.20.1"}},
		{"^1.22", []string{"1.22.0", "1.27.4"}, []string{"1.21.13", "2.0.0"}},
		{"~1.18.1", []string{"1.18.1", "1.18.10"}, []string{"1.18", "1.19.0"}},
		{"~1.18", []string{"1.18", "1.18.10"}, []string{"1.19.0"}},
		{"~1", []string{"1.27.4"}, []string{"2.0.0"}},
		{"1.2*", nil, nil},
		{"1.26.*", []string{"1.26.3"}, []string{"1.27.0"}},
		{">1.25", []string{"1.26.0"}, []string{"1.25.14", "1.25.0"}},
		{">1.25.3", []string{"1.25.4"}, []string{"1.25.3"}},
		{">=1.20, <1.22", []string{"1.20", "1.21.13"}, []string{"1.22.0", "1.19.13"}},
		{"<=1.21", []string{"1.21.13", "1.20"}, []string{"1.22.0"}},
		{"=1.26rc1", []string{"1.26rc1"}, nil},
	} {
		r, err := parseRequirement(c.want)
		if err != nil {
			if len(c.yes) > 0 {
				t.Errorf("parseRequirement(%q) = %v", c.want, err)
			}
			continue
		}
		for match, texts := range map[bool][]string{true: c.yes, false: c.not} {
			for _, text := range texts {
				v, ok := parseVersion(text)
				if !ok {
					t.Fatalf("parseVersion(%q) = false", text)
				}
				if got := r.matches(v); got != match {
					t.Errorf("%q matches %s = %v, want %v", c.want, text, got, match)
				}
			}
		}
	}
}
