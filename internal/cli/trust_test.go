package cli_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"slipway/internal/ca"
	"slipway/internal/cli"
)

// A truster is a person at a server with an authority of its own.
type truster struct {
	t         *testing.T
	authority *ca.Authority
	url       string
	host      string
	cfg       cli.Config
}

// newTruster starts the server, which has an API without apps.
func newTruster(t *testing.T) *truster {
	t.Helper()
	authority, err := ca.Open(ca.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ca.pem", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(authority.PEM()) })
	mux.HandleFunc("GET /apps", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "[]") })
	srv := httptest.NewUnstartedServer(mux)
	srv.Listener = tls.NewListener(srv.Listener, &tls.Config{GetCertificate: authority.Certificate})
	srv.Start()
	t.Cleanup(srv.Close)
	host := srv.Listener.Addr().String()
	t.Setenv("HOME", t.TempDir()) // of git
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	return &truster{
		t: t, authority: authority, url: "https://" + host, host: host,
		cfg: cli.Config{ConfigDir: filepath.Join(t.TempDir(), "a home"), SystemCA: t.TempDir(), Executable: "/opt/slipway"},
	}
}

// run runs a verb, with what the person types.
func (p *truster) run(typed string, args ...string) result {
	p.t.Helper()
	var out, errs bytes.Buffer
	cfg := p.cfg
	cfg.Stdin, cfg.Stdout, cfg.Stderr, cfg.URL, cfg.Token = strings.NewReader(typed), &out, &errs, p.url, "a-token"
	root := cli.New(cfg)
	code := cli.Run(p.t.Context(), root, args)
	return result{code, out.String(), errs.String()}
}

// want runs a verb and looks for a text in what it prints.
func (p *truster) want(code int, text, typed string, args ...string) {
	p.t.Helper()
	got := p.run(typed, args...)
	if got.code != code || !strings.Contains(got.stdout+got.stderr, text) {
		p.t.Errorf("slipway %s exits with %d and prints\n%s%s, want %d and %q", strings.Join(args, " "), got.code, got.stdout, got.stderr, code, text)
	}
}

// gitCA is what git is told to trust for the server.
func (p *truster) gitCA() string {
	p.t.Helper()
	out, _ := exec.CommandContext(p.t.Context(), "git", "config", "--global", "http.https://"+p.host+"/.sslCAInfo").Output() // "" if unset
	return strings.TrimSpace(string(out))
}

func (p *truster) saved() string {
	return filepath.Join(p.cfg.ConfigDir, "ca", strings.ReplaceAll(p.host, ":", "_")+".pem")
}

func TestTrust(t *testing.T) {
	p := newTruster(t)
	printed := p.authority.Fingerprint()
	p.want(1, "run slipway trust", "", "apps")

	p.want(1, printed, "", "trust")
	p.want(1, "nothing was changed", "n\n", "trust")
	p.want(1, "nothing was changed", "", "trust", "--fingerprint", "AA:BB")
	if _, err := os.Stat(p.saved()); err == nil {
		t.Error("what nobody trusts is saved")
	}

	p.want(0, "export NODE_EXTRA_CA_CERTS='"+p.saved()+"'", "y\n", "trust")
	p.want(0, "", "", "apps")
	if got := p.gitCA(); got != "" {
		t.Errorf("git trusts %q without --git", got)
	}
	p.want(0, "trusts it now", "", "trust", "--git") // what is saved is not asked about again
	if got := p.gitCA(); got != p.saved() {
		t.Errorf("git trusts %q, want %q", got, p.saved())
	}

	p.want(2, "give it alone", "", "trust", "--uninstall", "--git")
	p.want(0, "trusted no more", "", "trust", "--uninstall")
	p.want(0, "trusted no more", "", "trust", "--uninstall")
	if got := p.gitCA(); got != "" {
		t.Errorf("git still trusts %q", got)
	}
	p.want(1, "run slipway trust", "", "apps")

	lower := strings.ToLower(strings.ReplaceAll(printed, ":", ""))
	p.want(0, `"sha256": "`+printed+`"`, "", "trust", "--fingerprint", lower, "--json")
}

func TestTrustFromAFile(t *testing.T) {
	p := newTruster(t)
	for name, content := range map[string]string{
		"":                         "",
		"this is no certificate":   "hello",
		"of one authority alone":   string(p.authority.PEM()) + string(p.authority.PEM()),
		"read certificate":         "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n",
		"this is no certificate i": "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
	} {
		file := filepath.Join(t.TempDir(), "ca.pem")
		if content != "" {
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		p.want(1, name, "", "trust", "--ca", file)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, p.authority.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	p.want(0, "saved in "+p.saved(), "", "trust", "--ca", file)
	p.want(0, "", "", "apps")
}

func TestTrustOfTheSystem(t *testing.T) {
	p := newTruster(t)
	t.Setenv("PATH", t.TempDir())
	p.want(1, "by hand", "y\n", "trust", "--system")

	// A stand-in for Debian's.
	bin, calls := t.TempDir(), filepath.Join(t.TempDir(), "calls")
	if err := os.WriteFile(filepath.Join(bin, "update-ca-certificates"), []byte("#!/bin/sh\necho \"called with $*.\" >> "+calls+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	p.want(0, "trusts it now", "y\n", "trust", "--system")
	installed := filepath.Join(p.cfg.SystemCA, "slipway-"+strings.ReplaceAll(p.host, ":", "_")+".crt")
	if got, err := os.ReadFile(installed); err != nil || !bytes.Equal(got, p.authority.PEM()) {
		t.Errorf("what is installed is %q, %v", got, err)
	}
	p.want(0, "trusted no more", "", "trust", "--uninstall")
	if _, err := os.Stat(installed); err == nil {
		t.Error("the system still has the certificate")
	}
	if got, err := os.ReadFile(calls); err != nil || string(got) != "called with .\ncalled with --fresh.\n" {
		t.Errorf("update-ca-certificates: %q, %v", got, err)
	}
}
