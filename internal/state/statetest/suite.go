package statetest

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
)

// A Database is empty at first. It can be opened more than once.
type Database struct {
	Open func(ctx context.Context, sealer *state.Sealer) (*sqlstore.Store, error)
	// Driver and DSN open it without a store, to see what it holds.
	Driver, DSN string
}

// Run runs the suite. database makes a database that goes with the test.
func Run(t *testing.T, database func(t *testing.T) Database) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(t *testing.T, db Database)
	}{
		{"apps are found by name", findApps},
		{"bad names are refused", refuseNames},
		{"apps sleep", sleepApps},
		{"apps say when they changed, and are maintained", stampApps},
		{"apps come in pages, somebody's or all", pageApps},
		{"a deleted app takes all along but its usage and audits", deleteApp},
		{"releases are numbered and kept", keepReleases},
		{"a release after an old one is refused", refuseOldRelease},
		{"the newest slug of a commit is found", findCommit},
		{"config vars have limits", limitConfig},
		{"releases at once get one version each", releasesAtOnce},
		{"the first release with web gets a dyno", firstWeb},
		{"formations are set by type", setFormations},
		{"bad formations are refused", refuseFormations},
		{"formations at once lose nothing", formationsAtOnce},
		{"wanted is app, newest release and formation", wanted},
		{"wanted is of one moment", wantedOfOneMoment},
		{"domains are found, exact or by wildcard", findDomains},
		{"bad host names are refused", refuseDomains},
		{"a domain at once goes to one app", domainsAtOnce},
		{"domains have a limit", limitDomains},
		{"certificates are kept", keepCerts},
		{"certificates are replaced", replaceCerts},
		{"bad certificates are refused", refuseCerts},
		{"drains are kept", keepDrains},
		{"bad drains are refused", refuseDrains},
		{"a drain at once is added once", drainsAtOnce},
		{"buildpacks are kept", keepBuildpacks},
		{"buildpacks are replaced, and taken back", clearBuildpacks},
		{"bad buildpacks are refused", refuseBuildpacks},
		{"keys are kept", keepKeys},
		{"accounts are kept", keepAccounts},
		{"a deleted account takes all along but its apps", deleteAccount},
		{"an account that is deleted at once leaves nothing", deleteAccountAtOnce},
		{"tokens are kept", keepTokens},
		{"tokens have a limit", limitTokens},
		{"collaborators are kept, and may use the app", keepCollaborators},
		{"builds are kept", keepBuilds},
		{"builds are settled after a crash", settleBuilds},
		{"usage adds up", addUsage},
		{"usage at once adds up", usageAtOnce},
		{"changes are audited", auditChanges},
		{"failed changes are not audited", auditNoFailures},
		{"no change without an audit", noChangeWithoutAudit},
		{"secrets are sealed", sealSecrets},
		{"secrets do not open for another app", bindSecrets},
		{"another key is refused", refuseKey},
		{"text that is none is kept readable", cleanText},
		{"state survives reopening", reopen},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, database(t)) })
	}
}

var (
	ann = state.Actor{User: "ann", From: "127.0.0.1"}
	bob = state.Actor{User: "bob", From: "10.0.0.1"}
)

// open opens a database until the end of the test.
func (db Database) open(t *testing.T) *sqlstore.Store {
	t.Helper()
	s, err := db.Open(t.Context(), Sealer(t))
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// withApp opens a database with the app "shop".
func (db Database) withApp(t *testing.T) *sqlstore.Store {
	t.Helper()
	s := db.open(t)
	createApp(t, s, "shop")
	return s
}

func createApp(t *testing.T, s *sqlstore.Store, name string) state.App {
	t.Helper()
	app, err := s.CreateApp(t.Context(), ann, state.App{Name: name, Owner: "ann"})
	if err != nil {
		t.Fatalf("CreateApp(%q): %v", name, err)
	}
	return app
}

// raw opens a database without a store.
func (db Database) raw(t *testing.T) *sql.DB {
	t.Helper()
	raw, err := sql.Open(db.Driver, db.DSN)
	if err != nil {
		t.Fatalf("open %s: %v", db.Driver, err)
	}
	t.Cleanup(func() {
		if err := raw.Close(); err != nil {
			t.Errorf("close raw database: %v", err)
		}
	})
	return raw
}

func exec(t *testing.T, raw *sql.DB, statement string) {
	t.Helper()
	if _, err := raw.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// is fails the test unless err is want.
func is(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}
