package embedded

import (
	"errors"
	"io/fs"

	"slipway/internal/bundle"
	"slipway/internal/dyno"
	"slipway/internal/dyno/launch"
)

// initPath is where the init program lies in a container.
const initPath = "/.slipway/init"

// process works out what a container runs, from its image and what is asked.
func (c *container) process(s dyno.Spec) (bundle.Process, error) {
	img := c.image.Config.Config
	user, err := c.bundle.User(img.User)
	if err != nil {
		return bundle.Process{}, err
	}
	if user.UID == 0 {
		return bundle.Process{}, launch.ErrRoot
	}
	args, err := launch.Args(s)
	if err != nil {
		return bundle.Process{}, err
	}
	if err := c.has(args[0], s); err != nil {
		return bundle.Process{}, err
	}
	p := bundle.Process{
		// The init sends signals to the whole group of its child, so that a
		// shell's children hear of them.
		Args:            append([]string{initPath, "-g", "--"}, args...),
		Env:             launch.Environment(img.Env, s),
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

func (c *container) has(path string, s dyno.Spec) error {
	f, err := c.bundle.Root().OpenPath(path)
	if errors.Is(err, fs.ErrNotExist) {
		return launch.Missing(s)
	}
	if err != nil {
		return err
	}
	return f.Close()
}

func terminalSize(s dyno.Size) *bundle.Size {
	s = launch.TerminalSize(s)
	return &bundle.Size{Columns: s.Columns, Rows: s.Rows}
}
