package server

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"slipway/internal/state"
)

// openSealer reads the key that the state's secrets are sealed with, in hex, or
// makes it on the first start.
func openSealer(path string) (*state.Sealer, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key := make([]byte, state.KeySize)
		_, _ = rand.Read(key) // never fails
		raw = []byte(hex.EncodeToString(key) + "\n")
		err = writeNew(path, raw)
	}
	if err != nil {
		return nil, fmt.Errorf("key for secrets: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(raw)))
	if err != nil || len(key) != state.KeySize {
		return nil, fmt.Errorf("the key in %s is not %d bytes in hex: put back the file that the state was made with", path, state.KeySize)
	}
	return state.NewSealer(key)
}
