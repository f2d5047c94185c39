package state_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"slipway/internal/state"
)

func TestCheckHostname(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", 63)
	for name, want := range map[string]string{
		"www.example.com":                      "www.example.com",
		"WWW.Example.COM.":                     "www.example.com",
		"*.example.com":                        "*.example.com",
		"bücher.example":                       "xn--bcher-kva.example",
		"xn--bcher-kva.example":                "xn--bcher-kva.example",
		"1.2.3.4.example":                      "1.2.3.4.example",
		label + "." + label + ".com":           label + "." + label + ".com",
		"":                                     "",
		"com":                                  "",
		".com":                                 "",
		"example..com":                         "",
		"example.com..":                        "",
		"*":                                    "",
		"*.com":                                "",
		"*.*.example.com":                      "",
		"www.*.example.com":                    "",
		"w*.example.com":                       "",
		"-a.example.com":                       "",
		"a_b.example.com":                      "",
		"a b.example.com":                      "",
		"a\x00b.example.com":                   "",
		"www.example.com:80":                   "",
		"http://www.example.com":               "",
		"www.example.com/":                     "",
		"10.0.0.1":                             "",
		"*.10.0.0.1":                           "",
		"10.0.0.256":                           "",
		"10.0.1":                               "",
		"::1":                                  "",
		"[::1]":                                "",
		label + "a.com":                        "",
		strings.Repeat(label+".", 4) + "com":   "",
		strings.Repeat("a.", 1<<20) + "com":    "",
		"*." + strings.Repeat("a.", 126) + "a": "",
	} {
		got, err := state.CheckHostname(name)
		if got != want || (err == nil) != (want != "") || err != nil && !errors.Is(err, state.ErrInvalid) {
			t.Errorf("CheckHostname(%.80q) = %q, %v; want %q", name, got, err, want)
		}
		if err != nil && len(err.Error()) > 400 {
			t.Errorf("CheckHostname(%.80q): an error of %d bytes", name, len(err.Error()))
		}
	}
}

func TestCheckConfig(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what   string
		config map[string]string
		ok     bool
	}{
		{"none", nil, true},
		{"usual ones", map[string]string{"DATABASE_URL": "postgres://…", "_x": "", "a-b.c": "two\nlines"}, true},
		{"the longest name", map[string]string{strings.Repeat("N", 128): ""}, true},
		{"a name too long", map[string]string{strings.Repeat("N", 129): ""}, false},
		{"no name", map[string]string{"": "secret"}, false},
		{"an equals sign", map[string]string{"A=B": "secret"}, false},
		{"a zero in a name", map[string]string{"A\x00": "secret"}, false},
		{"a line break in a name", map[string]string{"A\nB": "secret"}, false},
		{"a space in a name", map[string]string{"A B": "secret"}, false},
		{"no text in a name", map[string]string{"A\xff": "secret"}, false},
		{"a zero in a value", map[string]string{"A": "secret\x00"}, false},
		{"no text in a value", map[string]string{"A": "secret\xff"}, false},
		{"PORT", map[string]string{"PORT": "secret"}, false},
		{"the most", map[string]string{"A": strings.Repeat("x", state.MaxConfig-2), "B": ""}, true},
		{"one byte too many", map[string]string{"A": "secret" + strings.Repeat("x", state.MaxConfig-7), "B": ""}, false},
	} {
		err := state.CheckConfig(c.config)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, state.ErrInvalid) {
			t.Errorf("CheckConfig of %s: %v, want ok %v", c.what, err, c.ok)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("CheckConfig of %s shows a value: %v", c.what, err)
		}
	}
}

func TestCheckFormation(t *testing.T) {
	t.Parallel()
	many := make([]state.Formation, 51)
	for i := range many {
		many[i].Type = fmt.Sprintf("worker%d", i)
	}
	for _, c := range []struct {
		what      string
		formation []state.Formation
		ok        bool
	}{
		{"none", nil, true},
		{"none of one", []state.Formation{{Type: "web"}}, true},
		{"the most of one", []state.Formation{{Type: "web", Quantity: state.MaxQuantity}}, true},
		{"more than the most", []state.Formation{{Type: "web", Quantity: state.MaxQuantity + 1}}, false},
		{"less than none", []state.Formation{{Type: "web", Quantity: -1}}, false},
		{"no type", []state.Formation{{Quantity: 1}}, false},
		{"a type that is none", []state.Formation{{Type: "web.1", Quantity: 1}}, false},
		{"too many types", many, false},
		{"the most types", many[1:], true},
	} {
		err := state.CheckFormation(c.formation)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, state.ErrInvalid) {
			t.Errorf("CheckFormation of %s: %v, want ok %v", c.what, err, c.ok)
		}
	}
}

func TestCheckDrain(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"syslog://logs.example.com:514":             true,
		"syslog+tls://logs.example.com:6514":        true,
		"https://user:secret@logs.example.com/in":   true,
		"https://[::1]:443/":                        true,
		"http://logs.example.com":                   false,
		"file:///etc/passwd":                        false,
		"logs.example.com:514":                      false,
		"https://:443/":                             false,
		"https:logs.example.com":                    false,
		"https://logs.example.com/\x00":             false,
		"":                                          false,
		"https://x.com/" + strings.Repeat("a", 4e3): false,
	} {
		err := state.CheckDrain(address)
		if (err == nil) != ok || err != nil && !errors.Is(err, state.ErrInvalid) {
			t.Errorf("CheckDrain(%.80q): %v, want ok %v", address, err, ok)
		}
	}
}

func TestTargetOfADrainHidesSecrets(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://user:secret@logs.example.com:8443/secret?t=secret#secret": "https://logs.example.com:8443",
		"syslog://logs.example.com:514":                                    "syslog://logs.example.com:514",
	} {
		if got := (state.Drain{URL: address}).Target(); got != want {
			t.Errorf("Target of %s = %q, want %q", address, got, want)
		}
	}
}
