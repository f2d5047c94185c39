package router_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"

	"slipway/internal/router"
)

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign makes a certificate for key, signed by the parent's key.
func sign(t *testing.T, name string, key crypto.Signer, parent *x509.Certificate, by crypto.Signer, change ...func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	for _, f := range change {
		f(c)
	}
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func keyText(t *testing.T, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pemText("PRIVATE KEY", der)
}

func certText(c *x509.Certificate) string { return pemText("CERTIFICATE", c.Raw) }

func mint(t *testing.T, name string, change ...func(*x509.Certificate)) minted {
	t.Helper()
	key := newKey(t)
	leaf := sign(t, name, key, nil, key, change...)
	m := minted{Cert: router.Cert{Chain: certText(leaf), Key: keyText(t, key)}, leaf: leaf, roots: x509.NewCertPool()}
	m.roots.AddCert(leaf)
	return m
}

func TestCheckPair(t *testing.T) {
	t.Parallel()
	rootKey, key := newKey(t), newKey(t)
	root := sign(t, "My CA", rootKey, nil, rootKey, func(c *x509.Certificate) { c.DNSNames = nil })
	leaf := sign(t, "www.example.com", key, root, rootKey)
	ec, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // the weakness is the point
	if err != nil {
		t.Fatal(err)
	}
	year := 365 * 24 * time.Hour
	for _, c := range []struct {
		name       string
		chain, key string
		after      time.Duration // when it is checked, from now
		want       string        // of the error; none if ""
	}{
		{name: "good", chain: certText(leaf), key: keyText(t, key)},
		{name: "with its issuer", chain: certText(leaf) + certText(root), key: keyText(t, key)},
		{name: "key of the old form", chain: certText(leaf), key: pemText("EC PARAMETERS", []byte("x")) + pemText("EC PRIVATE KEY", ec)},
		{name: "nothing", key: keyText(t, key), want: "no certificate in the certificate file"},
		{name: "no key", chain: certText(leaf), want: "no private key in the key file"},
		{name: "swapped", chain: keyText(t, key), key: certText(leaf), want: "holds a private key too"},
		{name: "key in the chain", chain: certText(leaf) + keyText(t, key), key: keyText(t, key), want: "holds a private key too"},
		{name: "other key", chain: certText(leaf), key: keyText(t, rootKey), want: "does not belong to the certificate (www.example.com)"},
		{name: "issuer first", chain: certText(root) + certText(leaf), key: keyText(t, key), want: "put that one first"},
		{name: "stranger in the chain", chain: certText(leaf) + mint(t, "x").Chain, key: keyText(t, key), want: "did not sign the one before it"},
		{name: "encrypted", chain: certText(leaf), key: pemText("ENCRYPTED PRIVATE KEY", []byte("x")), want: "is encrypted"},
		{name: "broken key", chain: certText(leaf), key: pemText("PRIVATE KEY", []byte("hidden")), want: "cannot be read"},
		{name: "broken certificate", chain: pemText("CERTIFICATE", []byte("x")), key: keyText(t, key), want: "certificate 1 of the chain cannot be read"},
		{name: "expired", chain: certText(leaf), key: keyText(t, key), after: year, want: "expired on"},
		{name: "not yet valid", chain: certText(leaf), key: keyText(t, key), after: -year, want: "is valid from"},
		{name: "no name", chain: certText(root), key: keyText(t, rootKey), want: "is for no domain name"},
		{name: "weak", chain: certText(sign(t, "w", weak, root, rootKey)), key: keyText(t, weak), want: "has 1024 bits"},
		{name: "huge", chain: certText(leaf), key: strings.Repeat("x", 1<<20), want: "larger than"},
		{name: "long chain", chain: strings.Repeat(certText(leaf), 17), key: keyText(t, key), want: "more than 16 certificates"},
	} {
		got, err := router.CheckPair(router.Cert{Chain: c.chain, Key: c.key}, time.Now().Add(c.after))
		switch {
		case c.want == "" && (err != nil || got.Names[0] != "www.example.com" || got.Issuer != "My CA" || got.SelfSigned || len(got.Fingerprint) != 64):
			t.Errorf("%s: CheckPair = %+v, %v, want the certificate of www.example.com", c.name, got, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: CheckPair = %v, want %q", c.name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: CheckPair = %v, which shows the key", c.name, err)
		}
	}
	if got, err := router.CheckPair(mint(t, "x.example.com").Cert, time.Now()); err != nil || !got.SelfSigned {
		t.Errorf("CheckPair of one signed by itself = %+v, %v, want SelfSigned", got, err)
	}
}
