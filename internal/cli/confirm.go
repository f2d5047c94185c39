package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

func (c *cli) withConfirm(cmd *cobra.Command, confirm *string) {
	cmd.Flags().StringVarP(confirm, "confirm", "c", "", "the app's name, instead of being asked for it")
}

// confirm lets the person type an app's name before something is done that
// cannot be undone. The name may have been given with --confirm.
func (c *cli) confirm(app, given, what string) error {
	if given == "" {
		fmt.Fprintf(c.Stderr, " !     %s\n\nTo proceed, type %s or re-run this command with --confirm %s: ",
			what, c.paintFor(c.Stderr, yellow, app), app)
		line, err := bufio.NewReader(io.LimitReader(c.Stdin, maxInput)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read confirmation: %w", err)
		}
		if err != nil {
			fmt.Fprintln(c.Stderr) // the line that nobody ended
		}
		given = strings.TrimSpace(line)
	}
	if given != app {
		return fmt.Errorf("%q is not %q: nothing was changed", given, app)
	}
	return nil
}

// agree asks a question that is answered with y or n.
func (c *cli) agree(question string) (bool, error) {
	fmt.Fprintf(c.Stderr, "%s [y/n]: ", question)
	line, err := bufio.NewReader(io.LimitReader(c.Stdin, maxInput)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("read answer: %w", err)
	}
	if err != nil {
		fmt.Fprintln(c.Stderr) // the line that nobody ended
	}
	return strings.HasPrefix(strings.ToLower(strings.TrimSpace(line)), "y"), nil
}
