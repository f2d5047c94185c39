package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

// defaultLines is how many past lines "slipway logs" shows.
const defaultLines = 100

func (c *cli) logs() *cobra.Command {
	var o wire.LogSessionCreate
	var num int
	var ps string
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
			if ps != "" {
				o.Dyno = ps
			}
			o.Lines = &num
			for line, err := range c.client().Logs(cmd.Context(), app, o) {
				if err != nil {
					return err
				}
				if err := c.printLine(line); err != nil {
					return fmt.Errorf("show the log: %w", err)
				}
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.IntVarP(&num, "num", "n", defaultLines, "how many past lines (1500 are kept)")
	flags.BoolVarP(&o.Tail, "tail", "t", false, "go on with new lines as they come")
	flags.StringVarP(&o.Source, "source", "s", "", `only lines from "app" or "slipway"`)
	flags.StringVarP(&o.Dyno, "dyno", "d", "", "only lines of this dyno (web.1) or process type (web)")
	flags.StringVar(&ps, "ps", "", "the same as --dyno")
	return c.withJSON(c.withApp(cmd))
}

// A logLine is a line of a log for --json, one object a line.
type logLine struct {
	Timestamp string `json:"timestamp"`
	Source    string `json:"source"`
	Dyno      string `json:"dyno"`
	Message   string `json:"message"`
}

func (c *cli) printLine(line string) error {
	if !c.json {
		_, err := fmt.Fprintf(c.Stdout, "%s\n", line)
		return err
	}
	var l logLine
	head, message, _ := strings.Cut(line, ": ")
	l.Message = message
	l.Timestamp, head, _ = strings.Cut(head, " ")
	l.Source, head, _ = strings.Cut(head, "[")
	l.Dyno = strings.TrimSuffix(head, "]")
	return json.NewEncoder(c.Stdout).Encode(l)
}
