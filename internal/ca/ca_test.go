package ca_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/internal/ca"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// open opens an authority for apps.example.com at a server with two names.
func open(t *testing.T, dir string, now func() time.Time) *ca.Authority {
	t.Helper()
	a, err := ca.Open(ca.Config{Dir: dir, Hosts: []string{"slipway.example.com", "192.0.2.7"}, Domain: "apps.example.com", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func at(now time.Time) func() time.Time { return func() time.Time { return now } }

// leaf is the certificate that a client gets who asks for a name.
func leaf(t *testing.T, a *ca.Authority, name string) *tls.Certificate {
	t.Helper()
	cert, err := a.Certificate(&tls.ClientHelloInfo{ServerName: name})
	if err != nil {
		t.Fatalf("Certificate(%q): %v", name, err)
	}
	return cert
}

// verify tells whether a client that trusts the authority accepts a certificate
// for a name.
func verify(a *ca.Authority, cert *x509.Certificate, name string, now time.Time) error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.PEM())
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	_, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: now})
	return err
}

func TestCertificatesAreForTheServersNames(t *testing.T) {
	t.Parallel()
	a := open(t, t.TempDir(), at(start))
	for _, c := range []struct {
		asked string // by SNI
		name  string // that the client checks
		good  bool
	}{
		{"slipway.example.com", "slipway.example.com", true},
		{"localhost", "localhost", true},
		{"", "127.0.0.1", true},
		{"", "::1", true},
		{"", "192.0.2.7", true},
		{"shop.apps.example.com", "shop.apps.example.com", true},
		{"Shop.Apps.Example.COM.", "shop.apps.example.com", true},
		{"a.shop.apps.example.com", "a.shop.apps.example.com", false},
		{"apps.example.com", "apps.example.com", false},
		{"bank.example", "bank.example", false},
		{"_.apps.example.com", "_.apps.example.com", false},
		{strings.Repeat("a", 64) + ".apps.example.com", strings.Repeat("a", 64) + ".apps.example.com", false},
		{"", "192.0.2.8", false},
	} {
		if err := verify(a, leaf(t, a, c.asked).Leaf, c.name, start); (err == nil) != c.good {
			t.Errorf("certificate for SNI %q is checked for %q: %v, want good: %t", c.asked, c.name, err, c.good)
		}
	}
}

// Whoever steals the key can still not pass for others.
func TestConstraintsHoldWithoutUs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := open(t, dir, at(start))
	raw, err := os.ReadFile(filepath.Join(dir, "ca-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	block, _ = pem.Decode(a.PEM())
	authority, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if authority.MaxPathLen != 0 || !authority.MaxPathLenZero {
		t.Error("the authority may have others below it")
	}
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, stolen := range []x509.Certificate{
		{DNSNames: []string{"bank.example"}},
		{DNSNames: []string{"example.com"}},
		{IPAddresses: []net.IP{net.IPv4(192, 0, 2, 8)}},
		{IPAddresses: []net.IP{net.ParseIP("2001:db8::1")}},
	} {
		stolen.NotAfter = start.Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, &stolen, authority, own.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		if err := verify(a, cert, "", start); err == nil {
			t.Errorf("a certificate for %v %v is good, want it beyond the constraints", stolen.DNSNames, stolen.IPAddresses)
		}
	}
}

func TestARestartKeepsTheAuthority(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := open(t, dir, at(start))
	second := open(t, dir, at(start.Add(5*365*24*time.Hour)))
	if first.Fingerprint() != second.Fingerprint() {
		t.Error("a restart makes another authority")
	}
	if err := verify(first, leaf(t, second, "localhost").Leaf, "localhost", start.Add(5*365*24*time.Hour)); err != nil {
		t.Errorf("who trusts the authority does not after five years and a restart: %v", err)
	}
	for name, want := range map[string]os.FileMode{"ca-key.pem": 0o600, ca.File: 0o644} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("mode of %s = %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
}

func TestAnAuthorityThatEndsIsRenewedWithItsKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := open(t, dir, at(start))
	late := start.Add(10*365*24*time.Hour - time.Hour)
	second := open(t, dir, at(late))
	if first.Fingerprint() == second.Fingerprint() {
		t.Error("an authority that ends within the hour stays")
	}
	if err := verify(second, leaf(t, second, "localhost").Leaf, "localhost", late.Add(24*time.Hour)); err != nil {
		t.Error(err)
	}
}

func TestCertificatesAreShortAndRenewed(t *testing.T) {
	t.Parallel()
	now := start
	a := open(t, t.TempDir(), func() time.Time { return now })
	first := leaf(t, a, "shop.apps.example.com")
	if life := first.Leaf.NotAfter.Sub(start); life != 7*24*time.Hour {
		t.Errorf("life of a certificate = %s, want 7 days", life)
	}
	now = start.Add(4 * 24 * time.Hour)
	if leaf(t, a, "shop.apps.example.com") != first {
		t.Error("a certificate is made anew before its time")
	}
	now = start.Add(5 * 24 * time.Hour)
	if leaf(t, a, "shop.apps.example.com") == first {
		t.Error("a certificate that ends in two days is still given out")
	}
}

func TestNamesThatAreNewAreTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir, at(start))
	a, err := ca.Open(ca.Config{Dir: dir, Hosts: []string{"other.example.com", "192.0.2.9", "::1"}, Domain: "elsewhere.example", Now: at(start)})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := a.Beyond(), []string{"other.example.com", "192.0.2.9", "elsewhere.example"}; !slices.Equal(got, want) {
		t.Errorf("Beyond() = %q, want %q", got, want)
	}
	if names := leaf(t, a, "shop.elsewhere.example").Leaf.DNSNames; !slices.Equal(names, []string{"localhost"}) {
		t.Errorf("the certificate is for %q, want localhost alone", names)
	}
}

func TestBrokenFiles(t *testing.T) {
	t.Parallel()
	other := t.TempDir()
	open(t, other, at(start))
	theirs, err := os.ReadFile(filepath.Join(other, ca.File))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file    string
		content []byte // removed if nil
		want    string // "" if it is repaired
	}{
		"no certificate, as after a crash": {ca.File, nil, ""},
		"no key":                           {"ca-key.pem", nil, "put the key back"},
		"an empty certificate":             {ca.File, []byte{}, "from a backup"},
		"an empty key":                     {"ca-key.pem", []byte{}, "from a backup"},
		"a key that is none":               {"ca-key.pem", []byte("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"), "from a backup"},
		"another's certificate":            {ca.File, theirs, "not the certificate of the key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			open(t, dir, at(start))
			path := filepath.Join(dir, c.file)
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if c.content != nil {
				if err := os.WriteFile(path, c.content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			before, _ := os.ReadDir(dir)
			_, err := ca.Open(ca.Config{Dir: dir, Now: at(start)})
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("Open = %v, want %q in it", err, c.want)
			}
			if after, _ := os.ReadDir(dir); c.want != "" && len(after) != len(before) {
				t.Errorf("Open leaves %v, where there was %v", after, before)
			}
		})
	}
}

func TestPEMIsTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := open(t, dir, at(start))
	if file, err := os.ReadFile(filepath.Join(dir, ca.File)); err != nil || !bytes.Equal(file, a.PEM()) {
		t.Errorf("PEM() is not what is in the file, %v", err)
	}
}
