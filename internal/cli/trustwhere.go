package cli

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// debianCA is where Debian and its kind look for authorities that were added.
const debianCA = "/usr/local/share/ca-certificates"

// updateCA is the program by which they take them over.
const updateCA = "update-ca-certificates"

// gitKey is git's setting of whom it trusts for a server, instead of all that it
// trusts otherwise.
func gitKey(host string) string { return "http.https://" + host + "/.sslCAInfo" }

func (c *cli) trustByGit(ctx context.Context, host, file string) error {
	if _, err := exec.LookPath("git"); err != nil {
		return errors.New("git is not installed: install it, or leave --git out")
	}
	if _, err := git(ctx, "config", "--global", "--replace-all", gitKey(host), file); err != nil {
		return err
	}
	if slices.ContainsFunc(c.Environ, func(pair string) bool { return strings.HasPrefix(pair, "GIT_SSL_CAINFO=") }) {
		c.note("git would rather believe the variable GIT_SSL_CAINFO: unset it")
	}
	return nil
}

// systemFile is what is installed for the system to trust.
func (c *cli) systemFile(host string) string {
	dir := c.SystemCA
	if dir == "" {
		dir = debianCA
	}
	return filepath.Join(dir, "slipway-"+caName(host)+".crt")
}

func (c *cli) trustBySystem(ctx context.Context, host, saved string, cert *x509.Certificate) error {
	if _, err := exec.LookPath(updateCA); err != nil {
		return fmt.Errorf("this system has no %s, as Debian has: run slipway trust without --system, which says how to do it by hand", updateCA)
	}
	file := c.systemFile(host)
	err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}), 0o644)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("only root may change what this system trusts: run sudo env SLIPWAY_URL=%s %s trust --system --ca %s",
			shellQuote(c.URL), shellQuote(c.Executable), shellQuote(saved))
	}
	if err != nil {
		return fmt.Errorf("install certificate: %w", err)
	}
	return runUpdateCA(ctx)
}

func runUpdateCA(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, updateCA, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", updateCA, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// distrust undoes what trust has done. The system comes first, since it may need
// root, so that all can be tried again.
func (c *cli) distrust(ctx context.Context, host string) error {
	file := c.systemFile(host)
	err := os.Remove(file)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("only root may change what this system trusts: run sudo env SLIPWAY_URL=%s %s trust --uninstall, and then the same without sudo",
			shellQuote(c.URL), shellQuote(c.Executable))
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("remove certificate: %w", err)
	case err == nil:
		if err := runUpdateCA(ctx, "--fresh"); err != nil {
			return err
		}
	}
	if _, err := exec.LookPath("git"); err == nil {
		if _, err := git(ctx, "config", "--global", "--get-all", gitKey(host)); err == nil {
			if _, err := git(ctx, "config", "--global", "--unset-all", gitKey(host)); err != nil {
				return err
			}
		}
	}
	if err := os.Remove(c.caFile(host)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove certificate: %w", err)
	}
	if c.json {
		return c.printJSON(map[string]string{"url": "https://" + host})
	}
	c.printf("The authority of https://%s is trusted no more\n", host)
	return nil
}

// explainTrust says who trusts the authority, and how others come to.
func (c *cli) explainTrust(host string, now trusted, t trust) {
	file := shellQuote(now.File)
	c.printf("%s (until %s)\nSHA-256 %s\nsaved in %s\n\n", now.Subject, now.NotAfter.UTC().Format("2006-01-02"), now.Fingerprint, now.File)
	line := func(who, done string, how ...string) {
		if done != "" {
			how = []string{done}
		}
		c.printf("%-17s %s\n", who, strings.Join(how, "\n"+strings.Repeat(" ", 18)))
	}
	did := func(is bool) string {
		if is {
			return "trusts it now"
		}
		return ""
	}
	line("slipway", "", "export SLIPWAY_URL="+now.URL)
	line("git", did(t.git), "slipway trust --git", "or: git config --global "+gitKey(host)+" "+file)
	line("heroku, Node.js", "", "export NODE_EXTRA_CA_CERTS="+file)
	line("curl", "", "curl --cacert "+file+" "+now.URL)
	line("Python", "", "export REQUESTS_CA_BUNDLE="+file+"    (requests: this authority and no other)", "ssl.create_default_context(cafile="+fmt.Sprintf("%q", now.File)+")")
	line("Docker, skopeo", "", "sudo mkdir -p /etc/docker/certs.d/"+host+" && sudo cp "+file+" /etc/docker/certs.d/"+host+"/ca.crt")
	line("this system", did(t.system), systemCommands(runtime.GOOS, file, "slipway-"+caName(host))...)
	c.printf("\nTo undo it: slipway trust --uninstall\n")
}

// systemCommands are the lines by which a system comes to trust a certificate.
func systemCommands(goos, file, name string) []string {
	debian := "sudo cp " + file + " " + debianCA + "/" + name + ".crt && sudo " + updateCA
	fedora := "sudo cp " + file + " /etc/pki/ca-trust/source/anchors/" + name + ".pem && sudo update-ca-trust"
	if goos == "darwin" {
		return []string{"sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain " + file}
	}
	if _, err := exec.LookPath(updateCA); err == nil {
		return []string{debian}
	}
	if _, err := exec.LookPath("update-ca-trust"); err == nil {
		return []string{fedora}
	}
	return []string{"Debian, Ubuntu: " + debian, "Fedora: " + fedora}
}
