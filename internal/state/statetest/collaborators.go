package statetest

import (
	"fmt"
	"slices"
	"testing"

	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
)

func addCollaborator(t *testing.T, s *sqlstore.Store, app, user string) state.Collaborator {
	t.Helper()
	c, err := s.AddCollaborator(t.Context(), ann, app, user)
	if err != nil || c.ID == "" || c.App != app || c.User != user {
		t.Fatalf("AddCollaborator(%s, %s) = %+v, %v; want one with an ID", app, user, c, err)
	}
	return c
}

func mayUse(t *testing.T, s *sqlstore.Store, user, app string, want bool) {
	t.Helper()
	if got, err := s.MayUse(t.Context(), user, app); err != nil || got != want {
		t.Errorf("MayUse(%s, %s) = %v, %v; want %v", user, app, got, err, want)
	}
}

func keepCollaborators(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	createApp(t, s, "shed")
	addAccount(t, s, carol)
	addAccount(t, s, dave)
	if _, err := s.AddAccount(t.Context(), ann, "root@example.com", true); err != nil {
		t.Fatal(err)
	}
	second := addCollaborator(t, s, "shop", dave)
	first := addCollaborator(t, s, "shop", carol)
	if all, err := s.Collaborators(t.Context(), "shop"); err != nil || !slices.Equal(all, []state.Collaborator{first, second}) {
		t.Errorf("Collaborators = %+v, %v; want carol and dave", all, err)
	}
	for user, may := range map[string]bool{
		"ann": true, carol: true, "root@example.com": true, state.AdminUser: true, "eve@example.com": false, "": false,
	} {
		mayUse(t, s, user, "shop", may)
	}
	mayUse(t, s, carol, "shed", false)
	_, err := s.MayUse(t.Context(), carol, "none")
	is(t, "MayUse of a missing app", err, state.ErrNotFound)
	_, err = s.AddCollaborator(t.Context(), ann, "shop", dave)
	is(t, "AddCollaborator again", err, state.ErrTaken)
	_, err = s.AddCollaborator(t.Context(), ann, "none", dave)
	is(t, "AddCollaborator to a missing app", err, state.ErrNotFound)
	_, err = s.AddCollaborator(t.Context(), ann, "shop", state.AdminUser)
	is(t, "AddCollaborator of the administrator", err, state.ErrInvalid)
	if err := s.DeleteCollaborator(t.Context(), bob, "shop", dave); err != nil {
		t.Errorf("DeleteCollaborator: %v", err)
	}
	mayUse(t, s, dave, "shop", false)
	is(t, "DeleteCollaborator again", s.DeleteCollaborator(t.Context(), bob, "shop", dave), state.ErrNotFound)
	hasActions(t, s, "shop", "collaborator.create", 2)
	hasActions(t, s, "shop", "collaborator.delete", 1)
}

func pageApps(t *testing.T, db Database) {
	t.Helper()
	s := db.open(t)
	addAccount(t, s, carol)
	ids := map[string]string{}
	for i, owner := range []string{"ann", carol, "ann", carol, "ann", "ann"} {
		name := fmt.Sprintf("app-%c", 'a'+i)
		app, err := s.CreateApp(t.Context(), ann, state.App{Name: name, Owner: owner})
		if err != nil {
			t.Fatal(err)
		}
		ids[app.ID] = name
		if got, err := s.AppByID(t.Context(), app.ID); err != nil || got != app {
			t.Errorf("AppByID = %+v, %v; want %+v", got, err, app)
		}
	}
	_, err := s.AppByID(t.Context(), "app-a")
	is(t, "AppByID of a name", err, state.ErrNotFound)
	addCollaborator(t, s, "app-a", carol)
	addCollaborator(t, s, "app-e", carol)
	addCollaborator(t, s, "app-b", carol) // her own
	for _, c := range []struct {
		user string
		page state.Page
		want []string
	}{
		{"", state.Page{}, []string{"app-a", "app-b", "app-c", "app-d", "app-e", "app-f"}},
		{"", state.Page{Max: 2}, []string{"app-a", "app-b"}},
		{"", state.Page{Max: 2, From: "app-b", After: true}, []string{"app-c", "app-d"}},
		{"", state.Page{From: "app-e", To: "app-e"}, []string{"app-e"}},
		{"", state.Page{From: "app-c", To: "app-b"}, nil},
		{"", state.Page{Max: 2, Desc: true}, []string{"app-f", "app-e"}},
		{"", state.Page{From: "app-c", Desc: true, After: true}, []string{"app-b", "app-a"}},
		{"", state.Page{From: "app-d", To: "app-c", Desc: true}, []string{"app-d", "app-c"}},
		{carol, state.Page{}, []string{"app-a", "app-b", "app-d", "app-e"}},
		{carol, state.Page{Max: 1, From: "app-b"}, []string{"app-b"}},
		{carol, state.Page{Max: 2, From: "app-b", After: true}, []string{"app-d", "app-e"}},
		{carol, state.Page{Desc: true, Max: 3, To: "app-b"}, []string{"app-e", "app-d", "app-b"}},
		{"eve@example.com", state.Page{}, nil},
	} {
		got, err := s.AppsPage(t.Context(), c.user, c.page)
		if names := namesOf(got); err != nil || !slices.Equal(names, c.want) {
			t.Errorf("AppsPage(%q, %+v) = %v, %v; want %v", c.user, c.page, names, err, c.want)
		}
		byID(t, s, c.user, ids)
	}
	_, err = s.AppsPage(t.Context(), "", state.Page{By: "owner; DROP TABLE apps"})
	is(t, "AppsPage by what it cannot be sorted by", err, state.ErrInvalid)
}

// byID reads a user's apps by ID, two a page, both ways.
func byID(t *testing.T, s *sqlstore.Store, user string, names map[string]string) {
	t.Helper()
	whole, err := s.AppsPage(t.Context(), user, state.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for _, desc := range []bool{false, true} {
		var got []string
		p := state.Page{By: "id", Max: 2, Desc: desc}
		for range len(names) {
			apps, err := s.AppsPage(t.Context(), user, p)
			if err != nil {
				t.Fatalf("AppsPage(%q, %+v): %v", user, p, err)
			}
			for _, app := range apps {
				got = append(got, app.ID)
				p.From, p.After = app.ID, true
			}
		}
		if desc {
			slices.Reverse(got)
		}
		if len(got) != len(whole) || !slices.IsSorted(got) {
			t.Errorf("AppsPage of %q by ID, two a page, desc %v = %v; want %d, sorted", user, desc, got, len(whole))
		}
	}
}

func namesOf(apps []state.App) []string {
	var names []string
	for _, app := range apps {
		names = append(names, app.Name)
	}
	return names
}
