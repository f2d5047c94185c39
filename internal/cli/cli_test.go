package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"slipway/internal/api/apitest"
	"slipway/internal/cli"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC
	goleak.VerifyTestMain(m)
}

// A result is what a command line did.
type result struct {
	code           int
	stdout, stderr string
}

func run(t *testing.T, srv *apitest.Server, args ...string) result {
	t.Helper()
	return runWith(t.Context(), t, srv, cli.Config{}, args...)
}

func runWith(ctx context.Context, t *testing.T, srv *apitest.Server, cfg cli.Config, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	if cfg.Stdin == nil {
		cfg.Stdin = strings.NewReader("")
	}
	cfg.Stdout, cfg.Stderr, cfg.URL, cfg.Token, cfg.ConfigDir = &out, &errs, srv.URL, apitest.Token, t.TempDir()
	root := cli.New(cfg) //nolint:contextcheck // verbs get theirs when they run
	code := cli.Run(ctx, root, args)
	return result{code, out.String(), errs.String()}
}

// A step is a command line and what it should print, in which TIME stands for a
// time and * for anything in a line.
type step struct {
	args   string // words
	stdout string
	stderr string
	code   int
}

func check(t *testing.T, srv *apitest.Server, steps ...step) {
	t.Helper()
	for _, s := range steps {
		got := run(t, srv, strings.Fields(s.args)...)
		if got.code != s.code || !like(got.stdout, s.stdout) || !like(got.stderr, s.stderr) {
			t.Errorf("slipway %s exits with %d and prints\n%s%s, want %d and\n%s%s", s.args, got.code, got.stdout, got.stderr, s.code, s.stdout, s.stderr)
		}
	}
}

func like(got, want string) bool {
	pattern := regexp.QuoteMeta(want)
	pattern = strings.ReplaceAll(pattern, `\*`, `[^\n]*`)
	pattern = strings.ReplaceAll(pattern, "TIME", `\d{4}/\d\d/\d\d \d\d:\d\d:\d\d [+-]\d{4}`)
	return regexp.MustCompile("^" + pattern + "$").MatchString(got)
}

func TestConfigVerbs(t *testing.T) {
	srv := apitest.Start(t)
	check(t, srv,
		step{args: "config -a shop", stdout: "=== ⬢ shop Config Vars\n\n"},
		step{args: "config:set LONG_NAME=x=y B=2 -a shop", stdout: "Setting B, LONG_NAME and restarting ⬢ shop... done, v2\nB:         2\nLONG_NAME: x=y\n"},
		step{args: "config -a shop", stdout: "=== ⬢ shop Config Vars\n\nB:         2\nLONG_NAME: x=y\n"},
		step{args: "config --json -a shop", stdout: "{\n  \"B\": \"2\",\n  \"LONG_NAME\": \"x=y\"\n}\n"},
		step{args: "config:get B -a shop", stdout: "2\n"},
		step{args: "config:get B --json -a shop", stdout: "{\n  \"key\": \"B\",\n  \"value\": \"2\"\n}\n"},
		step{args: "config:get B NONE -j -a shop", stdout: "[\n  {\n*B\",\n*2\"\n  },\n  {\n*NONE\",\n*null\n  }\n]\n"},
		step{args: "config:get NONE -a shop", stdout: "\n", stderr: " ▸    ⬢ shop has no config var \"NONE\": slipway config -a shop lists them.\n"},
		step{args: "config:unset B NONE -a shop", stdout: "Unsetting B, NONE and restarting ⬢ shop... done, v3\n"},
		step{args: "config:set SECRET -a shop", stderr: " !     write each config var as NAME=VALUE*\n", code: 2},
		step{args: "config:set PORT=1 -a shop", stdout: "Setting PORT and restarting ⬢ shop... !\n", stderr: " !     the config var PORT *\n", code: 1},
		step{args: "config:set -a shop", stderr: " !     *usage: *\n", code: 2},
		step{args: "config:set A=1 -a bare", stdout: "Setting A and restarting ⬢ bare... done, v1\nA: 1\n"},
		step{args: "releases -a bare", stdout: "=== ⬢ bare Releases - Current: v1\n\n" + "v1  Set config vars  ann*  TIME\n"},
		step{args: "releases:info -a bare", stdout: "=== Release v1\n\nBy:                     ann*\nChange:                 Set config vars\nEligible for Rollback?: No\nWhen:                   TIME\n\n=== v1 Config vars\n\nA: 1\n"},
	)
	if got := run(t, srv, "config:set", "-a", "shop", "A=it's\n$HOME", "--json"); got.code != 0 || got.stdout == "" || got.stderr != "" {
		t.Errorf("config:set --json = %+v", got)
	}
	want := `A='it'\''s` + "\n" + `$HOME'` + "\nLONG_NAME=x=y\n"
	if got := run(t, srv, "config", "-s", "-a", "shop"); got.stdout != want {
		t.Errorf("config --shell prints %q, want %q", got.stdout, want)
	}
	if got := run(t, srv, "config:get", "A", "-s", "-a", "shop"); got.stdout != strings.TrimSuffix(want, "LONG_NAME=x=y\n") {
		t.Errorf("config:get --shell prints %q", got.stdout)
	}
}

// editor makes an editor: a shell script that gets the file as $1.
func editor(t *testing.T, script string) cli.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "editor")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nset -e\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return cli.Config{Editor: "sh " + path}
}

func TestConfigEdit(t *testing.T) {
	srv := apitest.Start(t)
	if got := run(t, srv, "config:set", "A=1", `B=two "lines"`+"\nhere", "C= x ", "-a", "shop"); got.code != 0 {
		t.Fatalf("config:set = %+v", got)
	}
	for _, c := range []struct {
		name, script   string
		stdout, stderr string
		code           int
	}{
		{"changes nothing", `test "$(stat -c %a "$1")" = 600`, "No changes.\n", "", 0},
		{"breaks a line", `echo nonsense >> "$1"`, "", " !     line 6 is no NAME=VALUE: nothing was changed\n", 1},
		{"sets one twice", `echo A=2 >> "$1"`, "", " !     line 6 sets \"A\" again: nothing was changed\n", 1},
		{"leaves quotes open", `echo 'D="x' >> "$1"`, "", " !     the double quotes in line 6 *: nothing was changed\n", 1},
		{"fails", `exit 3`, "", " !     editor *: exit status 3: nothing was changed; set EDITOR to another\n", 1},
		{
			"changes, adds and removes", `sed -i -e 's/^A=1/A=one/' -e '/^C=/d' "$1"; printf '%s\n' 'D="a\tb"' >> "$1"`,
			"Setting A, D and Unsetting C and restarting ⬢ shop... done, v3\nA: one\nD: a\tb\n", "", 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := runWith(t.Context(), t, srv, editor(t, c.script), "config:edit", "-a", "shop")
			if got.code != c.code || !like(got.stdout, c.stdout) || !like(got.stderr, c.stderr) {
				t.Errorf("config:edit exits with %d and prints\n%s%s, want %d and\n%s%s", got.code, got.stdout, got.stderr, c.code, c.stdout, c.stderr)
			}
		})
	}
	if got := run(t, srv, "config:get", "B", "-a", "shop"); got.stdout != "two \"lines\"\nhere\n" {
		t.Errorf("config:edit changes B to %q", got.stdout)
	}
}

func TestReleaseVerbs(t *testing.T) {
	srv := apitest.Start(t)
	check(t, srv,
		step{args: "rollback -a shop", stderr: " !     ⬢ shop has no release to go back to: git push makes one\n", code: 1},
		step{args: "config:set A=1 -a shop", stdout: "*\nA: 1\n"},
		step{args: "rollback -a shop", stdout: "Rolling back ⬢ shop to v1... done, v3\n", stderr: " ▸    Rollback affects code and config vars; *\n ▸    To undo, run: slipway rollback v2 -a shop\n"},
		step{args: "rollback v2 -a shop", stdout: "Rolling back ⬢ shop to v2... done, v4\n", stderr: "*\n ▸    To undo, run: slipway rollback v3 -a shop\n"},
		step{args: "rollback v9 -a shop", stdout: "Rolling back ⬢ shop to v9... !\n", stderr: " !     *not found\n", code: 1},
		step{args: "rollback last -a shop", stderr: " !     \"last\" is no release: write v3, say\n", code: 2},
		step{args: "releases -n 2 -a shop", stdout: "=== ⬢ shop Releases - Current: v4\n\n" + "v4  Rollback to v2  ann*  TIME\nv3  Rollback to v1  ann*  TIME\n"},
		step{args: "releases -n 0 -a shop", stderr: " !     0 is no number of releases: write 1 or more\n", code: 2},
		step{args: "releases:info v1 -a shop", stdout: "=== Release v1\n\nBy: *\nChange: *\nEligible for Rollback?: Yes\nWhen: *\nCommit: *cd\nSlug: *sha256:ab\nImage: *host/shop:v1\nProcess release: *migrate\nProcess web: *serve\nProcess worker: *work\n\n=== v1 Config vars\n\n"},
		step{args: "releases -a shed", stderr: " !     Couldn't find that app.*\n", code: 1},
	)
}

func TestAppVerbs(t *testing.T) {
	srv := apitest.Start(t)
	check(t, srv,
		step{args: "apps:info -a shop", stdout: "=== shop\n\nAuto Cert Mgmt: false\nGit URL: *http://host/shop.git\nWeb URL: *http://shop.host*\nSlug Size: *0 B\nOwner: *ann*\nRegion: *\nDynos: *web: 1, worker: 0\nStack: *\nIdle timeout: *default\n"},
		step{args: "apps:info -a bare", stdout: "=== bare\n\n*\n*\n*\nOwner: *\n*\nDynos: *none\n*\n*\n"},
		step{args: "open -a shop", stdout: "Opening http://shop.host/...\n"},
		step{args: "open a/b?c=d -a shop", stdout: "Opening http://shop.host/a/b?c=d...\n"},
		step{args: "open //evil.example -a shop", stdout: "Opening http://shop.host/evil.example...\n"},
		step{args: "audit -n 1 -a shop", stdout: "=== ⬢ shop Audit\n\nTIME  ann*  release.create  *\n"},
		step{args: "audit -a shed", stderr: " !     Couldn't find that app.*\n", code: 1},
	)
	for browser, want := range map[string]string{"echo": "http://shop.host/\n", "echo -n see %s. :other": "see http://shop.host/."} {
		if got := runWith(t.Context(), t, srv, cli.Config{Browser: browser}, "open", "-a", "shop"); got.code != 0 || got.stderr != want {
			t.Errorf("open with BROWSER=%s = %+v, want %q", browser, got, want)
		}
	}
	got := runWith(t.Context(), t, srv, cli.Config{Browser: "/nonexistent/browser"}, "open", "-a", "shop")
	if got.code != 1 || !strings.Contains(got.stderr, "open the address yourself") {
		t.Errorf("open without its browser = %+v", got)
	}
}

func TestNetworkVerbs(t *testing.T) {
	srv := apitest.Start(t)
	chain, key := apitest.Cert(t)
	dir := t.TempDir()
	for name, text := range map[string]string{"chain.pem": chain, "key.pem": key} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files := filepath.Join(dir, "chain.pem") + " " + filepath.Join(dir, "key.pem")
	check(t, srv,
		step{args: "domains -a shop", stdout: "=== ⬢ shop Slipway Domain\n\nshop.host\n"},
		step{args: "domains:add www.Example.com -a shop", stdout: "Adding www.Example.com to ⬢ shop... done\n", stderr: " ▸    *www.example.com*\n"},
		step{args: "domains:add www.example.com -a bare", stdout: "*... !\n", stderr: " !     *taken*\n", code: 1},
		step{args: "domains -a shop", stdout: "=== ⬢ shop Slipway Domain\n\nshop.host\n\n=== ⬢ shop Custom Domains\n\nDomain Name      DNS Record Type  DNS Target\n─*\nwww.example.com  CNAME            *\n"},
		step{args: "domains --csv -a shop", stdout: "*\n\nshop.host\n\n*\n\nDomain Name,DNS Record Type,DNS Target\nwww.example.com,CNAME,*\n"},
		step{args: "domains:remove www.example.com -a shop", stdout: "Removing www.example.com from ⬢ shop... done\n"},
		step{args: "domains:remove www.example.com -a shop", stdout: "*... !\n", stderr: " !     *not found\n", code: 1},

		step{args: "certs -a shop", stdout: "⬢ shop has no SSL certificates.\nUse slipway certs:add CRT KEY to add one.\n"},
		step{args: "certs:add " + files + " -a shop", stdout: "Adding SSL certificate to ⬢ shop... done, cert-*\nCertificate details:\nCommon Name(s): www.example.com\nExpires At:     2099-01-02 03:04 UTC\nStarts At: *\nSSL certificate is self signed.\n"},
		step{args: "certs -a shop", stdout: "Name *Common Name(s) *Expires *Trusted *Type *Domains\n─*\ncert-* *www.example.com *2099-01-02 03:04 UTC  False *SNI *\n"},
		step{args: "certs:info -a shop", stdout: "Certificate details:\n*\n*\nStarts At: *\nSSL certificate is self signed.\n"},
		step{args: "domains:add www.example.com -a shop", stdout: "*... done\n", stderr: "*\n"},
		step{args: "certs:info --show-domains -a shop", stdout: "Certificate details:\n*\n*\nStarts At: *\nDomain(s): *www.example.com\nSSL certificate is self signed.\n"},
		step{args: "certs:info --endpoint other.example.com -a shop", stderr: " !     ⬢ shop has no such certificate: *\n", code: 1},
		step{args: "certs:info -a bare", stderr: " !     ⬢ bare has no SSL certificates: *\n", code: 1},
		step{args: "certs:update " + files + " -a shop --confirm shed", stderr: " !     \"shed\" is not \"shop\": nothing was changed\n", code: 1},
		step{args: "certs:add nowhere.pem key.pem -a shop", stderr: " !     read certificate: open nowhere.pem: *\n", code: 1},
		step{args: "certs:remove none -a shop", stderr: " !     ⬢ shop has no such certificate: *\n", code: 1},
		step{args: "certs:remove -a shop", stderr: "*\n\nTo proceed, type shop *: \n !     \"\" is not \"shop\": nothing was changed\n", code: 1},
		step{args: "certs:remove -a shop -c shop", stdout: "Removing SSL certificate cert-* from ⬢ shop... done\n"},

		step{args: "drains -a shop", stdout: "⬢ shop has no drains. Add one with slipway drains:add URL.\n"},
		step{args: "drains:add syslog://logs.example.com:514 -a shop", stdout: "Successfully added drain syslog://logs.example.com:514\n"},
		step{args: "drains -a shop", stdout: "=== Drains\n\nsyslog://logs.example.com:514 (d.*)\n"},
		step{args: "drains:remove syslog://logs.example.com:514 -a shop", stdout: "Successfully removed drain syslog://logs.example.com:514\n"},
		step{args: "drains:add ftp://example.com -a shop", stderr: " !     *\n", code: 1},
	)
}
