package launch

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"slipway/internal/dyno"
)

const (
	// launcher starts processes in images made by buildpacks, and processes
	// is the directory of entry points by type (CNB platform specification,
	// "Launching").
	launcher  = "/cnb/lifecycle/launcher"
	processes = "/cnb/process/"
	// defaultPath is for images that name none.
	defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

// ErrRoot says that a slug wants to run as root.
var ErrRoot = errors.New("the slug's image runs as root, which a dyno may not: use a builder whose run image has a user")

var goodType = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*$`)

// Args is what a dyno runs. The first of them must be in the slug: else
// Missing is the error.
func Args(s dyno.Spec) ([]string, error) {
	switch {
	case s.Type == "":
		return []string{launcher, s.Command}, nil
	case !goodType.MatchString(s.Type):
		return nil, Missing(s)
	}
	return []string{processes + s.Type}, nil
}

// Missing says that a slug lacks what the first of Args names.
func Missing(s dyno.Spec) error {
	if s.Type == "" {
		return fmt.Errorf("the slug has no launcher, so it runs no commands: push again with another builder: %w", dyno.ErrNotFound)
	}
	return fmt.Errorf("the slug has no process type %q: add it to the Procfile and push again: %w", s.Type, dyno.ErrNotFound)
}

// Environment is the image's with the dyno's on top.
func Environment(image []string, s dyno.Spec) []string {
	vars := map[string]string{"PATH": defaultPath, "HOSTNAME": s.Name}
	if s.TTY {
		vars["TERM"] = "xterm"
	}
	for _, v := range image {
		if name, value, ok := strings.Cut(v, "="); ok {
			vars[name] = value
		}
	}
	maps.Copy(vars, s.Env)
	env := make([]string, 0, len(vars))
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		env = append(env, name+"="+vars[name])
	}
	return env
}

// TerminalSize is a size with the default filled in.
func TerminalSize(s dyno.Size) dyno.Size {
	if s.Columns == 0 || s.Rows == 0 {
		return dyno.Size{Columns: 80, Rows: 24}
	}
	return s
}
