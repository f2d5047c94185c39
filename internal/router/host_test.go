package router_test

import (
	"net/http"
	"strings"
	"testing"

	"slipway/internal/router"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	rt := router.New(router.Config{Apps: &apps{}, Domain: "localhost"})
	defer rt.Close()
	for host, want := range map[string]bool{
		"hello.localhost":                       true,
		"HELLO.LocalHost:5000":                  true,
		"hello.localhost.":                      true,
		"hello.localhost.:80":                   true,
		"no-such-app.localhost":                 true, // the router says that there is none
		"www.example.com":                       true,
		"other.example.com":                     false,
		"localhost":                             false,
		"localhost:5000":                        false,
		"a.hello.localhost":                     false,
		".localhost":                            false,
		"hello..localhost":                      false,
		"hello.localhost..":                     false,
		"hello.localhost:":                      true, // RFC 3986, 3.2.3
		"hello.localhost:http":                  false,
		"hello.localhost:123456":                false,
		"hello.localhost:80:80":                 false,
		"user@hello.localhost":                  false,
		"hello .localhost":                      false,
		"hello\x00.localhost":                   false,
		"héllo.localhost":                       false,
		"hello.localhost/x":                     false,
		"127.0.0.1":                             false,
		"127.0.0.1:5000":                        false,
		"[::1]:5000":                            false,
		"":                                      false,
		strings.Repeat("a", 63) + ".localhost":  true,
		strings.Repeat("a", 64) + ".localhost":  false,
		strings.Repeat("a.", 200) + "localhost": false,
	} {
		r := &http.Request{Host: host}
		if got := rt.Match(r); got != want {
			t.Errorf("Match(%q) = %v, want %v", host, got, want)
		}
	}
	none := router.New(router.Config{Apps: &apps{}})
	defer none.Close()
	if none.Match(&http.Request{Host: "other.localhost"}) {
		t.Error("Match(other.localhost) without a domain = true, want false")
	}
}

func FuzzMatch(f *testing.F) {
	for _, seed := range []string{"hello.localhost", "HELLO.localhost.:80", "[::1]:80", "a..localhost", "\x00", "127.0.0.1"} {
		f.Add(seed)
	}
	rt := router.New(router.Config{Apps: &apps{}, Domain: "localhost"})
	f.Fuzz(func(t *testing.T, host string) {
		if !rt.Match(&http.Request{Host: host}) {
			return
		}
		name := strings.TrimSuffix(strings.ToLower(strings.SplitN(host, ":", 2)[0]), ".")
		label, found := strings.CutSuffix(name, ".localhost")
		if (!found || strings.Contains(label, ".")) && name != "www.example.com" {
			t.Errorf("Match(%q) = true, want false", host)
		}
		if strings.ContainsAny(host, " \t\r\n\x00\"'<>/@\\") {
			t.Errorf("Match(%q) = true, want false: these bytes are in no name", host)
		}
	})
}
