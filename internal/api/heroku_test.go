package api_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"slipway/internal/testkit/herokucli"
)

// commandTimeout is the longest that a command may take. Most take 50 ms, the
// first one of a process more.
const commandTimeout = 30 * time.Second

// ugly is what no command may print: words that are of no use to a person.
var ugly = regexp.MustCompile(`(?i)internal error|no such address|nothing at this address|ECONNREFUSED|TypeError|ReferenceError|SyntaxError|uncaughtException|unhandledRejection|(?m)^\s+at .*:\d+:\d+`)

// TestEveryHerokuCommand runs all commands of Heroku's own command line against
// the API, and holds them to what testdata/heroku/commands.txt says of them.
func TestEveryHerokuCommand(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs some 400 commands: not with -short")
	}
	cli := herokucli.Find(t)
	table := herokucli.Table(t)
	var aliases map[string][]string
	t.Run("complete", func(t *testing.T) { aliases = checkComplete(t, cli.Start(t).List(t), table) })
	// Two at a time, each with a process of Node.js, since one waits most of the time.
	half := len(table) / 2
	for name, lines := range map[string][]herokucli.Line{"first half": table[:half], "second half": table[half:]} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &heroku{cli: cli, driver: cli.Start(t), home: newHome(t)}
			for _, line := range lines {
				if line.Class == herokucli.Script {
					continue
				}
				for _, name := range append([]string{line.ID()}, aliases[line.ID()]...) {
					if h.fixture == nil {
						h.fixture = newFixture(t)
					}
					t.Run(name, func(t *testing.T) { h.check(t, name, line) })
				}
			}
		})
	}
}

// checkComplete fails unless the table has every command once and no other, and
// returns the commands' other names.
func checkComplete(t *testing.T, list herokucli.Listing, table []herokucli.Line) map[string][]string {
	t.Helper()
	aliases := map[string][]string{}
	isAlias := map[string]bool{}
	for _, c := range list.Commands {
		for _, alias := range c.Aliases {
			isAlias[alias] = alias != c.ID || isAlias[alias]
		}
	}
	have := map[string]int{}
	for _, line := range table {
		have[line.ID()]++
	}
	for _, c := range list.Commands {
		if isAlias[c.ID] && have[c.ID] == 0 {
			continue
		}
		if have[c.ID] == 0 {
			t.Errorf("heroku %s has the command %q, of which testdata/heroku/commands.txt says nothing: add a line there, and see that README's table covers it", list.Version, c.ID)
		}
		if have[c.ID] > 1 {
			t.Errorf("testdata/heroku/commands.txt has %q twice: leave one", c.ID)
		}
		delete(have, c.ID)
		aliases[c.ID] = slices.DeleteFunc(c.Aliases, func(name string) bool { return name == c.ID })
	}
	for id := range have {
		t.Errorf("testdata/heroku/commands.txt has %q, which heroku %s has not: take the line out, and out of README's table", id, list.Version)
	}
	return aliases
}

type heroku struct {
	cli     *herokucli.CLI
	driver  *herokucli.Driver
	home    string
	fixture *fixture // nil once a command has changed something
}

// check runs a command by a name of it.
func (h *heroku) check(t *testing.T, name string, line herokucli.Line) {
	t.Helper()
	f := h.fixture
	args := []string{name}
	for _, arg := range line.Args[1:] {
		args = append(args, f.expand(arg))
	}
	run := herokucli.Run{Args: args, Env: h.cli.Env(f.srv.URL, f.vars["TOKEN"], h.home), Dir: f.dir, Timeout: commandTimeout}
	if line.Class == herokucli.None {
		run.Until = line.Want // some wait for a key then
	}
	got := h.driver.Do(t, run)
	said := got.Stdout + got.Stderr
	fail := func(want string) {
		t.Helper()
		t.Errorf("heroku %s: want %s, got exit code %d after asking for %q, and\n%s", strings.Join(args, " "), want, got.Code, got.Asked, said)
	}
	asked := slices.ContainsFunc(got.Asked, func(request string) bool { return strings.Contains(request, f.srv.URL) })
	if line.Class == herokucli.Works && slices.ContainsFunc(got.Asked, func(request string) bool { return !strings.HasPrefix(request, "GET ") }) {
		h.fixture = nil
	}
	switch {
	case got.Code == -1 && run.Until == "":
		fail("an end")
	case line.Class == herokucli.Works && got.Code != 0:
		fail("exit code 0")
	case line.Class == herokucli.Refused && (got.Code == 0 || !asked):
		fail("the API to refuse")
	case line.Class == herokucli.None && asked && line.Want == "":
		fail("Slipway not to be asked")
	case line.Class != herokucli.None && ugly.MatchString(said):
		fail("no " + strconv.Quote(ugly.FindString(said)))
	}
	want := line.Want
	if want == "" && line.Class == herokucli.Refused {
		want = "Slipway" // as the API's words do
	}
	// The command line breaks lines where it likes.
	if !regexp.MustCompile(f.expand(want)).MatchString(strings.Join(strings.Fields(strings.ReplaceAll(said, "›", "")), " ")) {
		fail("/" + want + "/")
	}
}
