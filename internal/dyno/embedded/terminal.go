package embedded

import (
	"io"

	"slipway/internal/bundle"
	"slipway/internal/dyno"
	"slipway/internal/dyno/launch"
)

// streams are what the process gets. With a terminal, we keep the caller's
// ends to copy from and to.
func (c *container) streams(p bundle.Process, s dyno.Stdio) (bundle.Stdio, error) {
	if p.Terminal == nil {
		return bundle.Stdio{Stdin: s.Stdin, Stdout: s.Stdout, Stderr: s.Stderr}, nil
	}
	var err error
	if c.stdin, err = launch.Duplicate(s.Stdin); err != nil {
		return bundle.Stdio{}, err
	}
	c.stdout, err = launch.Duplicate(s.Stdout)
	return bundle.Stdio{}, err
}

// copy starts to copy between the terminal, if there is one, and the caller's
// ends.
func (c *container) copy() {
	term := c.bundle.Terminal()
	if term == nil {
		close(c.copied)
		return
	}
	c.copying.Go(func() {
		defer close(c.copied)
		if c.stdout != nil {
			_, _ = io.Copy(c.stdout, term) // ends with an error always
			launch.Close(c.stdout)         // so that its reader sees the end
		}
		// A process whose reader has left must not wait for it.
		_, _ = io.Copy(io.Discard, term)
	})
	if c.stdin != nil {
		c.copying.Go(func() { launch.CopyInput(term, c.stdin) })
	}
}
