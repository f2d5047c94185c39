package cli

import (
	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

func (c *cli) maintenance() *cobra.Command {
	return c.withJSON(c.withApp(&cobra.Command{
		Use:     "maintenance",
		Short:   "Show whether an app is in maintenance mode",
		Example: "  slipway maintenance -a hello",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			name, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			app, err := c.client().App(cmd.Context(), name)
			switch {
			case err != nil:
				return err
			case c.json:
				return c.printJSON(app)
			case app.Maintenance:
				c.printf("on\n")
			default:
				c.printf("off\n")
			}
			return nil
		},
	}))
}

func (c *cli) maintenanceOn() *cobra.Command {
	return c.setMaintenance(true, &cobra.Command{
		Use:   "maintenance:on",
		Short: "Show a maintenance page instead of the app",
		Long: `Show a maintenance page instead of the app. Its dynos go on, but get no requests.

The config var MAINTENANCE_PAGE_URL may name a page of your own.`,
		Example: "  slipway maintenance:on -a hello",
	})
}

func (c *cli) maintenanceOff() *cobra.Command {
	return c.setMaintenance(false, &cobra.Command{
		Use:     "maintenance:off",
		Short:   "Show the app again",
		Example: "  slipway maintenance:off -a hello",
	})
}

func (c *cli) setMaintenance(on bool, cmd *cobra.Command) *cobra.Command {
	doing := "Disabling"
	if on {
		doing = "Enabling"
	}
	cmd.Args = args(cobra.NoArgs)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		name, err := c.appName(cmd.Context())
		if err != nil {
			return err
		}
		var app wire.App
		err = c.doing(doing+" maintenance mode for ⬢ "+name, func() (string, error) {
			app, err = c.client().UpdateApp(cmd.Context(), name, wire.AppUpdate{Maintenance: &on})
			return "", err
		})
		if err == nil && c.json {
			return c.printJSON(app)
		}
		return err
	}
	return c.withJSON(c.withApp(cmd))
}
