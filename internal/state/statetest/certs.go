package statetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
)

// cert makes a certificate with its key.
func cert(t *testing.T, app string) state.Cert {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "www.example.com"},
		NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"www.example.com"},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return state.Cert{
		App: app, Chain: encode("CERTIFICATE", der), Key: encode("PRIVATE KEY", secret),
	}
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func addCert(t *testing.T, s *sqlstore.Store, app string) state.Cert {
	t.Helper()
	c, err := s.AddCert(t.Context(), ann, cert(t, app))
	if err != nil || c.ID == "" {
		t.Fatalf("AddCert = %q, %v; want a certificate with an ID", c.ID, err)
	}
	return c
}

func keepCerts(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	createApp(t, s, "shed")
	first, second, others := addCert(t, s, "shop"), addCert(t, s, "shop"), addCert(t, s, "shed")
	if all, err := s.Certs(t.Context(), "shop"); err != nil || len(all) != 2 || all[0] != first || all[1] != second {
		t.Errorf("Certs = %d, %v; want both of shop as they were added", len(all), err)
	}
	if all, err := s.AllCerts(t.Context()); err != nil || len(all) != 3 || all[2] != others {
		t.Errorf("AllCerts = %d, %v; want three, shed's last", len(all), err)
	}
	is(t, "DeleteCert of another app", s.DeleteCert(t.Context(), ann, "shed", first.ID), state.ErrNotFound)
	if err := s.DeleteCert(t.Context(), ann, "shop", first.ID); err != nil {
		t.Errorf("DeleteCert: %v", err)
	}
	if all, err := s.Certs(t.Context(), "shop"); err != nil || len(all) != 1 || all[0] != second {
		t.Errorf("Certs after deletion = %d, %v; want the second", len(all), err)
	}
}

func replaceCerts(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	createApp(t, s, "shed")
	first, second := addCert(t, s, "shop"), addCert(t, s, "shop")
	changed := cert(t, "shop")
	changed.ID, changed.Created = first.ID, first.Created
	if err := s.ReplaceCert(t.Context(), ann, changed); err != nil {
		t.Errorf("ReplaceCert: %v", err)
	}
	if all, err := s.Certs(t.Context(), "shop"); err != nil || len(all) != 2 || all[0] != changed || all[1] != second {
		t.Errorf("Certs after ReplaceCert = %d, %v; want the first changed", len(all), err)
	}
	stolen := changed
	stolen.App = "shed"
	is(t, "ReplaceCert of another app", s.ReplaceCert(t.Context(), ann, stolen), state.ErrNotFound)
}

func refuseCerts(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	first, second := addCert(t, s, "shop"), cert(t, "shop")
	mixed := first
	mixed.Key = second.Key
	for what, bad := range map[string]state.Cert{
		"another's key": mixed, "nothing": {App: "shop"}, "much": {App: "shop", Chain: first.Chain + strings.Repeat("\n", 1<<20), Key: first.Key},
	} {
		_, err := s.AddCert(t.Context(), ann, bad)
		is(t, "AddCert of "+what, err, state.ErrInvalid)
		bad.ID = first.ID
		is(t, "ReplaceCert by "+what, s.ReplaceCert(t.Context(), ann, bad), state.ErrInvalid)
	}
	var err error
	for n := 0; err == nil && n < 1000; n++ {
		_, err = s.AddCert(t.Context(), ann, second)
	}
	is(t, "AddCert of ever more", err, state.ErrInvalid)
	if all, err := s.Certs(t.Context(), "shop"); err != nil || len(all) != state.MaxCerts {
		t.Errorf("Certs = %d, %v; want %d", len(all), err, state.MaxCerts)
	}
}
