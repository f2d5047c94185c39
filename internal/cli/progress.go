package cli

import (
	"fmt"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// frames are what turns on a terminal while something is done.
var frames = []string{"⣾", "⣽", "⣻", "⢿", "⡿", "⣟", "⣯", "⣷"}

// turn is how long a frame is shown.
const turn = 100 * time.Millisecond

// doing says what is done, does it, and says that it is done, or that it failed.
// With --json it says nothing. On a terminal something turns meanwhile, on
// standard error: standard output gets whole lines only.
func (c *cli) doing(what string, do func() (done string, err error)) error {
	if c.json {
		_, err := do()
		return err
	}
	stop := c.spin(what)
	if stop == nil {
		c.printf("%s... ", what)
	}
	done, err := do()
	if stop != nil {
		stop()
		c.printf("%s... ", what)
	}
	if err != nil {
		c.printf("%s\n", c.paint(red, "!"))
		return err
	}
	c.printf("done%s\n", done)
	return nil
}

// spin shows on a terminal that something is going on, until the function that it
// returns is called, which takes that away again. It is nil where there is no
// terminal, or where the text does not fit into a line of it.
func (c *cli) spin(what string) (stop func()) {
	fd := descriptor(c.Stderr)
	columns, _, err := term.GetSize(fd)
	if err != nil || c.Term == "dumb" || utf8.RuneCountInString(what)+len("... ")+2 > columns {
		return nil
	}
	ended, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(turn)
		defer tick.Stop()
		for n := 0; ; n++ {
			fmt.Fprintf(c.Stderr, "\r%s... %s", what, frames[n%len(frames)])
			select {
			case <-ended:
				fmt.Fprint(c.Stderr, "\r\x1b[2K")
				return
			case <-tick.C:
			}
		}
	}()
	return func() {
		close(ended)
		<-gone
	}
}
