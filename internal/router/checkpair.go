package router

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	maxPair    = 256 << 10 // bytes, of the chain and of the key
	maxChain   = 16        // certificates
	minRSABits = 2048
	dateFormat = "2 January 2006"
)

// A Pair is what there is to say of a certificate that can be used.
type Pair struct {
	Names       []string // DNS names, as in the certificate
	Issuer      string   // the common name, or else the whole name
	SelfSigned  bool     // browsers will warn of it
	NotBefore   time.Time
	NotAfter    time.Time
	Fingerprint string // SHA-256 of the leaf, hexadecimal
}

// CheckPair tells whether a certificate can be used at a time, or in words for
// its owner why not. The error never shows any of the key.
func CheckPair(c Cert, now time.Time) (Pair, error) {
	if len(c.Chain) > maxPair || len(c.Key) > maxPair {
		return Pair{}, fmt.Errorf("the certificate or the key is larger than %d KiB: give the files of one certificate only", maxPair>>10)
	}
	chain, err := parseChain(c.Chain)
	if err != nil {
		return Pair{}, err
	}
	key, err := parseKey(c.Key)
	if err != nil {
		return Pair{}, err
	}
	if err := checkKey(chain, key); err != nil {
		return Pair{}, err
	}
	for i, cert := range chain[1:] {
		if err := chain[i].CheckSignatureFrom(cert); err != nil {
			return Pair{}, fmt.Errorf("certificate %d of the chain (%s) did not sign the one before it: "+
				"put the leaf first, then its issuer, then the issuer's issuer", i+2, nameOf(cert))
		}
	}
	return describe(chain[0], now)
}

func describe(leaf *x509.Certificate, now time.Time) (Pair, error) {
	switch {
	case now.After(leaf.NotAfter):
		return Pair{}, fmt.Errorf("the certificate expired on %s: renew it", leaf.NotAfter.UTC().Format(dateFormat))
	case now.Before(leaf.NotBefore):
		return Pair{}, fmt.Errorf("the certificate is valid from %s only: add it then, or check this server's clock",
			leaf.NotBefore.UTC().Format(dateFormat))
	case len(leaf.DNSNames) == 0:
		return Pair{}, errors.New("the certificate is for no domain name (it has no DNS subject alternative name): " +
			"have it issued for the app's domains")
	}
	sum := sha256.Sum256(leaf.Raw)
	return Pair{
		Names:       leaf.DNSNames,
		Issuer:      orString(leaf.Issuer.CommonName, leaf.Issuer.String()),
		SelfSigned:  leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) == nil,
		NotBefore:   leaf.NotBefore,
		NotAfter:    leaf.NotAfter,
		Fingerprint: hex.EncodeToString(sum[:]),
	}, nil
}

func parseChain(text string) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for rest := []byte(text); ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		switch {
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return nil, errors.New("the certificate file holds a private key too: keep it in a file of its own")
		case block.Type != "CERTIFICATE":
			continue
		case len(chain) == maxChain:
			return nil, fmt.Errorf("the chain has more than %d certificates: leave out those that are not this one's issuers", maxChain)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d of the chain cannot be read (%w): have it issued again", len(chain)+1, err)
		}
		chain = append(chain, cert)
	}
	if len(chain) == 0 {
		return nil, errors.New("no certificate in the certificate file: give a PEM file, with -----BEGIN CERTIFICATE-----")
	}
	return chain, nil
}

func parseKey(text string) (crypto.Signer, error) {
	for rest := []byte(text); ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		switch {
		case block == nil:
			return nil, errors.New("no private key in the key file: give a PEM file, with -----BEGIN PRIVATE KEY-----")
		case block.Type == "ENCRYPTED PRIVATE KEY", strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
			return nil, errors.New("the private key is encrypted: take the password off first, with openssl pkey -in KEY -out PLAIN")
		case !strings.HasSuffix(block.Type, "PRIVATE KEY"):
			continue // "EC PARAMETERS"
		}
		for _, parse := range []func([]byte) (any, error){
			x509.ParsePKCS8PrivateKey,
			func(der []byte) (any, error) { return x509.ParsePKCS1PrivateKey(der) },
			func(der []byte) (any, error) { return x509.ParseECPrivateKey(der) },
		} {
			if key, err := parse(block.Bytes); err == nil {
				if signer, ok := key.(crypto.Signer); ok {
					return signer, nil
				}
			}
		}
		return nil, errors.New("the private key cannot be read: give one of RSA, ECDSA or Ed25519, as PEM")
	}
}

// checkKey tells whether the key is the first certificate's, and strong enough.
func checkKey(chain []*x509.Certificate, key crypto.Signer) error {
	for i, cert := range chain {
		public, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
		if !ok || !public.Equal(key.Public()) {
			continue
		}
		if i > 0 {
			return fmt.Errorf("the key belongs to certificate %d of the chain (%s): put that one first", i+1, nameOf(cert))
		}
		switch public := key.Public().(type) {
		case *rsa.PublicKey:
			if public.N.BitLen() < minRSABits {
				return fmt.Errorf("the RSA key has %d bits, which browsers refuse: make one of %d", public.N.BitLen(), minRSABits)
			}
		case *ecdsa.PublicKey, ed25519.PublicKey:
		}
		return nil
	}
	return fmt.Errorf("the key does not belong to the certificate (%s): give the key that it was requested with", nameOf(chain[0]))
}

// nameOf is what people know a certificate by.
func nameOf(c *x509.Certificate) string {
	if len(c.DNSNames) > 0 {
		return c.DNSNames[0]
	}
	return fmt.Sprintf("%q", c.Subject.String())
}
