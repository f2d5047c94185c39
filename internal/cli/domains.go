package cli

import (
	"net"
	"strings"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

// customDomain is the kind of host names that were added to an app.
const customDomain = "custom"

func (c *cli) domains() *cobra.Command {
	var csv bool
	cmd := &cobra.Command{
		Use:     "domains",
		Short:   "List an app's host names",
		Example: "  slipway domains -a hello\n  slipway domains -a hello --csv > domains.csv",
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
			c.printDomains(app, all, csv)
			return nil
		},
	}
	cmd.Flags().BoolVar(&csv, "csv", false, "print custom domains as comma-separated values")
	return c.withJSON(c.withApp(cmd))
}

func (c *cli) printDomains(app string, all []wire.Domain, csv bool) {
	var rows [][]string
	for _, d := range all {
		if d.Kind == customDomain {
			rows = append(rows, []string{d.Hostname, recordType(d.Hostname), text(d.CNAME)})
		} else {
			c.header("⬢ " + app + " Slipway Domain")
			c.printf("%s\n", c.paint(cyan, d.Hostname))
		}
	}
	if len(rows) == 0 {
		return
	}
	heads := []string{"Domain Name", "DNS Record Type", "DNS Target"}
	c.printf("\n")
	c.header("⬢ " + app + " Custom Domains")
	if !csv {
		c.table(heads, rows)
		return
	}
	for _, row := range append([][]string{heads}, rows...) {
		c.printf("%s\n", strings.Join(row, ",")) // no host name has a comma
	}
}

// recordType is what the DNS of a host name can have: a name with nothing before
// the registered domain cannot have a CNAME. Slipway doesn't know registries, so
// it takes two labels for such a name.
func recordType(hostname string) string {
	if net.ParseIP(hostname) == nil && strings.Count(hostname, ".") == 1 && !strings.HasPrefix(hostname, "*") {
		return "ALIAS or ANAME"
	}
	return "CNAME"
}

// text is what a string may be that may be missing.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (c *cli) domainsAdd() *cobra.Command {
	var cert string
	var wait bool
	cmd := &cobra.Command{
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
			err = c.doing("Adding "+c.paint(green, name[0])+" to "+c.hex(app), func() (string, error) {
				d, err = c.client().AddDomain(cmd.Context(), app, wire.DomainCreate{Hostname: name[0], Endpoint: some(cert)})
				return "", err
			})
			if err != nil {
				return err
			}
			if wait {
				if d, err = c.waitForDomain(cmd.Context(), app, d); err != nil {
					return err
				}
			}
			if c.json {
				return c.printJSON(d)
			}
			c.note("Configure your DNS so that %s leads to this server (%s).", d.Hostname, text(d.CNAME))
			return nil
		},
	}
	cmd.Flags().StringVarP(&cert, "cert", "c", "", "the name of the certificate to use for it (default: the one that fits)")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until the host name is in use")
	c.completeFlag(cmd, "cert", c.certNames())
	return c.withJSON(c.withApp(cmd))
}

// some is a text that is there only if it is not empty.
func some(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func (c *cli) domainsRemove() *cobra.Command {
	return c.completeArgs(c.withJSON(c.withApp(&cobra.Command{
		Use:     "domains:remove HOSTNAME",
		Short:   "Take a host name away from an app",
		Example: "  slipway domains:remove www.example.com -a hello",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, name []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			var gone wire.Domain
			err = c.doing("Removing "+c.paint(green, name[0])+" from "+c.hex(app), func() (_ string, err error) {
				gone, err = c.client().RemoveDomain(cmd.Context(), app, name[0])
				return "", err
			})
			if err == nil && c.json {
				return c.printJSON(gone)
			}
			return err
		},
	})), false, c.domainNames())
}
