package cli_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"slipway/internal/api/apitest"
	"slipway/internal/cli"
)

// silent are the verbs that print nothing of their own that JSON could hold: git,
// a command or a shell does.
var silent = []string{
	"login", "logout", "git:clone", "git:credential", "releases:output", "builds:output", "help", "completion", "local", "local:run",
}

func TestEveryVerbIsDescribed(t *testing.T) {
	root := cli.New(cli.Config{})
	for _, verb := range root.Commands() {
		name := verb.Name()
		if verb.Hidden {
			continue
		}
		if verb.Example == "" || verb.Short == "" {
			t.Errorf("slipway %s has no example or no description", name)
		}
		if !strings.HasPrefix(strings.TrimLeft(verb.Example, " "), "slipway ") && !strings.Contains(verb.Example, "slipway "+name) {
			t.Errorf("the example of slipway %s is no command line: %s", name, verb.Example)
		}
		if (verb.Flags().Lookup("json") == nil) != slices.Contains(silent, name) {
			t.Errorf("slipway %s: --json and the list of verbs without disagree", name)
		}
		if verb.Flags().Lookup("app") != nil && verb.Flags().Lookup("remote") == nil {
			t.Errorf("slipway %s has --app without --remote", name)
		}
	}
	if !strings.Contains(root.Example, "slipway run") || !strings.Contains(root.Long, "runs it") {
		t.Error("the root's help does not say that apps run")
	}
}

// TestHerokusVerbsAreThere holds the words of those who come from Heroku.
func TestHerokusVerbsAreThere(t *testing.T) {
	root := cli.New(cli.Config{})
	for name := range strings.FieldsSeq(`
		create apps:create apps apps:list list apps:info info apps:destroy destroy apps:delete apps:open open
		git:remote git:clone ps ps:scale scale dyno:scale ps:restart restart dyno:restart ps:stop stop kill ps:kill dyno:stop dyno:kill
		ps:type resize ps:resize dyno:type dyno:resize ps:wait logs config config:set config:add config:get config:unset config:remove config:edit
		releases releases:info releases:output releases:rollback rollback run run:detached
		domains domains:add domains:info domains:remove domains:clear domains:wait certs certs:add certs:info certs:update certs:remove
		local local:run drains drains:add drains:remove keys keys:add keys:remove keys:clear commands
		builds builds:info builds:output builds:cancel builds:create builds:cache:purge`) {
		if verb, _, err := root.Find([]string{name}); err != nil || verb == root {
			t.Errorf("there is no slipway %s", name)
		}
	}
}

// TestJSONOfChanges lets verbs that change something print what they changed.
func TestJSONOfChanges(t *testing.T) {
	srv := apitest.Start(t)
	for _, c := range []struct{ args, key, value string }{
		{"create letters", "name", "letters"},
		{"config:set A=1 -a letters", "A", "1"},
		{"config:unset A -a letters", "", ""},
		{"ps:scale web=2 -a shop", "type", "web"},
		{"ps:type -a shop", "type", "release"},
		{"ps:idle 30m -a shop", "idle_timeout", "30m"},
		{"ps:restart -a shop", "", ""},
		{"domains:add www.example.com -a shop", "hostname", "www.example.com"},
		{"domains:remove www.example.com -a shop", "hostname", "www.example.com"},
		{"domains:add api.example.com -a shop", "hostname", "api.example.com"},
		{"domains:clear -a shop", "hostname", "api.example.com"},
		{"drains:add syslog://logs.example.com:514 -a shop", "url", "syslog://logs.example.com:514"},
		{"drains:remove syslog://logs.example.com:514 -a shop", "url", "syslog://logs.example.com:514"},
		{"run:detached -a shop ls", "name", "run.1000"},
		{"open -a shop", "url", "http://shop.host"},
		{"version", "version", ""},
		{"apps:destroy letters --confirm letters", "name", "letters"},
		{"keys:clear", "", ""},
	} {
		// A verb may stop taking flags where a command of the app begins.
		words := strings.Fields(c.args)
		got := run(t, srv, slices.Insert(words, 1, "--json")...)
		var one map[string]any
		var all []map[string]any
		if json.Unmarshal([]byte(got.stdout), &one) != nil && json.Unmarshal([]byte(got.stdout), &all) != nil {
			t.Errorf("slipway %s --json prints %q and %q", c.args, got.stdout, got.stderr)
			continue
		}
		if len(all) > 0 {
			one = all[0]
		}
		if value, _ := one[c.key].(string); got.code != 0 || !strings.HasPrefix(value, c.value) {
			t.Errorf("slipway %s --json = %+v, want %s %q", c.args, got, c.key, c.value)
		}
	}
}

func TestHelpAndSuggestions(t *testing.T) {
	srv := canned(t, nil)
	for _, c := range []struct {
		args, has, hasNot string
		code              int
	}{
		{"help ps", "slipway ps web", "config:set", 0},
		{"help ps", "Commands of ps:", "", 0},
		{"ps --help", "ps:scale", "", 0},
		{"help git", "git:remote", "ps:scale", 0},
		{"help config:set", "NAME=VALUE", "Commands of", 0},
		{"--help", "other commands\n", "", 0},
		{"help", "releases\n", "git:credential", 0},
		{"help frob", `there is no command "frob"`, "Did you mean", 2},
		{"confg:set A=1", "Did you mean config:set?", "", 2},
		{"config:ste A=1", "Did you mean config:set?", "", 2},
		{"SCALE web=1", "Did you mean scale?", "", 2},
		{"config set A=1", "Did you mean slipway config:set?", "", 2},
		{"git remote -a shop", "Did you mean slipway git:remote?", "", 2},
		{"frobnicate", `there is no command "frobnicate": see slipway help`, "Did you mean", 2},
		{"commands", "\napps:destroy ", "", 0},
	} {
		got := run(t, srv, strings.Fields(c.args)...)
		out := got.stdout + got.stderr
		if got.code != c.code || !strings.Contains(out, c.has) || (c.hasNot != "" && strings.Contains(out, c.hasNot)) {
			t.Errorf("slipway %s exits with %d and prints\n%s, want %d with %q and without %q", c.args, got.code, out, c.code, c.has, c.hasNot)
		}
	}
}

func TestCompletion(t *testing.T) {
	srv := apitest.Start(t)
	if got := run(t, srv, "config:set", "GREETING=hello", "-a", "shop"); got.code != 0 {
		t.Fatalf("config:set = %+v", got)
	}
	for args, want := range map[string]string{
		"ps --app ":                  "bare shop",
		"ps:scale -a shop w":         "web= worker=",
		"config:get -a shop ":        "GREETING",
		"config:set -a shop GR":      "GREETING=",
		"config:unset -a none ":      "",
		"rollback -a shop v":         "v2 v1",
		"rollback -a shop v1 ":       "",
		"apps:destroy s":             "shop",
		"logs -a shop --source ":     "app slipway",
		"ps:stop -a shop -p ":        "web worker",
		"releases:info -a shop v1":   "v1",
		"config:g":                   "config:get",
		"domains:remove -a shop ":    "",
		"certs:info -a shop --name ": "",
	} {
		words := append([]string{"__complete"}, strings.Split(args, " ")...)
		got := run(t, srv, words...)
		var found []string
		for line := range strings.Lines(got.stdout) {
			if word, _, _ := strings.Cut(strings.TrimSpace(line), "\t"); !strings.HasPrefix(word, ":") {
				found = append(found, word)
			}
		}
		if strings.Join(found, " ") != want {
			t.Errorf("slipway %s<TAB> offers %q, want %q", args, found, want)
		}
		if strings.Contains(got.stdout+got.stderr, "not found") {
			t.Errorf("slipway %s<TAB> is not silent: %+v", args, got)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if got := run(t, srv, "completion", shell); got.code != 0 || !strings.Contains(got.stdout, "__complete") {
			t.Errorf("slipway completion %s exits with %d and prints %d bytes", shell, got.code, len(got.stdout))
		}
	}
}

func TestDebugTellsOfRequests(t *testing.T) {
	srv := apitest.Start(t)
	got := run(t, srv, "--debug", "config:set", "TOKEN=hidden-value", "-a", "shop")
	if got.code != 0 || !strings.Contains(got.stderr, "PATCH /apps/shop/config-vars: 200") || strings.Contains(got.stderr, "hidden-value") || strings.Contains(got.stderr, apitest.Token) {
		t.Errorf("slipway --debug config:set = %+v", got)
	}
	if got := run(t, srv, "info", "-a", "shed", "--debug"); got.code != 1 || !strings.Contains(got.stderr, "404 not_found, request ") {
		t.Errorf("slipway info --debug = %+v, want the request's ID", got)
	}
}

func TestNothingIsColouredElsewhere(t *testing.T) {
	srv := apitest.Start(t)
	for _, args := range []string{"apps", "info -a shop", "ps -a shop", "config:set A=1 -a shop", "releases -a shop", "help", "frob"} {
		got := run(t, srv, strings.Fields(args)...)
		if bytes.ContainsRune([]byte(got.stdout+got.stderr), '\x1b') {
			t.Errorf("slipway %s has colours where there is no terminal: %q", args, got.stdout+got.stderr)
		}
	}
}
