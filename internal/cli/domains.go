package cli

import (
	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

func (c *cli) domains() *cobra.Command {
	return c.withJSON(c.withApp(&cobra.Command{
		Use:     "domains",
		Short:   "List an app's host names",
		Example: "  slipway domains -a hello",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			all, err := c.client().Domains(cmd.Context(), app)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(all)
			}
			custom := 0
			for _, d := range all {
				if d.Kind == "custom" {
					custom++
					continue
				}
				c.printf("=== ⬢ %s Slipway Domain\n\n%s\n", app, d.Hostname)
			}
			if custom > 0 {
				c.printf("\n=== ⬢ %s Custom Domains\n\n", app)
			}
			for _, d := range all {
				if d.Kind == "custom" {
					c.printf("%s\n", d.Hostname)
				}
			}
			return nil
		},
	}))
}

func (c *cli) domainsAdd() *cobra.Command {
	return c.withJSON(c.withApp(&cobra.Command{
		Use:     "domains:add HOSTNAME",
		Short:   "Give an app a host name",
		Example: "  slipway domains:add www.example.com -a hello\n  slipway domains:add '*.example.com' -a hello",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, name []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			var d wire.Domain
			err = c.doing("Adding "+name[0]+" to ⬢ "+app, func() (string, error) {
				d, err = c.client().AddDomain(cmd.Context(), app, name[0])
				return "", err
			})
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(d)
			}
			c.note("Let the DNS of %s lead to this server.", d.Hostname)
			return nil
		},
	}))
}

func (c *cli) domainsRemove() *cobra.Command {
	return c.withApp(&cobra.Command{
		Use:     "domains:remove HOSTNAME",
		Short:   "Take a host name away from an app",
		Example: "  slipway domains:remove www.example.com -a hello",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, name []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			return c.doing("Removing "+name[0]+" from ⬢ "+app, func() (string, error) {
				return "", c.client().RemoveDomain(cmd.Context(), app, name[0])
			})
		},
	})
}
