package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

const (
	// platformSource is the source of the lines that apps did not write, and
	// herokuSource what scripts may call it.
	platformSource = "slipway"
	herokuSource   = "heroku"
)

// defaultLines is how many past lines "slipway logs" shows.
const defaultLines = 100

func (c *cli) logs() *cobra.Command {
	var o wire.LogSessionCreate
	var num int
	var also [3]string // other names of --dyno
	cmd := &cobra.Command{
		Use:     "logs",
		Short:   "Show an app's log",
		Example: "  slipway logs -a hello\n  slipway logs --tail --dyno web -a hello\n  slipway logs -n 1500 --source slipway -a hello",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if num < 0 {
				return usageError{fmt.Errorf("%d is no number of lines: write 0 or more", num)}
			}
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			for _, name := range also {
				o.Dyno = cmp.Or(o.Dyno, name)
			}
			if o.Source == herokuSource {
				o.Source = platformSource
			}
			o.Lines = &num
			return c.showLog(cmd.Context(), app, o)
		},
	}
	flags := cmd.Flags()
	flags.IntVarP(&num, "num", "n", defaultLines, "how many past lines (1500 are kept)")
	flags.BoolVarP(&o.Tail, "tail", "t", false, "go on with new lines as they come")
	flags.StringVarP(&o.Source, "source", "s", "", `only lines from "app" or "slipway" ("heroku" is the same)`)
	flags.StringVarP(&o.Dyno, "dyno", "d", "", "only lines of this dyno (web.1) or process type (web)")
	flags.StringVarP(&also[0], "process-type", "p", "", "only lines of this process type (web)")
	flags.StringVar(&also[1], "dyno-name", "", "the same as --dyno")
	flags.StringVar(&also[2], "ps", "", "the same as --dyno")
	exclusive(cmd, "dyno", "process-type", "dyno-name", "ps")
	c.completeFlag(cmd, "dyno", c.dynoNames())
	c.completeFlag(cmd, "process-type", c.typeNames(""))
	c.completeFlag(cmd, "source", func(context.Context) ([]string, error) { return []string{"app", platformSource}, nil })
	return c.withJSON(c.withApp(cmd))
}

// A logLine is a line of a log for --json, one object a line.
type logLine struct {
	Timestamp string `json:"timestamp"`
	Source    string `json:"source"`
	Dyno      string `json:"dyno"`
	Message   string `json:"message"`
}

// showLog prints an app's log.
func (c *cli) showLog(ctx context.Context, app string, o wire.LogSessionCreate) error {
	for line, err := range c.client().Logs(ctx, app, o) {
		if err != nil {
			return err
		}
		if err := c.printLine(line); err != nil {
			return fmt.Errorf("show the log: %w", err)
		}
	}
	return nil
}

func (c *cli) printLine(line string) error {
	head, message, found := strings.Cut(line, ": ")
	if !c.json {
		if found {
			head += ":"
			line = c.paint(logStyle(head), head) + " " + message
		}
		_, err := fmt.Fprintf(c.Stdout, "%s\n", line)
		return err
	}
	l := logLine{Message: message}
	l.Timestamp, head, _ = strings.Cut(head, " ")
	l.Source, head, _ = strings.Cut(head, "[")
	l.Dyno = strings.TrimSuffix(head, "]")
	return json.NewEncoder(c.Stdout).Encode(l)
}

// logStyle is the colour of what stands before a line: who says it.
func logStyle(head string) style {
	switch {
	case strings.Contains(head, " app["):
		return cyan
	case strings.Contains(head, "[router]"):
		return purple
	default:
		return yellow
	}
}
