package namelock

import (
	"context"
	"errors"
	"testing"
)

func TestLocks(t *testing.T) {
	var l Locks
	unlock, err := l.Lock(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	other, err := l.Lock(t.Context(), "b")
	if err != nil {
		t.Fatalf("another name waits: %v", err)
	}
	other()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Lock(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("Lock of a held name with a canceled context = %v", err)
	}
	got := make(chan func())
	go func() {
		next, err := l.Lock(t.Context(), "a")
		if err != nil {
			t.Error(err)
		}
		got <- next
	}()
	select {
	case <-got:
		t.Error("two hold one name at once")
	default:
	}
	unlock()
	(<-got)()
	if len(l.held) != 0 {
		t.Errorf("%d locks are kept, want none", len(l.held))
	}
}
