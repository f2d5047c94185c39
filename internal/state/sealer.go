package state

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
)

// KeySize is the bytes of a [Sealer]'s key.
const KeySize = 32

// A Sealer encrypts secrets before they are stored, with AES-256-GCM. Its
// methods may be called at once.
type Sealer struct {
	aead cipher.AEAD
}

// NewSealer makes a Sealer of a key of [KeySize] random bytes. Who loses the
// key loses the secrets.
func NewSealer(key []byte) (*Sealer, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("the key for secrets has %d bytes, want %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	return &Sealer{aead: aead}, nil
}

// sealFormat is the first byte of what is sealed.
const sealFormat = 1

// Seal encrypts a secret of owner, an app's ID: it opens with that owner only,
// so that a row that is moved to another app is worth nothing there.
func (s *Sealer) Seal(owner string, secret []byte) []byte {
	return s.aead.Seal([]byte{sealFormat}, nil, secret, []byte(owner))
}

// Open decrypts what Seal made for the same owner. Nothing opens as nothing:
// rows that are older than secrets have none. The error is [ErrWrongKey].
func (s *Sealer) Open(owner string, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	if sealed[0] != sealFormat {
		return nil, ErrWrongKey
	}
	secret, err := s.aead.Open(nil, nil, sealed[1:], []byte(owner))
	if err != nil {
		return nil, ErrWrongKey
	}
	return secret, nil
}
