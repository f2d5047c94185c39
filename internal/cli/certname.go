package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

// A certName is which certificate of an app is meant: by its name, or by a host
// name that it is for; the only one if both are empty.
type certName struct{ name, endpoint string }

func (c *cli) withCert(cmd *cobra.Command, n *certName) *cobra.Command {
	cmd.Flags().StringVar(&n.name, "name", "", "the certificate's name")
	cmd.Flags().StringVar(&n.endpoint, "endpoint", "", "a host name that the certificate is for")
	exclusive(cmd, "name", "endpoint")
	c.completeFlag(cmd, "name", c.certNames())
	return c.completeArgs(c.withJSON(c.withApp(cmd)), false, c.certNames())
}

// findCert finds the certificate that is meant. Its name may stand alone, too.
func (c *cli) findCert(ctx context.Context, n certName, given []string) (app string, _ wire.Cert, err error) {
	if len(given) > 0 {
		n.name = given[0]
	}
	if app, err = c.appName(ctx); err != nil {
		return "", wire.Cert{}, err
	}
	all, err := c.client().Certs(ctx, app)
	if err != nil {
		return "", wire.Cert{}, err
	}
	if len(all) == 0 {
		return "", wire.Cert{}, fmt.Errorf("⬢ %s has no SSL certificates: slipway certs:add CRT KEY adds one", app)
	}
	fitting := slices.DeleteFunc(slices.Clone(all), func(cert wire.Cert) bool {
		return (n.name != "" && cert.Name != n.name && cert.ID != n.name) ||
			(n.endpoint != "" && !slices.Contains(cert.SSLCert.Domains, n.endpoint))
	})
	switch {
	case len(fitting) == 0:
		return "", wire.Cert{}, fmt.Errorf("⬢ %s has no such certificate: slipway certs lists those that it has", app)
	case len(fitting) > 1:
		return "", wire.Cert{}, usageError{errors.New("which certificate? there are several: give --name, of those that slipway certs lists")}
	}
	return app, fitting[0], nil
}

// hostsOf are the host names of an app that a certificate is used for.
func (c *cli) hostsOf(ctx context.Context, app string, cert wire.Cert) ([]string, error) {
	all, err := c.client().Domains(ctx, app)
	var hosts []string
	for _, d := range all {
		if slices.Contains(cert.Domains, d.ID) {
			hosts = append(hosts, d.Hostname)
		}
	}
	return hosts, err
}

// printCert prints what a certificate says of itself, and the host names that it
// is used for if there are some to show, unless there was an error.
func (c *cli) printCert(cert wire.Cert, title string, err error, hosts ...string) error {
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(cert)
	}
	c.printf("%s\n", title)
	c.object([]field{
		{"Common Name(s)", strings.Join(cert.SSLCert.Domains, ", ")},
		{"Expires At", certTime(cert.SSLCert.ExpiresAt)},
		{"Issuer", cert.SSLCert.Issuer},
		{"Starts At", certTime(cert.SSLCert.StartsAt)},
		{"Subject", cert.SSLCert.Subject},
		{"Domain(s)", strings.Join(hosts, ", ")},
	})
	switch {
	case cert.SSLCert.CASigned:
		c.printf("SSL certificate is verified by a root authority.\n")
	case cert.SSLCert.SelfSigned:
		c.printf("SSL certificate is self signed.\n")
	default:
		c.printf("SSL certificate is not trusted.\n")
	}
	return nil
}

// certTime writes a time as Heroku does for certificates.
func certTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
