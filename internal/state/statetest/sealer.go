package statetest

import (
	"testing"

	"slipway/internal/state"
)

// Sealer makes a sealer of a key that is the same in every test.
func Sealer(tb testing.TB) *state.Sealer {
	tb.Helper()
	return sealer(tb, 7)
}

func sealer(tb testing.TB, fill byte) *state.Sealer {
	tb.Helper()
	key := make([]byte, state.KeySize)
	for i := range key {
		key[i] = fill
	}
	s, err := state.NewSealer(key)
	if err != nil {
		tb.Fatalf("NewSealer: %v", err)
	}
	return s
}
