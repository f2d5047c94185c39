package cli

import (
	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

func (c *cli) drains() *cobra.Command {
	return c.withJSON(c.withApp(&cobra.Command{
		Use:     "drains",
		Short:   "List where an app's log is sent to",
		Example: "  slipway drains -a hello",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			all, err := c.client().Drains(cmd.Context(), app)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(all)
			}
			if len(all) == 0 {
				c.printf("%s has no drains. Add one with slipway drains:add URL.\n", c.hex(app))
				return nil
			}
			c.header("Drains")
			for _, d := range all {
				c.printf("%s (%s)\n", d.URL, c.paint(green, d.Token))
			}
			return nil
		},
	}))
}

func (c *cli) drainsAdd() *cobra.Command {
	return c.withJSON(c.withApp(&cobra.Command{
		Use:     "drains:add URL",
		Short:   "Send an app's log to an address: syslog://, syslog+tls:// or https://",
		Example: "  slipway drains:add syslog+tls://logs.example.com:6514 -a hello",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, address []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			d, err := c.client().AddDrain(cmd.Context(), app, address[0])
			return c.printDrain("added", d, err)
		},
	}))
}

func (c *cli) drainsRemove() *cobra.Command {
	return c.completeArgs(c.withJSON(c.withApp(&cobra.Command{
		Use:     "drains:remove URL|TOKEN|ID",
		Short:   "Do not send an app's log to an address any more",
		Example: "  slipway drains:remove syslog+tls://logs.example.com:6514 -a hello",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, id []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			d, err := c.client().RemoveDrain(cmd.Context(), app, id[0])
			return c.printDrain("removed", d, err)
		},
	})), false, c.drainNames())
}

// printDrain says what was done to a drain, unless there was an error.
func (c *cli) printDrain(done string, d wire.Drain, err error) error {
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(d)
	}
	c.printf("Successfully %s drain %s\n", done, c.paint(green, d.URL))
	return nil
}
