package cli

import (
	"fmt"
	"os"
	"strconv"
	"strings"

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
				c.printf("%s has no SSL certificates.\nUse slipway certs:add CRT KEY to add one.\n", c.hex(app))
				return nil
			}
			rows := make([][]string, len(all))
			for i, cert := range all {
				rows[i] = []string{
					cert.Name, strings.Join(cert.SSLCert.Domains, ", "), certTime(cert.SSLCert.ExpiresAt), signedByCA(cert), "SNI", strconv.Itoa(len(cert.Domains)),
				}
			}
			c.table([]string{"Name", "Common Name(s)", "Expires", "Trusted", "Type", "Domains"}, rows)
			return nil
		},
	}))
}

func signedByCA(cert wire.Cert) string {
	if cert.SSLCert.CASigned {
		return "True"
	}
	return "False"
}

func (c *cli) certsAdd() *cobra.Command {
	return c.withJSON(c.withApp(&cobra.Command{
		Use:     "certs:add CRT KEY",
		Short:   "Bring a TLS certificate: two files in PEM, the certificate's own first in the chain",
		Example: "  slipway certs:add fullchain.pem privkey.pem -a hello",
		Args:    args(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, files []string) error {
			chain, key, err := readPair(files)
			if err != nil {
				return err
			}
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			var cert wire.Cert
			err = c.doing("Adding SSL certificate to "+c.hex(app), func() (_ string, err error) {
				cert, err = c.client().AddCert(cmd.Context(), app, chain, key)
				return ", " + cert.Name, err
			})
			return c.printCert(cert, "Certificate details:", err)
		},
	}))
}

// readPair reads a certificate and its key.
func readPair(files []string) (chain, key string, err error) {
	if chain, err = readPart(files[0]); err != nil {
		return "", "", err
	}
	key, err = readPart(files[1])
	return chain, key, err
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

func (c *cli) certsInfo() *cobra.Command {
	var n certName
	var withHosts bool
	cmd := &cobra.Command{
		Use:     "certs:info [NAME]",
		Short:   "Show what a TLS certificate says of itself",
		Example: "  slipway certs:info -a hello\n  slipway certs:info --name cert-0123abcd -a hello",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			app, cert, err := c.findCert(cmd.Context(), n, given)
			var hosts []string
			if err == nil && withHosts {
				hosts, err = c.hostsOf(cmd.Context(), app, cert)
			}
			return c.printCert(cert, "Certificate details:", err, hosts...)
		},
	}
	cmd.Flags().BoolVar(&withHosts, "show-domains", false, "show the app's host names that it is used for")
	return c.withCert(cmd, &n)
}

func (c *cli) certsUpdate() *cobra.Command {
	var n certName
	var confirm string
	cmd := &cobra.Command{
		Use:     "certs:update CRT KEY",
		Short:   "Put another TLS certificate in the place of one",
		Example: "  slipway certs:update fullchain.pem privkey.pem -a hello --confirm hello",
		Args:    args(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, files []string) error {
			chain, key, err := readPair(files)
			if err != nil {
				return err
			}
			app, old, err := c.findCert(cmd.Context(), n, nil)
			if err != nil {
				return err
			}
			if err := c.confirm(app, confirm, "This will change the certificate "+old.Name+" of ⬢ "+app+"."); err != nil {
				return err
			}
			var cert wire.Cert
			err = c.doing("Updating SSL certificate "+old.Name+" for "+c.hex(app), func() (_ string, err error) {
				cert, err = c.client().UpdateCert(cmd.Context(), app, old.Name, chain, key)
				return "", err
			})
			return c.printCert(cert, "Updated certificate details:", err)
		},
	}
	c.withConfirm(cmd, &confirm)
	c.withCert(cmd, &n).ValidArgsFunction = nil // files come next
	return cmd
}

func (c *cli) certsRemove() *cobra.Command {
	var n certName
	var confirm string
	cmd := &cobra.Command{
		Use:     "certs:remove [NAME]",
		Short:   "Remove a TLS certificate that you brought",
		Example: "  slipway certs:remove -a hello\n  slipway certs:remove --name cert-0123abcd -a hello --confirm hello",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			app, cert, err := c.findCert(cmd.Context(), n, given)
			if err != nil {
				return err
			}
			if err := c.confirm(app, confirm, "This will remove the certificate "+cert.Name+" from ⬢ "+app+", for good."); err != nil {
				return err
			}
			err = c.doing("Removing SSL certificate "+cert.Name+" from "+c.hex(app), func() (string, error) {
				_, err := c.client().RemoveCert(cmd.Context(), app, cert.Name)
				return "", err
			})
			if err == nil && c.json {
				return c.printJSON(cert)
			}
			return err
		},
	}
	c.withConfirm(cmd, &confirm)
	return c.withCert(cmd, &n)
}
