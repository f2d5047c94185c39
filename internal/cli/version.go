package cli

import "github.com/spf13/cobra"

func (c *cli) showVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  slipway version",
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			c.printf("slipway %s\n", c.Version)
			return nil
		},
	}
}
