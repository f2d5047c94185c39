package cli

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// A trust is what is done about a server's own certificate authority.
type trust struct {
	file        string // --ca
	fingerprint string // --fingerprint
	git         bool
	system      bool
	uninstall   bool
}

func (c *cli) trust() *cobra.Command {
	var t trust
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "Trust the server's own certificate authority",
		Long: `Fetch the certificate of the server's own authority, by which https://HOST works
as http://HOST does, save it, and say how git, Node.js (Heroku's command line),
curl, Python and this system come to trust it. slipway itself does from then on.

Whoever is between you and the server could give you another certificate. So
compare its fingerprint with the one in the server's log ("certificate authority
ready"), or give it with --fingerprint; or copy the file DATA/ca/ca.pem from the
server yourself, and give it with --ca. The authority can sign for the names and
addresses of this server and its apps only.`,
		Example: `  slipway trust --git
  slipway trust --fingerprint 1A:2B:…
  slipway trust --ca ~/.local/share/slipway/ca/ca.pem
  sudo slipway trust --system --ca ~/.local/share/slipway/ca/ca.pem
  slipway trust --uninstall`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			where, err := url.Parse(c.URL)
			if err != nil || where.Host == "" {
				return usageError{fmt.Errorf("SLIPWAY_URL is %q: write http://HOST:PORT", c.URL)}
			}
			if t.uninstall && (t.file != "" || t.fingerprint != "" || t.git || t.system) {
				return usageError{errors.New("--uninstall undoes everything: give it alone")}
			}
			if t.uninstall {
				return c.distrust(cmd.Context(), where.Host)
			}
			return c.trustServer(cmd.Context(), where.Host, t)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&t.file, "ca", "", "read the certificate from this file, instead of asking the server")
	flags.StringVar(&t.fingerprint, "fingerprint", "", "its SHA-256, instead of being asked")
	flags.BoolVar(&t.git, "git", false, "let git trust it for this server (git config --global)")
	flags.BoolVar(&t.system, "system", false, "let this system trust it, if it is Debian or one of its kind; needs root")
	flags.BoolVar(&t.uninstall, "uninstall", false, "undo all of this")
	return c.withJSON(cmd)
}

// trusted is what --json prints.
type trusted struct {
	URL         string    `json:"url"`
	File        string    `json:"file"`
	Subject     string    `json:"subject"`
	Fingerprint string    `json:"sha256"`
	NotAfter    time.Time `json:"not_after"`
}

func (c *cli) trustServer(ctx context.Context, host string, t trust) error {
	raw, err := c.findCA(ctx, t.file)
	if err != nil {
		return err
	}
	cert, err := parseCA(raw)
	if err != nil {
		return err
	}
	now := trusted{URL: "https://" + host, File: c.caFile(host), Subject: cert.Subject.CommonName, Fingerprint: fingerprintOf(cert), NotAfter: cert.NotAfter}
	if err := c.checkCA(cert, now, t); err != nil {
		return err
	}
	if err := saveCA(now.File, cert); err != nil {
		return err
	}
	if t.git {
		if err := c.trustByGit(ctx, host, now.File); err != nil {
			return err
		}
	}
	if t.system {
		if err := c.trustBySystem(ctx, host, now.File, cert); err != nil {
			return err
		}
	}
	if c.json {
		return c.printJSON(now)
	}
	c.explainTrust(host, now, t)
	return nil
}

// findCA reads the certificate from a file, or asks the server.
func (c *cli) findCA(ctx context.Context, file string) ([]byte, error) {
	if file == "" {
		return c.client().CA(ctx)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	return readAll(f)
}

func parseCA(raw []byte) (*x509.Certificate, error) {
	block, rest := pem.Decode(raw)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("this is no certificate in PEM: give the server's DATA/ca/ca.pem")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w: give the server's DATA/ca/ca.pem", err)
	}
	if more, _ := pem.Decode(rest); more != nil || !cert.IsCA {
		return nil, errors.New("this is not the certificate of one authority alone: give the server's DATA/ca/ca.pem")
	}
	if time.Now().After(cert.NotAfter) {
		return nil, fmt.Errorf("the certificate expired on %s: restart the server, and it makes a new one", cert.NotAfter.UTC().Format(time.DateOnly))
	}
	return cert, nil
}

// fingerprintOf is the SHA-256 of a certificate, as openssl shows it.
func fingerprintOf(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")
}

// checkCA makes sure that the certificate is the one that the person means.
func (c *cli) checkCA(cert *x509.Certificate, now trusted, t trust) error {
	plain := strings.NewReplacer(":", "", " ", "")
	given := strings.TrimPrefix(strings.ToUpper(t.fingerprint), "SHA256:")
	switch {
	case given != "" && plain.Replace(given) != plain.Replace(now.Fingerprint):
		return fmt.Errorf("the certificate's fingerprint is %s, and not the one that was given: nothing was changed; ask whoever runs the server", now.Fingerprint)
	case given != "", t.file != "", c.hasCA(now.File, cert):
		return nil
	}
	fmt.Fprintf(c.Stderr, "The authority of %s is %s, with the fingerprint (SHA-256)\n\n    %s\n\n", now.URL, now.Subject, now.Fingerprint)
	ok, err := c.agree("Does the server's log say the same, and do you trust it?")
	if err == nil && !ok {
		err = errors.New("nothing was changed: compare the fingerprint, then answer y, or give it with --fingerprint, or the file with --ca")
	}
	return err
}

// caFile is where a server's authority is saved.
func (c *cli) caFile(host string) string {
	return filepath.Join(c.ConfigDir, "ca", caName(host)+".pem")
}

// caName is a server's HOST:PORT as a part of a file's name.
func caName(host string) string {
	return strings.NewReplacer(":", "_", "[", "", "]", "", "/", "_").Replace(strings.ToLower(host))
}

// savedCA is the authority that was saved for a server, in PEM; nil if none was.
func (c *cli) savedCA() []byte {
	where, err := url.Parse(c.URL)
	if err != nil || where.Scheme != "https" {
		return nil
	}
	raw, err := os.ReadFile(c.caFile(where.Host))
	if err != nil {
		return nil
	}
	return raw
}

func (c *cli) hasCA(file string, cert *x509.Certificate) bool {
	raw, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	block, _ := pem.Decode(raw)
	return block != nil && string(block.Bytes) == string(cert.Raw)
}

// saveCA saves an authority so that the file is whole or not there at all.
func saveCA(file string, cert *x509.Certificate) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("save certificate: %w", err)
	}
	raw := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	if err := os.WriteFile(file+".new", raw, 0o644); err != nil {
		return fmt.Errorf("save certificate: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("save certificate: %w", err)
	}
	return nil
}
