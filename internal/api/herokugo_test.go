package api_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	herokugo "github.com/heroku/heroku-go/v6"

	"slipway/internal/api/apitest"
	"slipway/internal/dyno"
	"slipway/internal/logs"
	"slipway/internal/state"
)

// herokuGo is Heroku's own client for Go, as it is.
func herokuGo(srv *apitest.Server, token string) *herokugo.Service {
	c := herokugo.NewService(&http.Client{Transport: &herokugo.Transport{BearerToken: token}})
	c.URL = srv.URL
	return c
}

// herokuError is the status and the ID of an error that Heroku's client returns.
func herokuError(err error) string {
	failed, ok := errors.AsType[herokugo.Error](err)
	if !ok {
		return fmt.Sprint(err)
	}
	return fmt.Sprint(failed.StatusCode, " ", failed.ID)
}

func TestHerokuGoAppsConfigAndReleases(t *testing.T) {
	srv := apitest.Start(t)
	c, ctx := herokuGo(srv, apitest.Token), t.Context()
	app, err := c.AppCreate(ctx, herokugo.AppCreateOpts{Name: herokugo.String("store")})
	if err != nil || app.Name != "store" || app.GitURL != "http://host/store.git" {
		t.Fatalf("AppCreate = %+v, %v", app, err)
	}
	random, err := c.AppCreate(ctx, herokugo.AppCreateOpts{})
	if err != nil || state.CheckName(random.Name) != nil {
		t.Fatalf("AppCreate without a name = %+v, %v", random, err)
	}
	var listed []string
	for first := ""; ; {
		apps, err := c.AppList(ctx, &herokugo.ListRange{Field: "name", Max: 2, FirstID: first})
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range apps {
			listed = append(listed, one.Name)
			first = "]" + one.Name
		}
		if len(apps) < 2 {
			break
		}
	}
	if got := strings.Join(listed, " "); len(listed) != 4 || !slices.IsSorted(listed) || !slices.Contains(listed, "store") {
		t.Errorf("AppList, two by two = %q, want all four by name", got)
	}
	if one, err := c.AppInfo(ctx, app.ID); err != nil || one.Name != "store" {
		t.Errorf("AppInfo(%s) = %+v, %v; want store", app.ID, one, err)
	}
	if _, err := c.AppDelete(ctx, random.Name); err != nil {
		t.Errorf("AppDelete: %v", err)
	}
	if _, err := c.AppInfo(ctx, random.Name); herokuError(err) != "404 not_found" {
		t.Errorf("AppInfo of what is gone = %v, want 404 not_found", err)
	}
	if _, err := c.AppCreate(ctx, herokugo.AppCreateOpts{Name: herokugo.String("store")}); herokuError(err) != "422 invalid_params" {
		t.Errorf("AppCreate of a name that is taken = %v, want 422 invalid_params", err)
	}

	vars, err := c.ConfigVarUpdate(ctx, "shop", map[string]*string{"A": herokugo.String("1"), "B": herokugo.String("2")})
	if err != nil || len(vars) != 2 || *vars["A"] != "1" {
		t.Errorf("ConfigVarUpdate = %v, %v; want both", vars, err)
	}
	if _, err = c.ConfigVarUpdate(ctx, "shop", map[string]*string{"B": nil}); err != nil {
		t.Error(err)
	}
	if vars, err := c.ConfigVarInfoForApp(ctx, "shop"); err != nil || len(vars) != 1 || *vars["A"] != "1" {
		t.Errorf("ConfigVarInfoForApp = %v, %v; want A alone", vars, err)
	}

	releases, err := c.ReleaseList(ctx, "shop", &herokugo.ListRange{Field: "version", Descending: true, Max: 2})
	if err != nil || len(releases) != 2 || releases[0].Version != 3 || releases[1].Version != 2 {
		t.Fatalf("ReleaseList of the newest two = %+v, %v; want v3 and v2", releases, err)
	}
	rel, err := c.ReleaseRollback(ctx, "shop", herokugo.ReleaseRollbackOpts{Release: releases[1].ID})
	if err != nil || rel.Version != 4 {
		t.Fatalf("ReleaseRollback to v2 = %+v, %v; want v4", rel, err)
	}
	if vars, err := c.ConfigVarInfoForApp(ctx, "shop"); err != nil || len(vars) != 2 {
		t.Errorf("config vars after the rollback = %v, %v; want those of v2", vars, err)
	}
	if one, err := c.ReleaseInfo(ctx, "shop", "4"); err != nil || !one.Current {
		t.Errorf("ReleaseInfo(4) = %+v, %v; want the current one", one, err)
	}
}

func TestHerokuGoRunsAndScales(t *testing.T) {
	srv := apitest.Start(t)
	c, ctx := herokuGo(srv, apitest.Token), t.Context()
	const id = "01234567-89ab-cdef-0123-456789abcdef"
	srv.Dynos.Add(dyno.Dyno{ID: id, App: "shop", Name: "web.1", Type: "web", Command: "serve", State: dyno.Up, Since: time.Now(), Release: 1})
	if one, err := c.FormationUpdate(ctx, "shop", "web", herokugo.FormationUpdateOpts{Quantity: herokugo.Int(2)}); err != nil || one.Quantity != 2 {
		t.Errorf("FormationUpdate = %+v, %v; want 2", one, err)
	}
	if all, err := c.FormationList(ctx, "shop", nil); err != nil || len(all) != 3 || all[0].Type != "web" || all[0].Quantity != 2 {
		t.Errorf("FormationList = %+v, %v; want web 2, worker and release", all, err)
	}
	if _, err := c.FormationUpdate(ctx, "shop", "clock", herokugo.FormationUpdateOpts{Quantity: herokugo.Int(1)}); herokuError(err) != "404 not_found" {
		t.Errorf("FormationUpdate of a missing type = %v, want 404 not_found", err)
	}
	if all, err := c.DynoList(ctx, "shop", nil); err != nil || len(all) != 1 || all[0].Name != "web.1" || all[0].State != "up" {
		t.Errorf("DynoList = %+v, %v; want web.1", all, err)
	}
	if one, err := c.DynoInfo(ctx, "shop", id); err != nil || one.Name != "web.1" {
		t.Errorf("DynoInfo = %+v, %v; want web.1", one, err)
	}
	for name, do := range map[string]func() error{
		"DynoRestart":          func() error { _, err := c.DynoRestart(ctx, "shop", "web.1"); return err },
		"DynoRestartFormation": func() error { _, err := c.DynoRestartFormation(ctx, "shop", "web"); return err },
		"DynoRestartAll":       func() error { _, err := c.DynoRestartAll(ctx, "shop"); return err },
		"DynoStop":             func() error { _, err := c.DynoStop(ctx, "shop", "web.1"); return err },
	} {
		if err := do(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if done := srv.Dynos.Done(); len(done) != 4 {
		t.Errorf("done = %q, want four things", done)
	}
	one, err := c.DynoCreate(ctx, "shop", herokugo.DynoCreateOpts{Command: "ls", Attach: herokugo.Bool(false)})
	if err != nil || one.Command != "ls" {
		t.Errorf("DynoCreate = %+v, %v", one, err)
	}
}

func TestHerokuGoReadsLogs(t *testing.T) {
	srv := apitest.Start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	srv.Logs.Append(line("app", "web.1", "hello"))
	session, err := herokuGo(srv, apitest.Token).LogSessionCreate(ctx, "shop", herokugo.LogSessionCreateOpts{Tail: herokugo.Bool(true), Lines: herokugo.Int(10)})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, session.LogplexURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewReader(resp.Body)
	for _, want := range []string{"hello", "and more"} {
		got, err := lines.ReadString('\n')
		if err != nil || !strings.HasSuffix(got, "app[web.1]: "+want+"\n") {
			t.Fatalf("line = %q, %v; want %q", got, err, want)
		}
		srv.Logs.Append(logs.Line{At: noon, Source: "app", Dyno: "web.1", Text: "and more"})
	}
}

func TestHerokuGoDomainsKeysAndPeople(t *testing.T) {
	srv := apitest.Start(t)
	c, ctx := herokuGo(srv, apitest.Token), t.Context()
	domain, err := c.DomainCreate(ctx, "shop", herokugo.DomainCreateOpts{Hostname: "www.example.com"})
	if err != nil || domain.Hostname != "www.example.com" {
		t.Fatalf("DomainCreate = %+v, %v", domain, err)
	}
	if all, err := c.DomainList(ctx, "shop", nil); err != nil || len(all) != 2 {
		t.Errorf("DomainList = %+v, %v; want two", all, err)
	}
	if _, err := c.DomainDelete(ctx, "shop", domain.ID); err != nil {
		t.Errorf("DomainDelete: %v", err)
	}
	if all, err := c.KeyList(ctx, nil); err != nil || len(all) != 0 {
		t.Errorf("KeyList = %+v, %v; want none", all, err)
	}
	token := srv.AddUser(t, "bob@example.com", false)
	bob := herokuGo(srv, token)
	if _, err := bob.AppInfo(ctx, "shop"); herokuError(err) != "403 forbidden" {
		t.Errorf("AppInfo of a stranger = %v, want 403 forbidden", err)
	}
	if one, err := c.CollaboratorCreate(ctx, "shop", herokugo.CollaboratorCreateOpts{User: "bob@example.com"}); err != nil || one.User.Email != "bob@example.com" {
		t.Errorf("CollaboratorCreate = %+v, %v", one, err)
	}
	if _, err := bob.AppInfo(ctx, "shop"); err != nil {
		t.Errorf("AppInfo of a collaborator: %v", err)
	}
	if all, err := c.CollaboratorList(ctx, "shop", nil); err != nil || len(all) == 0 {
		t.Errorf("CollaboratorList = %+v, %v", all, err)
	}
	if _, err := c.CollaboratorDelete(ctx, "shop", "bob@example.com"); err != nil {
		t.Errorf("CollaboratorDelete: %v", err)
	}
	if me, err := bob.AccountInfo(ctx); err != nil || me.Email != "bob@example.com" {
		t.Errorf("AccountInfo = %+v, %v; want bob", me, err)
	}
	if left, err := c.RateLimitInfo(ctx); err != nil || left.Remaining <= 0 {
		t.Errorf("RateLimitInfo = %+v, %v; want some", left, err)
	}
	if all, err := c.AddOnListByApp(ctx, "shop", nil); err != nil || len(all) != 0 {
		t.Errorf("AddOnListByApp = %+v, %v; want none", all, err)
	}
	if _, err := c.PipelineCreate(ctx, herokugo.PipelineCreateOpts{}); herokuError(err) != "422 unsupported" {
		t.Errorf("PipelineCreate = %v, want 422 unsupported", err)
	}
	if _, err := herokuGo(srv, "wrong").AppList(ctx, nil); herokuError(err) != "401 unauthorized" {
		t.Errorf("AppList with a wrong token = %v, want 401 unauthorized", err)
	}
}
