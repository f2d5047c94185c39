package embedded

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"slipway/internal/bundle"
	"slipway/internal/dyno"
)

const (
	// initPath is where the init program lies in a container.
	initPath = "/.slipway/init"
	// launcher starts processes in images made by buildpacks, and processes
	// is the directory of entry points by type (CNB platform specification,
	// "Launching").
	launcher  = "/cnb/lifecycle/launcher"
	processes = "/cnb/process/"
	// defaultPath is for images that name none.
	defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

var goodType = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*$`)

// process works out what a container runs, from its image and what is asked.
func (c *container) process(s dyno.Spec) (bundle.Process, error) {
	img := c.image.Config.Config
	user, err := c.bundle.User(img.User)
	if err != nil {
		return bundle.Process{}, err
	}
	if user.UID == 0 {
		return bundle.Process{}, ErrRoot
	}
	args, err := c.args(s)
	if err != nil {
		return bundle.Process{}, err
	}
	p := bundle.Process{
		// The init sends signals to the whole group of its child, so that a
		// shell's children hear of them.
		Args:            append([]string{initPath, "-g", "--"}, args...),
		Env:             environment(img.Env, s),
		Dir:             img.WorkingDir,
		User:            user,
		NoNewPrivileges: true,
		DropCaps:        []string{"ALL"},
	}
	if s.TTY {
		p.Terminal = terminalSize(s.Size)
	}
	return p, nil
}

func (c *container) args(s dyno.Spec) ([]string, error) {
	if s.Type == "" {
		return []string{launcher, s.Command}, c.has(launcher, "the slug has no launcher, so it runs no commands: push again with another builder")
	}
	missing := fmt.Sprintf("the slug has no process type %q: add it to the Procfile and push again", s.Type)
	if !goodType.MatchString(s.Type) {
		return nil, fmt.Errorf("%s: %w", missing, dyno.ErrNotFound)
	}
	return []string{processes + s.Type}, c.has(processes+s.Type, missing)
}

func (c *container) has(path, otherwise string) error {
	f, err := c.bundle.Root().OpenPath(path)
	if err != nil {
		return fmt.Errorf("%s: %w", otherwise, dyno.ErrNotFound)
	}
	return f.Close()
}

// environment is the image's with the dyno's on top.
func environment(image []string, s dyno.Spec) []string {
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

func terminalSize(s dyno.Size) *bundle.Size {
	if s.Columns == 0 || s.Rows == 0 {
		return &bundle.Size{Columns: 80, Rows: 24}
	}
	return &bundle.Size{Columns: s.Columns, Rows: s.Rows}
}
