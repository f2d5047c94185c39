package cli

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func (c *cli) audit() *cobra.Command {
	num := newest
	cmd := &cobra.Command{
		Use:     "audit",
		Short:   "List who changed what of an app, the newest first",
		Example: "  slipway audit -a hello\n  slipway audit -a hello -n 100 --json",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			all, err := c.client().Audits(cmd.Context(), app, num)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(all)
			}
			c.printf("=== ⬢ %s Audit\n\n", app)
			table := tabwriter.NewWriter(c.Stdout, 0, 0, 2, ' ', 0)
			var w io.Writer = table
			for _, a := range all {
				by := a.Actor.Email
				if a.Actor.From != "" {
					by += " from " + a.Actor.From
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", a.CreatedAt.Local().Format(timeLayout), by, a.Action, a.Details)
			}
			return table.Flush()
		},
	}
	cmd.Flags().IntVarP(&num, "num", "n", newest, "how many")
	return c.withJSON(c.withApp(cmd))
}
