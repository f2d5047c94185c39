package gitserver

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"
)

// hostKeys reads the server's keys, and makes those that are missing.
func hostKeys(dir string) ([]ssh.Signer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make directory of host keys: %w", err)
	}
	kinds := []struct {
		file string
		make func() (crypto.PrivateKey, error)
	}{
		{"ssh_host_ed25519_key", func() (crypto.PrivateKey, error) {
			_, key, err := ed25519.GenerateKey(rand.Reader)
			return key, err
		}},
		{"ssh_host_ecdsa_key", func() (crypto.PrivateKey, error) {
			return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		}},
	}
	var signers []ssh.Signer
	for _, kind := range kinds {
		path := filepath.Join(dir, kind.file)
		text, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			text, err = makeHostKey(path, kind.make)
		}
		if err != nil {
			return nil, fmt.Errorf("read host key: %w", err)
		}
		signer, err := ssh.ParsePrivateKey(text)
		if err != nil {
			return nil, fmt.Errorf("read host key %s: %w; remove the file to have a new one made", path, err)
		}
		signers = append(signers, signer)
	}
	return signers, nil
}

// makeHostKey makes a key. If another server makes it at the same time, the
// first one counts.
func makeHostKey(path string, generate func() (crypto.PrivateKey, error)) ([]byte, error) {
	key, err := generate()
	if err != nil {
		return nil, fmt.Errorf("generate: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(key, "slipway host key")
	if err != nil {
		return nil, fmt.Errorf("marshal: %w", err)
	}
	if err := writeOnce(path, pem.EncodeToMemory(block)); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// writeOnce writes a private file whole, unless it exists.
func writeOnce(path string, text []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // a leftover does no harm
	_, err = tmp.Write(text)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}
