package build

import (
	"context"
	"errors"
	"testing"
)

func TestAppLocks(t *testing.T) {
	var l appLocks
	unlock, err := l.lock(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	other, err := l.lock(t.Context(), "b")
	if err != nil {
		t.Fatalf("another app waits: %v", err)
	}
	other()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.lock(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("lock() of a held app with a canceled context = %v", err)
	}
	got := make(chan func())
	go func() {
		next, err := l.lock(t.Context(), "a")
		if err != nil {
			t.Error(err)
		}
		got <- next
	}()
	select {
	case <-got:
		t.Error("two builds of one app run at once")
	default:
	}
	unlock()
	(<-got)()
	if len(l.held) != 0 {
		t.Errorf("%d locks are kept, want none", len(l.held))
	}
}
