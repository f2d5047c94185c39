package statetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
)

func addDomain(t *testing.T, s *sqlstore.Store, app, host string) {
	t.Helper()
	d, err := s.AddDomain(t.Context(), ann, state.Domain{App: app, Hostname: host})
	if err != nil || d.ID == "" {
		t.Fatalf("AddDomain(%q) = %+v, %v; want a domain with an ID", host, d, err)
	}
}

func findDomains(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	createApp(t, s, "shed")
	for host, app := range map[string]string{"*.Example.com": "shop", "www.example.com.": "shed", "bücher.example.org": "shop"} {
		addDomain(t, s, app, host)
	}
	for host, want := range map[string]string{
		"www.example.com": "shed", "WWW.EXAMPLE.COM.": "shed", "blog.example.com": "shop", "xn--bcher-kva.example.org": "shop",
		"a.blog.example.com": "", "example.com": "", "com": "", "": "", "x\x00.example.net": "",
	} {
		d, err := s.DomainOf(t.Context(), host)
		if want == "" {
			is(t, fmt.Sprintf("DomainOf(%q)", host), err, state.ErrNotFound)
		} else if err != nil || d.App != want {
			t.Errorf("DomainOf(%q) = %+v, %v; want %s's", host, d, err, want)
		}
	}
	for _, app := range []string{"shop", "shed"} {
		_, err := s.AddDomain(t.Context(), bob, state.Domain{App: app, Hostname: "www.example.com"})
		is(t, "AddDomain of a taken host name to "+app, err, state.ErrTaken)
	}
	is(t, "DeleteDomain of another app", s.DeleteDomain(t.Context(), ann, "shop", "www.example.com"), state.ErrNotFound)
	if err := s.DeleteDomain(t.Context(), ann, "shed", "WWW.example.com"); err != nil {
		t.Errorf("DeleteDomain: %v", err)
	}
	if d, err := s.DomainOf(t.Context(), "www.example.com"); err != nil || d.App != "shop" {
		t.Errorf("DomainOf after deletion = %+v, %v; want the wildcard's, shop", d, err)
	}
	all, err := s.Domains(t.Context(), "shop")
	if err != nil || len(all) != 2 || all[0].Hostname != "*.example.com" || all[1].Hostname != "xn--bcher-kva.example.org" {
		t.Errorf("Domains = %+v, %v; want both of shop, by name", all, err)
	}
}

func refuseDomains(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	for _, bad := range []string{"", "localhost", "no good.example.com", "10.0.0.1", "*", "*.com", "a.*.example.com"} {
		_, err := s.AddDomain(t.Context(), ann, state.Domain{App: "shop", Hostname: bad})
		is(t, fmt.Sprintf("AddDomain(%q)", bad), err, state.ErrInvalid)
		is(t, fmt.Sprintf("DeleteDomain(%q)", bad), s.DeleteDomain(t.Context(), ann, "shop", bad), state.ErrNotFound)
	}
	_, err := s.AddDomain(t.Context(), ann, state.Domain{App: "shed", Hostname: "www.example.com"})
	is(t, "AddDomain to a missing app", err, state.ErrNotFound)
}

func domainsAtOnce(t *testing.T, db Database) {
	t.Helper()
	stores := twice(t, db)
	createApp(t, stores[0], "shed")
	won := atOnce(t, 8, state.ErrTaken, func(i int) error {
		_, err := stores[i%2].AddDomain(t.Context(), ann, state.Domain{App: []string{"shop", "shed"}[i%2], Hostname: "www.example.com"})
		return err
	})
	if won != 1 {
		t.Errorf("%d of 8 got the host name, want 1", won)
	}
}

// atOnce calls do n times at once, and counts the calls without an error.
// Others must return want.
func atOnce(t *testing.T, n int, want error, do func(i int) error) int {
	t.Helper()
	var wg sync.WaitGroup
	won := make(chan int, n)
	for i := range n {
		wg.Go(func() {
			if err := do(i); err == nil {
				won <- i
			} else if !errors.Is(err, want) {
				t.Errorf("call %d: %v, want nil or %v", i, err, want)
			}
		})
	}
	wg.Wait()
	return len(won)
}

func limitDomains(t *testing.T, db Database) {
	t.Helper()
	stores := twice(t, db)
	for i := range state.MaxDomains - 1 {
		addDomain(t, stores[0], "shop", fmt.Sprintf("www%d.example.com", i))
	}
	won := atOnce(t, 4, state.ErrInvalid, func(i int) error {
		_, err := stores[i%2].AddDomain(t.Context(), ann, state.Domain{App: "shop", Hostname: fmt.Sprintf("last%d.example.com", i)})
		return err
	})
	if won != 1 {
		t.Errorf("%d of 4 domains were added where one had room, want 1", won)
	}
}
