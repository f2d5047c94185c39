package local_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"slipway/internal/local"
)

func TestParseEnv(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       string // as fmt prints a map
	}{
		{"plain", "A=1\nB=two words\n", "map[A:1 B:two words]"},
		{"splits at the first =", "URL=x=y==\n", "map[URL:x=y==]"},
		{"blanks around", "  A  =  1  \r\n\t\nB=2", "map[A:1 B:2]"},
		{"comments", "# A=1\n  # B=2\nC=3 # three\nD=4#5\nE=#\n", "map[C:3 D:4 E:]"},
		{"quotes", `A="x # y" # z` + "\n" + `B='it "is"'` + "\n" + `C="a"b` + "\n" + `D=""`, `map[A:x # y B:it "is" C:a D:]`},
		{"no escapes", `A="a\nb\"c"`, `map[A:a\nb\]`},
		{"quotes inside", `A=it's "so"`, `map[A:it's "so"]`},
		{"no interpolation", "A=$HOME ${B}\n", "map[A:$HOME ${B}]"},
		{"the last one counts", "A=1\nA=2\n", "map[A:2]"},
		{"no value", "A=\nB\n", "map[A: B:]"},
		{"byte order mark", "\uFEFFA=1\n", "map[A:1]"},
		{"export is part of the name", "export A=1\n", "map[export A:1]"},
		{"empty", "", "map[]"},
		{"json", `{"a": "x", "port": 5000, "db": {"url": "u", "on": true, "none": null}, "list": [1, {"b": 2.50}]}`, "map[A:x DB_ON:true DB_URL:u LIST_0:1 LIST_1_B:2.50 PORT:5000]"},
		{"json, twice", "\uFEFF\n{\"a\": 1, \"A\": 2}\n", "map[A:2]"},
		{"json, empty", "{}", "map[]"},
		{"an array is no environment", "[1]\n", "map[[1]:]"},
	} {
		f, err := local.ParseEnv(".env", []byte(c.text))
		if got := fmt.Sprint(f.Vars); err != nil || got != c.want {
			t.Errorf("%s: ParseEnv(%q) = %s, %v, want %s", c.name, c.text, got, err, c.want)
		}
		if json := strings.HasPrefix(c.name, "json"); f.JSON != json {
			t.Errorf("%s: ParseEnv(%q).JSON = %t, want %t", c.name, c.text, f.JSON, json)
		}
	}
}

func TestParseEnvNamesTheLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"A=1\n\nB=\"hunter2\nC=2\"\n":   ".env line 3: the quote is not closed",
		"# x\nA='hunter2\"":             ".env line 2: the quote is not closed",
		"A=1\n=hunter2\n":               ".env line 2 is no NAME=VALUE",
		"A=hunter2\x00\n":               ".env line 1 is no NAME=VALUE",
		"{\n  \"A\": \"hunter2\",\n}\n": ".env line 3: it begins as JSON, but is none",
		"{\"A\": 1} hunter2":            ".env line 1: it begins as JSON, but is none",
		"{\n\"A\": 1,\n\"B=\": \"x\"}":  ".env line 3: an environment cannot hold this",
		"{\"\": \"hunter2\"}":           ".env line 1: an environment cannot hold this",
		"{\"A\": \"hunter2\\u0000\"}":   ".env line 1: an environment cannot hold this",
		nested(40):                      ".env line 1: objects lie more than 32 deep",
		nested(20000):                   ".env line 1: it begins as JSON, but is none",
	} {
		_, err := local.ParseEnv(".env", []byte(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("ParseEnv(%.60q) = %v, want %q without the value", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"A=1\nexport B=2\n": "[.env line 2: export is taken for a part of the name: remove it]",
		"a b=1\n":           "[.env line 1: the name is one that shells cannot use: is it meant so?]",
		"A_1=x\nb.c-d=y\n":  "[]",
	} {
		f, err := local.ParseEnv(".env", []byte(text))
		if got := fmt.Sprint(f.Warnings); err != nil || got != want {
			t.Errorf("ParseEnv(%q) warns %s, %v, want %s", text, got, err, want)
		}
	}
}

// nested is JSON of objects in objects.
func nested(n int) string { return strings.Repeat(`{"A":`, n) + "1" + strings.Repeat("}", n) }

func FuzzParseEnv(f *testing.F) {
	for _, seed := range []string{"A=1\nB='x' # y\n", `A="`, `{"a": {"b": [1, null, "x"]}}`, "export A=1", "\uFEFFA", "=", "{"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := local.ParseEnv(".env", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), ".env line ") {
				t.Errorf("ParseEnv(%q) = %v, want a line", data, err)
			}
			return
		}
		var again strings.Builder
		for name, value := range got.Vars {
			if name == "" || strings.ContainsAny(name, "=\x00") || strings.ContainsRune(value, 0) {
				t.Errorf("ParseEnv(%q) has %q=%q, which no environment can hold", data, name, value)
			}
			if strings.ContainsAny(name+value, "\r\n\"") || strings.TrimSpace(name) != name || strings.HasPrefix(name, "#") ||
				strings.HasPrefix(name, "{") || strings.HasPrefix(name, "\uFEFF") {
				return // no line can say this
			}
			fmt.Fprintf(&again, "%s=\"%s\"\n", name, value)
		}
		// Whatever can be written in quotes means the same again.
		if twice, err := local.ParseEnv(".env", []byte(again.String())); err != nil || !maps.Equal(twice.Vars, got.Vars) {
			t.Errorf("ParseEnv(%q) = %q, %v, want %q", again.String(), twice.Vars, err, got.Vars)
		}
	})
}

func TestParseProcfile(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"web: python app.py\nworker:  ruby  w.rb \r\n": "[{web python app.py} {worker ruby  w.rb}]",
		"# no\n\n  # no: no\nmy-web_2: a: b # c\n":     "[{my-web_2 a: b # c}]",
		"web:run\n  clock: tick":                       "[{web run} {clock tick}]",
		"a: 1\nb: 2\na: 3\n":                           "[{a 3} {b 2}]",
		"\uFEFFweb: x":                                 "[{web x}]",
		"":                                             "[]",
	} {
		got, err := local.ParseProcfile("Procfile", []byte(text))
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("ParseProcfile(%q) = %v, %v, want %s", text, got, err, want)
		}
	}
	for text, line := range map[string]int{
		"web": 1, "a: b\nweb : x\n": 2, "\n\n: x\n": 3, "web:\n": 1, "web: \t\n": 1, "a b: x": 1, "wéb: x": 1, "***": 1, "a: \x00": 1,
		strings.Repeat("a", 3) + ": x\n" + manyTypes(201): 201,
	} {
		got, err := local.ParseProcfile("Procfile", []byte(text))
		if want := fmt.Sprintf("Procfile line %d", line); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("ParseProcfile(%.40q) = %v, %v, want an error that begins with %q", text, got, err, want)
		}
	}
}

func manyTypes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "t%d: x\n", i)
	}
	return b.String()
}

func FuzzParseProcfile(f *testing.F) {
	for _, seed := range []string{"web: x\n# y\nworker: a: b\n", "web", ": x", "a b: c", "\uFEFFweb: x\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := local.ParseProcfile("Procfile", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "Procfile line ") {
				t.Errorf("ParseProcfile(%q) = %v, want a line", data, err)
			}
			return
		}
		var again strings.Builder
		for _, p := range got {
			if p.Type == "" || p.Command == "" || strings.ContainsAny(p.Command, "\n\x00") {
				t.Errorf("ParseProcfile(%q) has %+v", data, p)
			}
			fmt.Fprintf(&again, "%s: %s\n", p.Type, p.Command)
		}
		if twice, err := local.ParseProcfile("Procfile", []byte(again.String())); err != nil || fmt.Sprint(twice) != fmt.Sprint(got) {
			t.Errorf("ParseProcfile(%q) = %v, %v, want %v", again.String(), twice, err, got)
		}
	})
}
