package state_test

import (
	"bytes"
	"errors"
	"testing"

	"slipway/internal/state"
)

func sealer(t *testing.T, fill byte) *state.Sealer {
	t.Helper()
	s, err := state.NewSealer(bytes.Repeat([]byte{fill}, state.KeySize))
	if err != nil {
		t.Fatalf("NewSealer: %v", err)
	}
	return s
}

func TestSealedOpensForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	s := sealer(t, 1)
	secret := []byte("opensesame")
	sealed := s.Seal("app1", secret)
	if got, err := s.Open("app1", sealed); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("Open = %q, %v; want %q", got, err, secret)
	}
	if bytes.Contains(sealed, secret) || bytes.Equal(sealed, s.Seal("app1", secret)) {
		t.Errorf("Seal = %q, want what cannot be read, and is never the same", sealed)
	}
	if _, err := s.Open("app2", sealed); !errors.Is(err, state.ErrWrongKey) {
		t.Errorf("Open for another app: %v, want ErrWrongKey", err)
	}
	if _, err := sealer(t, 2).Open("app1", sealed); !errors.Is(err, state.ErrWrongKey) {
		t.Errorf("Open with another key: %v, want ErrWrongKey", err)
	}
}

func TestDamagedDoesNotOpen(t *testing.T) {
	t.Parallel()
	s := sealer(t, 1)
	sealed := s.Seal("app1", []byte("opensesame"))
	for i := range sealed {
		damaged := bytes.Clone(sealed)
		damaged[i] ^= 0x80
		if _, err := s.Open("app1", damaged); !errors.Is(err, state.ErrWrongKey) {
			t.Errorf("Open with byte %d changed: %v, want ErrWrongKey", i, err)
		}
		if _, err := s.Open("app1", sealed[:i]); i > 0 && !errors.Is(err, state.ErrWrongKey) {
			t.Errorf("Open of the first %d bytes: %v, want ErrWrongKey", i, err)
		}
	}
	if got, err := s.Open("app1", nil); err != nil || len(got) != 0 {
		t.Errorf("Open of nothing = %q, %v; want nothing", got, err)
	}
}

func TestKeyHasItsSize(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := state.NewSealer(make([]byte, n)); err == nil {
			t.Errorf("NewSealer of %d bytes = nil, want an error", n)
		}
	}
}
