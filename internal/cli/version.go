package cli

import "github.com/spf13/cobra"

func (c *cli) showVersion() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  slipway version",
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if c.json {
				return c.printJSON(map[string]string{"version": c.Version})
			}
			c.printf("slipway %s\n", c.Version)
			return nil
		},
	})
}
