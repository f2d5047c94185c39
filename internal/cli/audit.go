package cli

import (
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
			c.header("⬢ " + app + " Audit")
			rows := make([][]string, len(all))
			for i, a := range all {
				by := a.Actor.Email
				if a.Actor.From != "" {
					by += " from " + a.Actor.From
				}
				rows[i] = []string{a.CreatedAt.Local().Format(timeLayout), by, a.Action, a.Details}
			}
			c.table(nil, rows)
			return nil
		},
	}
	cmd.Flags().IntVarP(&num, "num", "n", newest, "how many")
	return c.withJSON(c.withApp(cmd))
}
