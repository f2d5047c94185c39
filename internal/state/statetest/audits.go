package statetest

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
)

// fill gives shop one of everything, one change each.
func fill(t *testing.T, s *sqlstore.Store) {
	t.Helper()
	rel := release("aa")
	rel.Config = map[string]string{"TOKEN": secret}
	addRelease(t, s, rel, 0)
	if err := s.SetFormation(t.Context(), ann, "shop", []state.Formation{{Type: "worker", Quantity: 2}, {Type: "clock", Quantity: 1}}); err != nil {
		t.Fatalf("SetFormation: %v", err)
	}
	addDomain(t, s, "shop", "www.example.com")
	addCert(t, s, "shop")
	addDrain(t, s, "shop", "https://user:"+secret+"@logs.example.com/"+secret)
	if err := s.SetBuildpacks(t.Context(), ann, "shop", []string{"https://example.com/bp.tgz?key=" + secret}); err != nil {
		t.Fatalf("SetBuildpacks: %v", err)
	}
	addAccount(t, s, carol)
	addCollaborator(t, s, "shop", carol)
	addBuild(t, s, "shop", time.Time{})
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
	fill(t, s)
	certID, buildID := undo(t, s)
	all, err := s.Audits(t.Context(), "", 0)
	if err != nil || len(all) != 19 {
		t.Fatalf("there are %d audits, %v; want 19", len(all), err)
	}
	got := map[string]string{}
	for i, a := range all {
		got[a.Action] = a.Actor.User + " " + a.Details
		if i > 0 && a.ID >= all[i-1].ID || a.At.Before(before) || a.Actor.From == "" || (a.App == "shop") == ofNoApp(a.Action) {
			t.Errorf("audit %+v, want one that is new, older than the one before, of shop or of none, with an address", a)
		}
	}
	want := map[string]string{
		"app.create": "ann owner ann", "app.delete": "bob ", "app.update": "bob sleeps after 1h0m0s without a request",
		"release.create": "ann v1: Deploy", "formation.update": "ann clock=1 worker=2",
		"domain.create": "ann www.example.com", "domain.delete": "bob www.example.com",
		"cert.create": "ann " + certID, "cert.delete": "bob " + certID,
		"drain.create": "ann https://logs.example.com", "drain.delete": "bob https://logs.example.com",
		"account.create": "ann " + carol, "account.delete": "bob " + carol,
		"collaborator.create": "ann " + carol, "collaborator.delete": "bob " + carol,
		"build.create": "bob " + buildID, "buildpacks.update": "ann https://example.com/bp.tgz",
		"key.create": "bob SHA256:x", "key.delete": "bob SHA256:x",
	}
	if !maps.Equal(got, want) {
		t.Errorf("Audits = %v, want %v", got, want)
	}
	if last, err := s.Audits(t.Context(), "shop", 2); err != nil || len(last) != 2 || last[0].ID <= last[1].ID || last[1].App != "shop" {
		t.Errorf("Audits(shop, 2) = %+v, %v; want the newest two, newest first", last, err)
	}
}

func ofNoApp(action string) bool {
	kind, _, _ := strings.Cut(action, ".")
	return slices.Contains([]string{"key", "account", "authorization"}, kind)
}

// undo takes from shop what fill gave it, and shop itself, by bob. It returns
// the IDs of the certificate and the build.
func undo(t *testing.T, s *sqlstore.Store) (certID, buildID string) {
	t.Helper()
	certs, err1 := s.Certs(t.Context(), "shop")
	drains, err2 := s.Drains(t.Context(), "shop")
	builds, err3 := s.Builds(t.Context(), "shop", 0)
	if err := errors.Join(err1, err2, err3); err != nil || len(certs) != 1 || len(drains) != 1 || len(builds) != 1 {
		t.Fatalf("there are %d certificates, %d drains and %d builds, %v; want one each", len(certs), len(drains), len(builds), err)
	}
	for i, err := range []error{
		s.SetIdle(t.Context(), bob, "shop", time.Hour),
		s.SetAsleep(t.Context(), "shop", true), // not audited
		s.DeleteDomain(t.Context(), bob, "shop", "www.example.com"),
		s.DeleteCert(t.Context(), bob, "shop", certs[0].ID),
		s.DeleteDrain(t.Context(), bob, "shop", drains[0].URL),
		s.DeleteCollaborator(t.Context(), bob, "shop", carol),
		s.DeleteAccount(t.Context(), bob, carol),
		s.AddKey(t.Context(), bob, state.Key{Fingerprint: "SHA256:x", User: "bob"}),
		s.DeleteKey(t.Context(), bob, "bob", "SHA256:x"),
		s.DeleteApp(t.Context(), bob, "shop"),
	} {
		if err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
	}
	return certs[0].ID, builds[0].ID
}

func auditNoFailures(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	fill(t, s)
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
			_, err := s.AddDomain(t.Context(), bob, state.Domain{App: "shop", Hostname: "www.example.com"})
			return err
		},
		"AddCert":            func() error { _, err := s.AddCert(t.Context(), bob, state.Cert{App: "shop"}); return err },
		"AddDrain":           func() error { _, err := s.AddDrain(t.Context(), bob, state.Drain{App: "shop"}); return err },
		"DeleteDomain":       func() error { return s.DeleteDomain(t.Context(), bob, "shop", "none.example.com") },
		"DeleteCert":         func() error { return s.DeleteCert(t.Context(), bob, "shop", "none") },
		"DeleteDrain":        func() error { return s.DeleteDrain(t.Context(), bob, "shop", "none") },
		"AddAccount":         func() error { _, err := s.AddAccount(t.Context(), bob, carol, false); return err },
		"AddToken":           func() error { _, err := s.AddToken(t.Context(), bob, state.Token{User: dave}); return err },
		"AddCollaborator":    func() error { _, err := s.AddCollaborator(t.Context(), bob, "shop", carol); return err },
		"AddBuild":           func() error { _, err := s.AddBuild(t.Context(), bob, state.Build{App: "shed"}); return err },
		"DeleteAccount":      func() error { return s.DeleteAccount(t.Context(), bob, dave) },
		"DeleteToken":        func() error { return s.DeleteToken(t.Context(), bob, carol, "none") },
		"DeleteCollaborator": func() error { return s.DeleteCollaborator(t.Context(), bob, "shop", dave) },
		"DeleteKey":          func() error { return s.DeleteKey(t.Context(), bob, "bob", "none") },
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
