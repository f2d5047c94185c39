package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

func (c *cli) domainsInfo() *cobra.Command {
	return c.completeArgs(c.withJSON(c.withApp(&cobra.Command{
		Use:     "domains:info HOSTNAME",
		Short:   "Show what is known of a host name",
		Example: "  slipway domains:info www.example.com -a hello",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, name []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			d, err := c.client().Domain(cmd.Context(), app, name[0])
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(d)
			}
			c.object([]field{
				{"app", app},
				{"cname", text(d.CNAME)},
				{"created_at", d.CreatedAt.Format(time.RFC3339)},
				{"hostname", d.Hostname},
				{"id", d.ID},
				{"kind", d.Kind},
				{"status", d.Status},
				{"updated_at", d.UpdatedAt.Format(time.RFC3339)},
			})
			return nil
		},
	})), false, c.domainNames())
}

func (c *cli) domainsClear() *cobra.Command {
	return c.withJSON(c.withApp(&cobra.Command{
		Use:     "domains:clear",
		Short:   "Take all host names away from an app but its own",
		Example: "  slipway domains:clear -a hello",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			app, err := c.appName(ctx)
			if err != nil {
				return err
			}
			gone := []wire.Domain{}
			err = c.doing("Removing all domains from "+c.hex(app), func() (string, error) {
				all, err := c.client().Domains(ctx, app)
				if err != nil {
					return "", err
				}
				for _, d := range all {
					if d.Kind != customDomain {
						continue
					}
					removed, err := c.client().RemoveDomain(ctx, app, d.Hostname)
					if err != nil {
						return "", fmt.Errorf("remove %s, after %d others: %w", d.Hostname, len(gone), err)
					}
					gone = append(gone, removed)
				}
				return "", nil
			})
			if err == nil && c.json {
				return c.printJSON(gone)
			}
			return err
		},
	}))
}

const (
	// pendingDomain is the status of a host name that is not in use yet, and
	// failedDomain that of one that will never be.
	pendingDomain = "pending"
	failedDomain  = "failed"
)

func (c *cli) domainsWait() *cobra.Command {
	return c.completeArgs(c.withJSON(c.withApp(&cobra.Command{
		Use:     "domains:wait [HOSTNAME]",
		Short:   "Wait until host names are in use (all by default)",
		Example: "  slipway domains:wait www.example.com -a hello",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, name []string) error {
			ctx := cmd.Context()
			app, err := c.appName(ctx)
			if err != nil {
				return err
			}
			all, err := c.domainsToWaitFor(ctx, app, name)
			if err != nil {
				return err
			}
			for i, d := range all {
				if all[i], err = c.waitForDomain(ctx, app, d); err != nil {
					return err
				}
			}
			if c.json {
				return c.printJSON(all)
			}
			return nil
		},
	})), false, c.domainNames())
}

// domainsToWaitFor is the host name that is given, or those that are pending.
func (c *cli) domainsToWaitFor(ctx context.Context, app string, name []string) ([]wire.Domain, error) {
	if len(name) > 0 {
		d, err := c.client().Domain(ctx, app, name[0])
		return []wire.Domain{d}, err
	}
	all, err := c.client().Domains(ctx, app)
	pending := []wire.Domain{}
	for _, d := range all {
		if d.Status == pendingDomain {
			pending = append(pending, d)
		}
	}
	return pending, err
}

// waitForDomain waits until a host name is in use, and returns what it is then.
func (c *cli) waitForDomain(ctx context.Context, app string, d wire.Domain) (wire.Domain, error) {
	name := d.Hostname
	err := c.doing("Waiting for "+c.paint(green, name), func() (_ string, err error) {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for d.Status == pendingDomain {
			select {
			case <-ctx.Done():
				return "", fmt.Errorf("stopped before %s was in use: %w", name, ctx.Err())
			case <-tick.C:
			}
			if d, err = c.client().Domain(ctx, app, name); err != nil {
				return "", err
			}
		}
		if d.Status == failedDomain {
			return "", fmt.Errorf("the host name %s could not be added: remove it with slipway domains:remove, and add it again", name)
		}
		return "", nil
	})
	return d, err
}
