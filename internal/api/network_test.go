package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"slipway/internal/api/apitest"
	"slipway/internal/wire"
)

func TestDomains(t *testing.T) {
	srv := apitest.Start(t)
	var d wire.Domain
	want(t, srv, http.StatusCreated, "POST /apps/shop/domains", `{"hostname": "WWW.Example.com", "sni_endpoint": null}`, &d)
	if d.Hostname != "www.example.com" || d.Kind != "custom" || d.CNAME == nil || *d.CNAME != "shop.host" {
		t.Errorf("added domain = %+v", d)
	}
	var second wire.Domain
	want(t, srv, http.StatusCreated, "POST /apps/shop/domains", `{"hostname": "*.example.org"}`, &second)
	var failed wire.Error
	want(t, srv, 422, "POST /apps/bare/domains", `{"hostname": "www.example.com"}`, &failed)
	var all []wire.Domain
	want(t, srv, 200, "GET /apps/shop/domains", "", &all)
	if len(all) != 3 || all[0].Hostname != "shop.host" || all[0].Kind != "heroku" || all[0].CNAME != nil {
		t.Errorf("domains = %+v, want shop.host and two more", all)
	}
	want(t, srv, 404, "DELETE /apps/bare/domains/www.example.com", "", &failed)
	want(t, srv, 200, "DELETE /apps/shop/domains/Www.example.com", "", &d)
	want(t, srv, 200, "DELETE /apps/shop/domains/"+second.ID, "", &d)
	all = nil
	want(t, srv, 200, "GET /apps/shop/domains", "", &all)
	if len(all) != 1 {
		t.Errorf("domains after all were removed = %+v", all)
	}
	if got := srv.Changed(); !slices.Equal(got, []string{"shop", "shop", "shop", "shop"}) {
		t.Errorf("told of changes of %q, want shop four times", got)
	}
}

func TestCertsNeverShowTheirKey(t *testing.T) {
	srv := apitest.Start(t)
	chain, key := apitest.Cert(t)
	body := func(chain string) string {
		raw, err := json.Marshal(wire.CertCreate{Chain: chain, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	var added, gone any
	want(t, srv, http.StatusCreated, "POST /apps/shop/sni-endpoints", body(chain), &added)
	var all []wire.Cert
	want(t, srv, 200, "GET /apps/shop/sni-endpoints", "", &all)
	if len(all) != 1 || all[0].Chain != chain || !all[0].SSLCert.ExpiresAt.Equal(apitest.Until) || !slices.Equal(all[0].SSLCert.Domains, []string{"www.example.com"}) {
		t.Fatalf("certificates = %+v", all)
	}
	want(t, srv, 200, "DELETE /apps/shop/sni-endpoints/"+all[0].Name, "", &gone)
	if strings.Contains(fmt.Sprint(added, gone), "PRIVATE KEY") {
		t.Errorf("the answers %v and %v have the key", added, gone)
	}
	var failed wire.Error
	want(t, srv, 422, "POST /apps/shop/sni-endpoints", body("bad"), &failed)
	if !strings.Contains(failed.Message, "cannot be used: tls: failed to find any PEM data") {
		t.Errorf("a bad certificate is refused with %q", failed.Message)
	}
	if got := srv.Changed(); len(got) != 2 {
		t.Errorf("told of changes of %q, want shop twice", got)
	}
}

func TestDrains(t *testing.T) {
	srv := apitest.Start(t)
	const address = "https://user:secret@logs.example.com/in?x=1"
	var d wire.Drain
	for _, id := range []string{url.PathEscape(address), "ID", "TOKEN"} {
		want(t, srv, http.StatusCreated, "POST /apps/shop/log-drains", `{"url": "`+address+`"}`, &d)
		if d.URL != address || !strings.HasPrefix(d.Token, "d.") {
			t.Errorf("added drain = %+v", d)
		}
		id = strings.NewReplacer("ID", d.ID, "TOKEN", d.Token).Replace(id)
		want(t, srv, 200, "DELETE /apps/shop/log-drains/"+id, "", &d)
	}
	var all []wire.Drain
	want(t, srv, 200, "GET /apps/shop/log-drains", "", &all)
	if len(all) != 0 {
		t.Errorf("drains after all were removed = %+v", all)
	}
	var failed wire.Error
	want(t, srv, 404, "DELETE /apps/shop/log-drains/"+url.PathEscape(address), "", &failed)
	if strings.Contains(failed.Message, "secret") {
		t.Errorf("a missing drain says %q, with its password", failed.Message)
	}
	if got := srv.Changed(); len(got) != 6 {
		t.Errorf("told of changes of %q, want shop six times", got)
	}
}

func TestIdleTimeout(t *testing.T) {
	srv := apitest.Start(t)
	for text, shown := range map[string]string{"30m": "30m", "90s": "1m30s", "2h": "2h", "never": "never", "default": "default", "1h30m": "1h30m"} {
		var app wire.App
		want(t, srv, 200, "PATCH /apps/shop", `{"idle_timeout": "`+text+`"}`, &app)
		got := app.IdleTimeout
		want(t, srv, 200, "GET /apps/shop", "", &app)
		if got != shown || app.IdleTimeout != shown {
			t.Errorf("idle_timeout %s = %s, then %s; want %s", text, got, app.IdleTimeout, shown)
		}
	}
	if len(srv.Changed()) != 6 {
		t.Errorf("told of %d changes, want 6", len(srv.Changed()))
	}
}

func TestAuditSaysWhoAndFromWhere(t *testing.T) {
	srv := apitest.Start(t)
	var app wire.App
	want(t, srv, 200, "PATCH /apps/shop", `{"idle_timeout": "30m"}`, &app)
	var all []wire.Audit
	want(t, srv, 200, "GET /apps/shop/audit?limit=1", "", &all)
	if len(all) != 1 || all[0].Actor != (wire.Actor{Email: "ann", From: "127.0.0.1"}) || all[0].Action == "" {
		t.Errorf("audit = %+v, want one entry of ann from 127.0.0.1", all)
	}
}

func TestDomainsHaveTheCertificateThatFits(t *testing.T) {
	srv := apitest.Start(t)
	chain, key := apitest.Cert(t)
	raw, err := json.Marshal(wire.CertCreate{Chain: chain, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	var bare, fits, other wire.Domain
	want(t, srv, http.StatusCreated, "POST /apps/shop/domains", `{"hostname": "www.example.com"}`, &bare)
	want(t, srv, http.StatusCreated, "POST /apps/shop/domains", `{"hostname": "www.example.org"}`, &other)
	var cert, same wire.Cert
	want(t, srv, http.StatusCreated, "POST /apps/shop/sni-endpoints", string(raw), &cert)
	if bare.Endpoint != nil || bare.Status != "none" || !slices.Equal(cert.Domains, []string{bare.ID}) || !cert.SSLCert.SelfSigned || cert.SSLCert.CASigned {
		t.Errorf("domain without a certificate = %+v, certificate = %+v", bare, cert)
	}
	for _, id := range []string{bare.ID, "www.example.com", "WWW.example.com."} {
		want(t, srv, 200, "GET /apps/shop/domains/"+id, "", &fits)
		if fits.ID != bare.ID || fits.Endpoint == nil || fits.Endpoint.ID != cert.ID || fits.Endpoint.Name != cert.Name {
			t.Errorf("domain %s = %+v, want www.example.com with %s", id, fits, cert.Name)
		}
	}
	for _, id := range []string{cert.ID, cert.Name} {
		want(t, srv, 200, "GET /apps/shop/sni-endpoints/"+id, "", &same)
		if same.ID != cert.ID {
			t.Errorf("certificate %s = %+v, want %s", id, same, cert.Name)
		}
	}
	wanted(t, srv, []request{
		{"the app's own domain", "GET /apps/shop/domains/shop.host", "", 200, ""},
		{"a missing domain", "GET /apps/bare/domains/www.example.com", "", 404, ""},
		{"the certificate that fits", "PATCH /apps/shop/domains/www.example.com", `{"sni_endpoint": "` + cert.Name + `"}`, 200, ""},
		{"no certificate", "PATCH /apps/shop/domains/" + other.ID, `{"sni_endpoint": null}`, 200, ""},
		{"a certificate that does not fit", "PATCH /apps/shop/domains/" + other.ID, `{"sni_endpoint": "` + cert.ID + `"}`, 422, `is not for "www.example.org"`},
		{"a missing certificate", "PATCH /apps/shop/domains/" + other.ID, `{"sni_endpoint": "none"}`, 422, "slipway certs"},
		{"a new domain that does not fit", "POST /apps/shop/domains", `{"hostname": "www.example.net", "sni_endpoint": "` + cert.Name + `"}`, 422, "is not for"},
		{"what was refused is not there", "GET /apps/shop/domains/www.example.net", "", 404, ""},
		{"the app's own domain stays", "DELETE /apps/shop/domains/shop.host", "", 422, "goes with the app"},
		{"a missing certificate is not shown", "GET /apps/bare/sni-endpoints/" + cert.Name, "", 404, ""},
	})
}

func TestCertsAreReplaced(t *testing.T) {
	srv := apitest.Start(t)
	bodies := make([]string, 2)
	for i := range bodies {
		chain, key := apitest.Cert(t)
		raw, err := json.Marshal(wire.CertCreate{Chain: chain, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		bodies[i] = string(raw)
	}
	var first, second wire.Cert
	want(t, srv, http.StatusCreated, "POST /apps/shop/sni-endpoints", bodies[0], &first)
	want(t, srv, 200, "PATCH /apps/shop/sni-endpoints/"+first.Name, bodies[1], &second)
	if second.ID != first.ID || second.Name != first.Name || second.Chain == first.Chain {
		t.Errorf("PATCH = %s with the old chain: %t; want %s with the new one", second.Name, second.Chain == first.Chain, first.Name)
	}
	wanted(t, srv, []request{
		{"a chain alone", "PATCH /apps/shop/sni-endpoints/" + first.Name, `{"certificate_chain": "x"}`, 422, "private_key"},
		{"a missing one", "PATCH /apps/shop/sni-endpoints/none", bodies[0], 404, ""},
	})
	var now wire.Cert
	want(t, srv, 200, "GET /apps/shop/sni-endpoints/"+first.ID, "", &now)
	if now.Chain != second.Chain {
		t.Error("GET after a change that was refused = another chain")
	}
	if got := srv.Changed(); !slices.Equal(got, []string{"shop", "shop"}) {
		t.Errorf("told of changes of %q, want shop twice", got)
	}
}

func TestDrainsAreShown(t *testing.T) {
	srv := apitest.Start(t)
	var d, same wire.Drain
	want(t, srv, http.StatusCreated, "POST /apps/shop/log-drains", `{"url": "https://ann:hunter2@example.com/logs"}`, &d)
	for _, id := range []string{d.ID, d.Token, url.PathEscape(d.URL)} {
		want(t, srv, 200, "GET /apps/shop/log-drains/"+id, "", &same)
		if same.ID != d.ID {
			t.Errorf("drain %s = %+v, want %+v", id, same, d)
		}
	}
	wanted(t, srv, []request{
		{"another app's drain", "GET /apps/bare/log-drains/" + d.ID, "", 404, "no such drain"},
		{"an add-on's drain", "PUT /addons/x/log-drains/" + d.ID, `{"url": "https://example.com"}`, 404, "no add-ons"},
	})
}
