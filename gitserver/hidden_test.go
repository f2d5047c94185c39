package gitserver

import "testing"

func TestHidden(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rules []string
		name  string
		want  bool
	}{
		{nil, "refs/heads/main", false},
		{[]string{"refs/heads"}, "refs/heads/main", true},
		{[]string{"refs/heads/"}, "refs/heads/main", true},
		{[]string{"refs/heads/main"}, "refs/heads/main", true},
		{[]string{"refs/heads/ma"}, "refs/heads/main", false},
		{[]string{"^refs/heads"}, "refs/heads/main", true},
		{[]string{"refs", "!refs/heads"}, "refs/heads/main", false},
		{[]string{"refs", "!refs/heads"}, "refs/tags/v1", true},
		{[]string{"!refs/heads", "refs"}, "refs/heads/main", true},
		{[]string{"refs", "!^refs/heads", "refs/heads/x"}, "refs/heads/x/y", true},
		{[]string{""}, "refs/heads/main", false},
	} {
		if got := hidden(c.rules, c.name); got != c.want {
			t.Errorf("hidden(%q, %q) = %v, want %v", c.rules, c.name, got, c.want)
		}
	}
}
