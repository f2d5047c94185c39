package gitserver

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestGate(t *testing.T) {
	t.Parallel()
	g := newGate(3, 2)
	enter := func(remote string, want error) func() {
		t.Helper()
		leave, err := g.enter(remote)
		if want == nil && err != nil || want != nil && err != want { //nolint:errorlint // it is returned as it is
			t.Fatalf("enter(%s) = %v, want %v", remote, err, want)
		}
		return leave
	}
	first := enter("192.0.2.1:1", nil)
	enter("192.0.2.1:2", nil)
	enter("192.0.2.1:3", errAddressFull)
	enter("[::ffff:192.0.2.1]:4", errAddressFull)
	third := enter("192.0.2.2:1", nil)
	enter("192.0.2.3:1", errFull)
	first()
	enter("192.0.2.1:5", nil)
	third()
	if len(g.from) != 1 || g.inside != 2 {
		t.Errorf("remembered: %d addresses, %d inside, want 1 and 2", len(g.from), g.inside)
	}
}

func TestAddressOf(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{
		"192.0.2.1:22":            "192.0.2.1/32",
		"[::ffff:192.0.2.1]:22":   "192.0.2.1/32",
		"[2001:db8:1:2:3::4]:22":  "2001:db8:1:2::/64",
		"[2001:db8:1:2:9::9]:443": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:22":       "fe80::/64",
		"":                        "invalid Prefix",
		"@":                       "invalid Prefix",
		"host:80":                 "invalid Prefix",
	} {
		if got := addressOf(remote).String(); got != want {
			t.Errorf("addressOf(%q) = %s, want %s", remote, got, want)
		}
	}
}

func TestSignIns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSignIns(3)
		const here, there = "192.0.2.1:1", "192.0.2.2:1"
		s.succeeded(here, "good")
		for range 3 {
			if s.wait(here, "guess") != 0 {
				t.Fatal("closed too early")
			}
			s.failed(here)
		}
		for _, c := range []struct {
			remote, credential string
			want               time.Duration
		}{
			{here, "guess", 20 * time.Second},
			{"192.0.2.1:99", "guess", 20 * time.Second},
			{here, "good", 0},
			{there, "guess", 0},
			{"@", "guess", 0},
		} {
			if got := s.wait(c.remote, c.credential); got != c.want {
				t.Errorf("wait(%s, %s) = %v, want %v", c.remote, c.credential, got, c.want)
			}
		}
		time.Sleep(20 * time.Second)
		if got := s.wait(here, "guess"); got != 0 {
			t.Errorf("wait() = %v after it was over", got)
		}
		s.failed(here)
		if s.wait(here, "guess") == 0 {
			t.Error("one more failure, and it is not closed again")
		}
		time.Sleep(time.Hour)
		for range 3 {
			if s.wait(here, "guess") != 0 {
				t.Error("it did not recover")
			}
			s.failed(here)
		}
	})
}

// However many addresses there are, memory is bounded, and those that have
// recovered go first.
func TestSignInsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSignIns(1)
		for i := range maxAddresses {
			s.failed(fmt.Sprintf("10.0.%d.%d:1", i/256, i%256))
		}
		time.Sleep(2 * time.Minute)
		s.failed("192.0.2.1:1")
		if len(s.buckets) != 1 {
			t.Errorf("%d addresses are remembered, want 1", len(s.buckets))
		}
		for i := range 3 * maxAddresses {
			remote := fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)
			s.failed(remote)
			s.succeeded(remote, "x")
		}
		if len(s.buckets) > maxAddresses || len(s.known) > maxAddresses {
			t.Errorf("%d addresses and %d credentials are remembered, want at most %d", len(s.buckets), len(s.known), maxAddresses)
		}
	})
}
