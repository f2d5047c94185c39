package api_test

import (
	"testing"

	"slipway/internal/api/apitest"
	"slipway/internal/wire"
)

func TestMaintenance(t *testing.T) {
	srv := apitest.Start(t)
	var audits []wire.Audit
	want(t, srv, 200, "GET /apps/shop/audit", "", &audits)
	before := len(audits)
	for _, c := range []struct {
		body string
		on   bool
	}{
		{`{"maintenance": true}`, true},
		{`{"maintenance": true}`, true},
		{`{"idle_timeout": "30m"}`, true},
		{`{"maintenance": null}`, true},
		{`{"maintenance": false, "idle_timeout": "default"}`, false},
	} {
		var app, later wire.App
		want(t, srv, 200, "PATCH /apps/shop", c.body, &app)
		want(t, srv, 200, "GET /apps/shop", "", &later)
		if app.Maintenance != c.on || later.Maintenance != c.on {
			t.Errorf("PATCH %s: maintenance %t, then %t; want %t", c.body, app.Maintenance, later.Maintenance, c.on)
		}
	}
	want(t, srv, 200, "GET /apps/shop/audit", "", &audits)
	if n := len(audits) - before; n != 4 {
		t.Errorf("audit has %d rows more, want 4: what changes nothing is not audited", n)
	}
	for body, status := range map[string]int{`{"maintenance": "yes"}`: 422, `{"maintenance": 1}`: 422} {
		var failed wire.Error
		want(t, srv, status, "PATCH /apps/shop", body, &failed)
	}
	var failed wire.Error
	want(t, srv, 404, "PATCH /apps/shed", `{"maintenance": true}`, &failed)
}
