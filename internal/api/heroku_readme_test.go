package api_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"slipway/internal/testkit"
	"slipway/internal/testkit/herokucli"
)

// readmeWords are how README's table begins to say what a command's class is.
var readmeWords = map[herokucli.Class]string{
	herokucli.Works: "works", herokucli.Script: "works", herokucli.Refused: "refused", herokucli.None: "no meaning",
}

// TestReadmeSaysHowHerokuCommandsFare holds README's table of Heroku's commands
// to the whole list, which TestEveryHerokuCommand tries out.
func TestReadmeSaysHowHerokuCommandsFare(t *testing.T) {
	t.Parallel()
	says, used := readmeTable(t), map[string]bool{}
	for _, line := range herokucli.Table(t) {
		pattern := covering(says, line.ID())
		used[pattern] = true
		if pattern == "" {
			t.Errorf("README's table says nothing of heroku %s: add it to a row that begins with %q", line.ID(), readmeWords[line.Class])
		} else if !strings.HasPrefix(says[pattern], readmeWords[line.Class]) {
			t.Errorf("README's table says of heroku %s (by `%s`) %q, want %q as in testdata/heroku/commands.txt", line.ID(), pattern, says[pattern], readmeWords[line.Class])
		}
	}
	for pattern := range says {
		if !used[pattern] {
			t.Errorf("README's table has `%s`, which is no command, or which other rows cover: take it out", pattern)
		}
	}
}

// TestScriptsShowCommands holds the list to the scripts that it refers to.
func TestScriptsShowCommands(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob(filepath.Join(testkit.Root(t), "testdata", "script", "heroku", "*.txtar"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("scripts of Heroku's command line = %q, %v", scripts, err)
	}
	var all strings.Builder
	for _, name := range scripts {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(raw)
	}
	for _, line := range herokucli.Table(t) {
		want := line.Want
		if want == "" {
			want = `heroku ` + line.ID() + `( |$)`
		}
		if line.Class == herokucli.Script && !regexp.MustCompile(`(?m)`+want).MatchString(all.String()) {
			t.Errorf("no script in testdata/script/heroku has /%s/, although testdata/heroku/commands.txt says that one shows heroku %s", want, line.ID())
		}
	}
}

// readmeTable is what README says of each command, or of those below one: "ps:*".
func readmeTable(t *testing.T) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(testkit.Root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(raw), "\n| `heroku …` | against Slipway |\n|---|---|\n")
	if !found {
		t.Fatal("README has no table of Heroku's commands")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	says := map[string]string{}
	for row := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(row), "|"), " | ")
		if len(cells) != 2 {
			t.Fatalf("README's table has the row %q, want two cells", row)
		}
		for _, pattern := range regexp.MustCompile("`[^`]+`").FindAllString(cells[0], -1) {
			pattern = strings.Trim(pattern, "`")
			if says[pattern] != "" {
				t.Errorf("README's table has `%s` twice", pattern)
			}
			says[pattern] = strings.TrimSpace(cells[1])
		}
	}
	return says
}

// covering is the pattern that says most exactly what becomes of a command.
func covering(says map[string]string, id string) string {
	if says[id] != "" {
		return id
	}
	for rest := id; ; {
		i := strings.LastIndex(rest, ":")
		if i < 0 {
			return ""
		}
		rest = rest[:i]
		if says[rest+":*"] != "" {
			return rest + ":*"
		}
	}
}
