package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

func (c *cli) certs() *cobra.Command {
	return c.withJSON(c.withApp(&cobra.Command{
		Use:     "certs",
		Short:   "List the TLS certificates that you brought for an app",
		Example: "  slipway certs -a hello",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			all, err := c.client().Certs(cmd.Context(), app)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(all)
			}
			if len(all) == 0 {
				c.printf("⬢ %s has no SSL certificates of its own. Add one with slipway certs:add CHAIN KEY.\n", app)
				return nil
			}
			table := tabwriter.NewWriter(c.Stdout, 0, 0, 2, ' ', 0)
			var w io.Writer = table
			fmt.Fprint(w, "Name\tCommon Name(s)\tExpires\n")
			for _, cert := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\n", cert.Name, strings.Join(cert.Domains, ", "), cert.SSLCert.ExpiresAt.Local().Format(timeLayout))
			}
			return table.Flush()
		},
	}))
}

func (c *cli) certsAdd() *cobra.Command {
	return c.withJSON(c.withApp(&cobra.Command{
		Use:     "certs:add CHAIN KEY",
		Short:   "Bring a TLS certificate: two files in PEM, the certificate's own first in the chain",
		Example: "  slipway certs:add fullchain.pem privkey.pem -a hello",
		Args:    args(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, files []string) error {
			chain, err := readPart(files[0])
			if err != nil {
				return err
			}
			key, err := readPart(files[1])
			if err != nil {
				return err
			}
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			var cert wire.Cert
			err = c.doing("Adding SSL certificate to ⬢ "+app, func() (string, error) {
				cert, err = c.client().AddCert(cmd.Context(), app, chain, key)
				return ", " + cert.Name, err
			})
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(cert)
			}
			c.printf("Common Name(s): %s\nExpires:        %s\n", strings.Join(cert.Domains, ", "), cert.SSLCert.ExpiresAt.Local().Format(timeLayout))
			return nil
		},
	}))
}

// readPart reads a part of a certificate; a file that is too long is none.
func readPart(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read certificate: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	raw, err := readAll(f)
	if err != nil {
		return "", fmt.Errorf("read certificate: %w", err)
	}
	return string(raw), nil
}

func (c *cli) certsRemove() *cobra.Command {
	return c.withApp(&cobra.Command{
		Use:     "certs:remove NAME",
		Short:   "Remove a TLS certificate that you brought",
		Example: "  slipway certs:remove cert-0123abcd -a hello",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, name []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			return c.doing("Removing SSL certificate "+name[0]+" from ⬢ "+app, func() (string, error) {
				return "", c.client().RemoveCert(cmd.Context(), app, name[0])
			})
		},
	})
}
