package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// renewWithin is how long before its end an authority's certificate is made
// anew, with the same key. People then have to trust the new one.
const renewWithin = 30 * 24 * time.Hour

// loadKey reads the authority's key, or makes it where there never was one. The
// key is written before the certificate: one without the other is what a crash
// in between left, and a certificate without its key is a mistake.
func loadKey(path, cert string) (*ecdsa.PrivateKey, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(cert); err == nil {
			return nil, fmt.Errorf("there is %s, but not its key %s: put the key back, or remove the certificate, and a new pair is made that clients have to trust", cert, filepath.Base(path))
		}
		return makeKey(path)
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, unreadable(path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if key, ok := parsed.(*ecdsa.PrivateKey); ok && err == nil {
		return key, nil
	}
	return nil, unreadable(path) // the cause might show some of the key
}

func makeKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writeFile(path, "PRIVATE KEY", der, 0o600)
}

// loadCert reads the authority's certificate; renew makes it if it is not there,
// or ends soon.
func loadCert(path string, key *ecdsa.PrivateKey, renew func() ([]byte, error), now time.Time) (*x509.Certificate, error) {
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil {
		cert, err := parseCert(path, raw, key)
		if err != nil || now.Add(renewWithin).Before(cert.NotAfter) {
			return cert, err
		}
	}
	der, err := renew()
	if err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	if err := writeFile(path, "CERTIFICATE", der, 0o644); err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func parseCert(path string, raw []byte, key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, unreadable(path)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil || !cert.IsCA {
		return nil, unreadable(path)
	}
	if !key.PublicKey.Equal(cert.PublicKey) {
		return nil, fmt.Errorf("%s is not the certificate of the key beside it: put the right one back, or remove it, and a new one is made that clients have to trust", path)
	}
	return cert, nil
}

func unreadable(path string) error {
	return fmt.Errorf("%s cannot be read: put it back from a backup, or remove the directory that it is in, and a new authority is made that clients have to trust", path)
}

// writeFile writes a file that is whole or not there at all, even if the machine
// stops.
func writeFile(path, kind string, der []byte, mode fs.FileMode) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone, if all went well
	err = pem.Encode(tmp, &pem.Block{Type: kind, Bytes: der})
	if err := errors.Join(err, tmp.Chmod(mode), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	parent, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(parent.Sync(), parent.Close())
}
