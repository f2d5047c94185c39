package statetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
)

// fill gives an app one of everything, one change each.
func fill(t *testing.T, s *sqlstore.Store, app string) {
	t.Helper()
	rel := release("aa")
	rel.App, rel.Config = app, map[string]string{"TOKEN": secret}
	addRelease(t, s, rel, 0)
	if err := s.SetFormation(t.Context(), ann, app, []state.Formation{{Type: "worker", Quantity: 2}, {Type: "clock", Quantity: 1}}); err != nil {
		t.Fatalf("SetFormation: %v", err)
	}
	addDomain(t, s, app, "www."+app+".example.com")
	addCert(t, s, app)
	addDrain(t, s, app, "https://user:"+secret+"@logs.example.com/"+secret)
}

// hasActions fails the test unless the app has n audits of an action.
func hasActions(t *testing.T, s *sqlstore.Store, app, action string, n int) {
	t.Helper()
	all, err := s.Audits(t.Context(), app, 0)
	if err != nil {
		t.Fatalf("Audits: %v", err)
	}
	others := slices.DeleteFunc(slices.Clone(all), func(a state.Audit) bool { return a.Action != action })
	if len(others) != n {
		t.Errorf("Audits of %s = %+v, want %d", action, others, n)
	}
}

func auditChanges(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	before := time.Now().Add(-time.Minute)
	fill(t, s, "shop")
	domains, err1 := s.Domains(t.Context(), "shop")
	certs, err2 := s.Certs(t.Context(), "shop")
	drains, err3 := s.Drains(t.Context(), "shop")
	if err1 != nil || err2 != nil || err3 != nil || len(domains)+len(certs)+len(drains) != 3 {
		t.Fatalf("one domain, certificate and drain each are wanted: %v, %v, %v", err1, err2, err3)
	}
	for what, err := range map[string]error{
		"SetIdle":      s.SetIdle(t.Context(), bob, "shop", time.Hour),
		"SetAsleep":    s.SetAsleep(t.Context(), "shop", true),
		"DeleteDomain": s.DeleteDomain(t.Context(), bob, "shop", domains[0].Hostname),
		"DeleteCert":   s.DeleteCert(t.Context(), bob, "shop", certs[0].ID),
		"DeleteDrain":  s.DeleteDrain(t.Context(), bob, "shop", drains[0].URL),
		"AddKey":       s.AddKey(t.Context(), bob, state.Key{Fingerprint: "SHA256:x"}),
		"DeleteKey":    s.DeleteKey(t.Context(), bob, "SHA256:x"),
		"DeleteApp":    s.DeleteApp(t.Context(), bob, "shop"),
	} {
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	all, err := s.Audits(t.Context(), "", 0)
	if err != nil {
		t.Fatalf("Audits: %v", err)
	}
	slices.Reverse(all)
	got := map[string]string{}
	for i, a := range all {
		got[a.Action] = a.Actor.User + " " + a.Details
		if i > 0 && a.ID <= all[i-1].ID || a.At.Before(before) || a.Actor.From == "" || (a.App == "shop") == strings.HasPrefix(a.Action, "key.") {
			t.Errorf("audit %+v, want one that is new, of shop or a key, with an address", a)
		}
		if strings.Contains(a.Details, secret) {
			t.Errorf("audit of %s shows a secret: %s", a.Action, a.Details)
		}
	}
	for action, want := range map[string]string{
		"app.create": "ann owner ann", "app.delete": "bob ", "app.update": "bob sleeps after 1h0m0s without a request",
		"release.create": "ann v1: Deploy", "formation.update": "ann clock=1 worker=2",
		"domain.create": "ann www.shop.example.com", "domain.delete": "bob www.shop.example.com",
		"cert.create": "ann " + certs[0].ID, "cert.delete": "bob " + certs[0].ID,
		"drain.create": "ann https://logs.example.com", "drain.delete": "bob https://logs.example.com",
		"key.create": "bob SHA256:x", "key.delete": "bob SHA256:x",
	} {
		if got[action] != want {
			t.Errorf("audit of %s = %q, want %q", action, got[action], want)
		}
		delete(got, action)
	}
	if len(got) != 0 || len(all) != 13 {
		t.Errorf("there are %d audits, among them %v; want 13", len(all), got)
	}
	if last, err := s.Audits(t.Context(), "shop", 2); err != nil || len(last) != 2 || last[0].ID <= last[1].ID || last[1].App != "shop" {
		t.Errorf("Audits(shop, 2) = %+v, %v; want the newest two, newest first", last, err)
	}
}

func auditNoFailures(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	fill(t, s, "shop")
	before, err := s.Audits(t.Context(), "", 0)
	if err != nil {
		t.Fatalf("Audits: %v", err)
	}
	for what, change := range map[string]func() error{
		"CreateApp":  func() error { _, err := s.CreateApp(t.Context(), bob, state.App{Name: "shop"}); return err },
		"DeleteApp":  func() error { return s.DeleteApp(t.Context(), bob, "shed") },
		"SetIdle":    func() error { return s.SetIdle(t.Context(), bob, "shed", 0) },
		"AddRelease": func() error { _, err := s.AddRelease(t.Context(), bob, release("bb"), 0); return err },
		"SetFormation": func() error {
			return s.SetFormation(t.Context(), bob, "shop", []state.Formation{{Type: "web", Quantity: -1}})
		},
		"AddDomain": func() error {
			_, err := s.AddDomain(t.Context(), bob, state.Domain{App: "shop", Hostname: "www.shop.example.com"})
			return err
		},
		"AddCert":      func() error { _, err := s.AddCert(t.Context(), bob, state.Cert{App: "shop"}); return err },
		"AddDrain":     func() error { _, err := s.AddDrain(t.Context(), bob, state.Drain{App: "shop"}); return err },
		"DeleteDomain": func() error { return s.DeleteDomain(t.Context(), bob, "shop", "none.example.com") },
		"DeleteCert":   func() error { return s.DeleteCert(t.Context(), bob, "shop", "none") },
		"DeleteDrain":  func() error { return s.DeleteDrain(t.Context(), bob, "shop", "none") },
		"DeleteKey":    func() error { return s.DeleteKey(t.Context(), bob, "none") },
	} {
		if err := change(); err == nil {
			t.Errorf("%s of what cannot be = nil, want an error", what)
		}
	}
	if after, err := s.Audits(t.Context(), "", 0); err != nil || !slices.Equal(after, before) {
		t.Errorf("Audits = %+v, %v; want those before: %+v", after, err, before)
	}
}

func noChangeWithoutAudit(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	raw := db.raw(t)
	exec(t, raw, "ALTER TABLE audits RENAME TO hidden")
	if _, err := s.CreateApp(t.Context(), ann, state.App{Name: "shed"}); err == nil {
		t.Error("CreateApp without a place for audits = nil, want an error")
	}
	if _, err := s.AddRelease(t.Context(), ann, release("aa"), 0); err == nil {
		t.Error("AddRelease without a place for audits = nil, want an error")
	}
	exec(t, raw, "ALTER TABLE hidden RENAME TO audits")
	_, err := s.App(t.Context(), "shed")
	is(t, "App whose creation could not be audited", err, state.ErrNotFound)
	w, err := s.Wanted(t.Context(), "shop")
	if err != nil || w.Release.Version != 0 || len(w.Formation) != 0 {
		t.Errorf("Wanted = %+v, %v; want no release and no formation", w, err)
	}
}
