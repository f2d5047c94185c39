package buildpacks_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"slipway/buildpacks"
)

// tree is an app of small files; "->x" makes a link to x.
func tree(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, content := range files {
		f := &fstest.MapFile{Data: []byte(content), Mode: 0o644}
		if target, ok := strings.CutPrefix(content, "->"); ok {
			f = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
		}
		out[name] = f
	}
	return out
}

func pip(file, content string) map[string]string {
	return map[string]string{"requirements.txt": "", file: content}
}

var has = buildpacks.Options{Python: []string{"3.10.16", "3.13.1", "3.13.0", "3.14.6", "3.12.3"}}

func TestDetectResolvesAgainstTheBuilder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files    map[string]string
		options  buildpacks.Options
		resolved string
		id       string
		warnings []string
		text     []string
	}{
		"newest patch":             {files: pip(".python-version", "3.13"), options: has, resolved: "3.13.1"},
		"older patch":              {files: pip(".python-version", "3.13.0"), options: has, resolved: "3.13.0", warnings: []string{"python-version::outdated"}},
		"no version":               {files: pip("x", ""), options: has, resolved: "3.14.6", warnings: []string{"python-version::unspecified"}},
		"no version, last build":   {files: pip("x", ""), options: buildpacks.Options{Python: has.Python, CachedPython: "3.12.1"}, resolved: "3.12.3", warnings: []string{"python-version::unspecified"}},
		"last build end of life":   {files: pip("x", ""), options: buildpacks.Options{Python: has.Python, CachedPython: "3.9.1"}, id: "python-version::eol", text: []string{"Error: The cached Python version has reached end-of-life."}},
		"last build from future":   {files: pip("x", ""), options: buildpacks.Options{CachedPython: "3.99.1"}, id: "python-version::unknown-major", text: []string{"Error: The cached Python version isn't recognised."}},
		"last build is nonsense":   {files: pip("x", ""), options: buildpacks.Options{CachedPython: "pypy3"}, resolved: "3.14.7", warnings: []string{"python-version::unspecified"}},
		"default not in builder":   {files: pip("x", ""), options: buildpacks.Options{Python: []string{"3.12.3", "3.11.11"}}, resolved: "3.12.3", warnings: []string{"python-version::unspecified"}},
		"deprecated":               {files: pip(".python-version", "3.10"), options: has, resolved: "3.10.16", warnings: []string{"python-version::deprecated"}},
		"newer than Heroku's":      {files: pip(".python-version", "3.15"), options: buildpacks.Options{Python: []string{"3.15.0"}}, resolved: "3.15.0"},
		"real, but not in builder": {files: pip("runtime.txt", "# us\npython-3.13.9"), options: has, id: "python-version::unknown-patch", warnings: []string{"runtime-txt::deprecated"}, text: []string{"Error: The requested Python version isn't available.", "Your app asks for Python 3.13.9 on line 2 of runtime.txt,", "  3.13.1", "not\nput into this builder", "python-3.13"}},
		"major not in builder":     {files: pip(".python-version", "3.11"), options: has, id: "python-version::unavailable", text: []string{"  3.12.3", "exactly:\n3.14"}},
		"unknown major":            {files: pip(".python-version", "4.0"), options: has, id: "python-version::unknown-major", text: []string{"line 1 of .python-version, which has:\n4.0", "  3.14.6"}},
		"number without end":       {files: pip(".python-version", "3."+strings.Repeat("9", 400)), options: has, id: "python-version::unknown-major"},
		"leading zero":             {files: pip(".python-version", "3.012"), options: has, id: "python-version-file::invalid-version"},
		"runtime.txt without name": {files: pip("runtime.txt", "\n3.13\n"), options: has, id: "runtime-txt::invalid-version", text: []string{"line 2:\n3.13", "python-3.13", "exactly:\n3.13"}},
		"runtime.txt twice":        {files: pip("runtime.txt", "python-3.13\npython-3.12"), options: has, id: "runtime-txt::invalid-version"},
		"empty runtime.txt":        {files: pip("runtime.txt", "\n"), options: has, id: "runtime-txt::invalid-version", text: []string{"The file has no version in it."}},
		"UTF-16":                   {files: pip(".python-version", "\xff\xfe3\x00.\x001\x003\x00"), options: has, id: "python-version-file::invalid-encoding", text: []string{"UTF-16, little-endian"}},
		"UTF-16 runtime.txt":       {files: pip("runtime.txt", "\xff\xfep\x00y\x003\x00"), options: has, id: "runtime-txt::invalid-version", text: []string{"Error: Invalid Python version in runtime.txt.", "UTF-16, little-endian"}},
		"Latin-1":                  {files: pip(".python-version", "3.13 \xe9"), options: has, id: "python-version-file::invalid-encoding", text: []string{"ISO-8859 text"}},
		"runtime.txt with a BOM":   {files: pip("runtime.txt", "\ufeffpython-3.13\n"), options: has, id: "runtime-txt::invalid-version", text: []string{"UTF-8 (with BOM)", "exactly:\n3.13"}},
		"a BOM alone":              {files: pip(".python-version", "\ufeff"), options: has, id: "python-version-file::invalid-version"},
		"BOM and comment alone":    {files: pip(".python-version", "\ufeff# none\n"), options: has, id: "python-version-file::invalid-encoding"},
		"BOM and control codes":    {files: pip(".python-version", "\ufeff3.13\x01\n"), options: has, id: "python-version-file::invalid-version"},
		"UTF-16 and control codes": {files: pip(".python-version", "\xff\xfe3\x00\x01\x003\x00"), options: has, id: "python-version-file::invalid-version"},
		"UTF-16 big-endian":        {files: pip(".python-version", "\xfe\xff\x003\x00.\x001\x003\x00\n"), options: has, id: "python-version-file::invalid-encoding", text: []string{"big-endian"}},
		"UTF-16, NUL at the end":   {files: pip(".python-version", "\xff\xfe3\x00\x00\x00"), options: has, id: "python-version-file::invalid-encoding"},
		"Latin-1 and NUL":          {files: pip(".python-version", "3.13 \xe9\x00"), options: has, id: "python-version-file::invalid-encoding"},
		"one byte":                 {files: pip(".python-version", "\xe9"), options: has, id: "python-version-file::invalid-version"},
		"UTF-8 cut off":            {files: pip(".python-version", "3.13\u00e9\xc3"), options: has, id: "python-version-file::invalid-version"},
		"wide space":               {files: pip(".python-version", "\u30003.13\u2003\u0085\n"), options: has, id: "python-version-file::invalid-version"},
		"wide spaces around":       {files: pip(".python-version", "\u30003.13\u2003\n"), options: has, resolved: "3.13.1"},
		"no-break space":           {files: pip(".python-version", "3.13\u00a0\n"), options: has, id: "python-version-file::invalid-version"},
		"CRLF and comments":        {files: pip("runtime.txt", "\r\n # ours\r\n\tpython-3.13.0 \r\n#\r\n"), options: has, resolved: "3.13.0", warnings: []string{"runtime-txt::deprecated", "python-version::outdated"}},
		"CR only":                  {files: pip(".python-version", "3.13\r3.12\r"), options: has, id: "python-version-file::invalid-version"},
		"link to a folder":         {files: map[string]string{"requirements.txt": "", "d/f": "", "runtime.txt": "->d", ".python-version": "3.13"}, options: has, resolved: "3.13.1"},
		"lock is a dead link":      {files: map[string]string{"Pipfile": "", "Pipfile.lock": "->nowhere"}, options: has, id: "package-manager::pipenv-missing-lockfile"},
		"misspelt is a folder":     {files: map[string]string{"requirements.txt": "", "python-version/f": "", ".python-version": "3.13"}, options: has, resolved: "3.13.1"},
		"Pipfile.lock, line end":   {files: map[string]string{"Pipfile.lock": `{"_meta":{"requires":{"python_version":"3.13\n"}}}`}, options: has, resolved: "3.13.1"},
		"Pipfile.lock, wildcard":   {files: map[string]string{"Pipfile.lock": "{\n \"_meta\": {\n  \"requires\": {\n   \"python_version\": \"3.*\"\n}}}"}, options: has, id: "pipfile-lock::invalid-version", text: []string{"(line 4 of Pipfile.lock):\n3.*"}},
		"Pipfile.lock, old":        {files: map[string]string{"Pipfile.lock": "{\n \"_meta\": {\n  \"requires\": {\n   \"python_version\": \"2.7\"\n}}}"}, options: has, id: "python-version::eol", text: []string{"requested by line 4 of Pipfile.lock, which has:\n2.7"}},
		"Pipfile.lock, full first": {files: map[string]string{"Pipfile.lock": `{"_meta":{"requires":{"python_version":"2.7","python_full_version":"3.13.0"}}}`}, options: has, resolved: "3.13.0", warnings: []string{"python-version::outdated"}},
		"escape codes":             {files: pip(".python-version", "3.13\x1b[0m"), options: has, id: "python-version-file::invalid-version", text: []string{"3.13\uFFFD[0m"}},
		"empty Pipfile.lock":       {files: map[string]string{"Pipfile.lock": ""}, options: has, id: "pipfile-lock::invalid-version"},
		"Pipfile.lock of a list":   {files: map[string]string{"Pipfile.lock": "[]"}, options: has, id: "pipfile-lock::invalid-json"},
		"Pipfile.lock cut off":     {files: map[string]string{"Pipfile.lock": "{\n\"_meta\": {"}, options: has, id: "pipfile-lock::invalid-json", text: []string{"at line 2, column 10"}},
		"Pipfile.lock of null":     {files: map[string]string{"Pipfile.lock": "null"}, options: has, resolved: "3.14.6", warnings: []string{"python-version::unspecified"}},
		"Pipfile.lock, a number":   {files: map[string]string{"Pipfile.lock": `{"_meta":{"requires":{"python_full_version":false,"python_version":3.10}}}`}, options: has, resolved: "3.10.16", warnings: []string{"python-version::deprecated"}},
		"Pipfile.lock, other case": {files: map[string]string{"Pipfile.lock": `{"_META":{"requires":{"python_version":"2.7"}}}`}, options: has, resolved: "3.14.6", warnings: []string{"python-version::unspecified"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, err := buildpacks.Detect(t.Context(), tree(c.files), c.options)
			id, text := failure(t, err)
			if id != c.id || plan.Version.Resolved != c.resolved {
				t.Errorf("Detect = %q, %q, want %q, %q", plan.Version.Resolved, id, c.resolved, c.id)
			}
			var warnings []string
			for _, w := range plan.Warnings {
				warnings = append(warnings, w.ID)
			}
			if !slices.Equal(warnings, c.warnings) {
				t.Errorf("warnings = %q, want %q", warnings, c.warnings)
			}
			for _, want := range c.text {
				if !strings.Contains(text, want) {
					t.Errorf("the error lacks %q:\n%s", want, text)
				}
			}
		})
	}
}

func TestDetectWarnsOfAProcfileThatIsNoFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, content, want string }{
		"directory":     {"Procfile/web", "x", "\na directory\n"},
		"loop":          {"Procfile", "->Procfile", "in a circle"},
		"outside":       {"Procfile", "->../Procfile", "out of your app"},
		"absolute":      {"Procfile", "->/etc/passwd", "out of your app"},
		"leads nowhere": {"Procfile", "->procfile", "isn't in your app"},
		"to a folder":   {"Procfile", "->.", "\na directory\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := pip(c.file, c.content)
			files[".python-version"] = "3.13"
			plan, err := buildpacks.Detect(t.Context(), tree(files), has)
			if err != nil || len(plan.Warnings) != 1 || !plan.HasProcfile {
				t.Fatalf("Detect = %+v, %v, want one warning", plan, err)
			}
			text := strings.Join(plan.Warnings[0].Lines, "\n")
			if !strings.HasPrefix(text, "Warning: Procfile is not a readable file.\n") || !strings.Contains(text, c.want) {
				t.Errorf("the warning lacks %q:\n%s", c.want, text)
			}
			if table := plan.Table(); !strings.Contains(table, "the Procfile can't be used") {
				t.Errorf("the table = \n%s", table)
			}
		})
	}
}

func failure(t *testing.T, err error) (id, text string) {
	t.Helper()
	var bad *buildpacks.DetectError
	switch {
	case err == nil:
		return "", ""
	case !errors.As(err, &bad):
		t.Fatalf("Detect: %v", err)
	}
	for _, line := range bad.Lines {
		if len(line) > 400 || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) && r != '\t' }) {
			t.Errorf("the error has a line that cannot be shown: %q", line)
		}
	}
	return bad.ID, strings.Join(bad.Lines, "\n")
}

func TestDetectTellsLanguages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files []string
		want  string
		also  string
	}{
		"Node.js with a stray server.py": {[]string{"package.json", "server.py", "venv/x"}, "nodejs", "[{python server.py}]"},
		"Python with assets":             {[]string{"package.json", "requirements.txt"}, "python", "[{nodejs package.json}]"},
		"Rails with assets":              {[]string{"package.json", "Gemfile"}, "ruby", "[{nodejs package.json}]"},
		"Laravel":                        {[]string{"package.json", "composer.json", "index.php"}, "php", "[{nodejs package.json}]"},
		"Go with a script":               {[]string{"go.mod", "main.go", "app.py"}, "go", "[{python app.py}]"},
		"Gradle":                         {[]string{"build.gradle.kts"}, "java", "[]"},
		"static in public":               {[]string{"public/index.html"}, "static", "[]"},
		"misspelt requirements":          {[]string{"requirments.txt"}, "python", "[]"},
		"F#":                             {[]string{"app.fsproj"}, "dotnet", "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{}
			for _, file := range c.files {
				files[file] = "{}"
			}
			plan, _ := buildpacks.Detect(t.Context(), tree(files), buildpacks.Options{})
			if got := fmt.Sprint(plan.AlsoMatches); plan.Language != c.want || got != c.also {
				t.Errorf("Detect = %s, also %s, want %s, also %s", plan.Language, got, c.want, c.also)
			}
		})
	}
}

func TestDetectFollowsLinksInsideTheAppOnly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		want  string // requested version
		id    string
	}{
		"to a file":           {pip(".python-version", "->config/python"), "3.13", ""},
		"through directories": {map[string]string{"requirements.txt": "->a/../here/req", "here": "->config", "a/x": "", "config/req": "", ".python-version": "->here/python"}, "3.13", ""},
		"loop":                {map[string]string{"requirements.txt": "", ".python-version": "->loop", "loop": "->.python-version"}, "3.14", ""},
		"long loop":           {map[string]string{"requirements.txt": "", ".python-version": "->d/f", "d": "->e", "e": "->d"}, "3.14", ""},
		"out, absolute":       {pip(".python-version", "->/etc/hostname"), "3.14", ""},
		"out, relative":       {pip(".python-version", "->config/../../etc/hostname"), "3.14", ""},
		"to nothing":          {pip("runtime.txt", "->nowhere"), "3.14", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"config/python": "3.13\n"}
			maps.Copy(files, c.files)
			onDisk := write(t, files)
			for kind, fsys := range map[string]fs.FS{"in memory": tree(files), "on disk": os.DirFS(onDisk)} {
				plan, err := buildpacks.Detect(t.Context(), fsys, buildpacks.Options{})
				if id, _ := failure(t, err); plan.Version.Requested != c.want || id != c.id {
					t.Errorf("%s: Detect = %q, %q, want %q, %q", kind, plan.Version.Requested, id, c.want, c.id)
				}
			}
		})
	}
}

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(content, "->"); ok {
			err = os.Symlink(target, file)
		} else {
			err = os.WriteFile(file, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// broken is a file system in which one file cannot be read.
type broken struct {
	fstest.MapFS
	name string
}

var errBroken = errors.New("input/output\x07error")

func (b broken) Open(name string) (fs.File, error) {
	if name == b.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errBroken}
	}
	return b.MapFS.Open(name)
}

func TestDetectBoundsWhatItReads(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("3.13\n", 1<<18)
	for _, name := range []string{".python-version", "runtime.txt", "Procfile"} {
		plan, err := buildpacks.Detect(t.Context(), tree(pip(name, huge)), has)
		if id, _ := failure(t, err); id != "file::too-large" || plan.Language != "python" {
			t.Errorf("Detect with a huge %s = %q, want file::too-large", name, id)
		}
	}
	_, err := buildpacks.Detect(t.Context(), broken{tree(pip("runtime.txt", "")), "runtime.txt"}, has)
	if id, _ := failure(t, err); id != "file::unreadable" || !errors.Is(err, errBroken) {
		t.Errorf("Detect with an unreadable runtime.txt = %v, want file::unreadable", err)
	}

	many := fstest.MapFS{}
	for i := range 100_000 {
		many[fmt.Sprintf("file-%d-\x1b\xff", i)] = &fstest.MapFile{}
	}
	_, err = buildpacks.Detect(t.Context(), many, has)
	if _, text := failure(t, err); !errors.Is(err, buildpacks.ErrNoLanguage) || !strings.Contains(text, "… and 99940 more") {
		t.Errorf("Detect of 100,000 files = %.200s", text)
	}
}

func TestDetectStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := buildpacks.Detect(ctx, tree(nil), has); !errors.Is(err, context.Canceled) {
		t.Errorf("Detect = %v, want context.Canceled", err)
	}
}

func TestDetectReadsNodeAndGo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files                    map[string]string
		manager, version, origin string
		id                       string
	}{
		"engines of a wrong type":  {map[string]string{"package.json": `{"engines":[1],"packageManager":7}`}, "npm", "", "default", ""},
		"engines.node not a range": {map[string]string{"package.json": `{"engines":{"node":"lts/*"}}`}, "npm", "", "default", ""},
		"latest":                   {map[string]string{"package.json": `{"engines":{"node":"latest"}}`}, "npm", "latest", "engines.node", ""},
		"tilde and equals":         {map[string]string{"package.json": `{"engines":{"node":"~=22.4"}}`}, "npm", "~=22.4", "engines.node", ""},
		"v in the middle":          {map[string]string{"package.json": `{"engines":{"node":">= v20.0.0"}}`}, "npm", ">= v20.0.0", "engines.node", ""},
		"percent":                  {map[string]string{"package.json": `{"engines":{"node":"12.%"}}`}, "npm", "", "default", ""},
		"range and a remark":       {map[string]string{"package.json": `{"engines":{"node":">=18 (LTS)"}}`}, "npm", ">=18 (LTS)", "engines.node", ""},
		"prerelease of a major":    {map[string]string{"package.json": `{"engines":{"node":"18-20"}}`}, "npm", "", "default", ""},
		"one good alternative":     {map[string]string{"package.json": `{"engines":{"node":"lts || ^22"}}`}, "npm", "lts || ^22", "engines.node", ""},
		"manager with a v":         {map[string]string{"package.json": `{"packageManager":"pnpm@v9.1.0+sha512.ab"}`}, "pnpm", "", "default", ""},
		"manager of a range":       {map[string]string{"package.json": `{"packageManager":"pnpm@9"}`, "yarn.lock": ""}, "yarn", "", "default", ""},
		"manager of another name":  {map[string]string{"package.json": `{"packageManager":"bun@1.2.3","engines":{"yarn":"4"}}`}, "yarn", "", "default", ""},
		"engine that is no range":  {map[string]string{"package.json": `{"engines":{"pnpm":"please","npm":"10"}}`, "yarn.lock": ""}, "npm", "", "default", ""},
		"Yarn in a folder":         {map[string]string{"package.json": `{}`, ".yarnrc.yml": "'yarnPath' : .yarn/releases\n", ".yarn/releases/y.cjs": ""}, "yarn", "", "default", ""},
		"Yarn that is not there":   {map[string]string{"package.json": `{}`, ".yarnrc.yml": "yarnPath: .yarn/y.cjs\n"}, "npm", "", "default", ""},
		"Yarn further in":          {map[string]string{"package.json": `{}`, ".yarnrc.yml": "a:\n  yarnPath: y.cjs\n", "y.cjs": ""}, "npm", "", "default", ""},
		"not UTF-8":                {map[string]string{"package.json": "{\"name\":\"\xe9\"}"}, "", "", "", "package_json/read"},
		"JSON with a BOM":          {map[string]string{"package.json": "\ufeff{}"}, "", "", "", "package_json/parse"},
		"JSON with a comma more":   {map[string]string{"package.json": `{"engines":{"node":"22"},}`}, "", "", "", "package_json/parse"},
		"empty package.json":       {map[string]string{"package.json": ""}, "", "", "", "package_json/parse"},
		"range":                    {map[string]string{"package.json": `{"engines":{"node":" >=20.1 <23 || 24.x "}}`}, "npm", ">=20.1 <23 || 24.x", "engines.node", ""},
		"hyphen":                   {map[string]string{"package.json": `{"engines":{"node":"18 - 22"}}`}, "npm", "18 - 22", "engines.node", ""},
		"engines before yarn.lock": {map[string]string{"package.json": `{"engines":{"pnpm":"9"}}`, "yarn.lock": ""}, "pnpm", "", "default", ""},
		"Yarn that comes along":    {map[string]string{"package.json": `{"packageManager":"npm@10.0.0"}`, ".yarnrc.yml": "yarnPath: \"./.yarn/y.cjs\" # ours\n", ".yarn/y.cjs": ""}, "yarn", "", "default", ""},
		"Yarn from elsewhere":      {map[string]string{"package.json": `{"packageManager":"npm@10.0.0"}`, ".yarnrc.yml": "yarnPath: ../../etc/passwd\n"}, "npm", "", "default", ""},
		"not JSON":                 {map[string]string{"package.json": "{\n}}"}, "", "", "", "package_json/parse"},
		"go":                       {map[string]string{"go.mod": "module x\r\n\r\n go\t1.25 \r\n"}, "gomod", "=1.25", "go.mod", ""},
		"go line with a remark":    {map[string]string{"go.mod": "module x\n\ngo 1.25 // newest\n"}, "gomod", "", "default", ""},
		"two directives":           {map[string]string{"go.mod": "// +heroku goVersion go1.20\n// +heroku goVersion ~1.22.1 and more\ngo 1.20.3\n"}, "gomod", "~1.22.1", "go.mod", ""},
		"wildcard for go":          {map[string]string{"go.mod": "// +heroku goVersion 1.x\ngo 1.20\n"}, "gomod", "1.*", "go.mod", ""},
		"exact wildcard for go":    {map[string]string{"go.mod": "// +heroku goVersion go1.x\ngo 1.20\n"}, "gomod", "=1", "go.mod", ""},
		"release candidate":        {map[string]string{"go.mod": "module x\ngo 1.21rc2\n"}, "gomod", "", "", "go-mod::invalid-version"},
		"leading zero for go":      {map[string]string{"go.mod": "module x\ngo 1.021\n"}, "gomod", "", "", "go-mod::invalid-version"},
		"number after wildcard":    {map[string]string{"go.mod": "// +heroku goVersion 1.*.3\n"}, "gomod", "", "", "go-mod::invalid-version"},
		"bad directive, good line": {map[string]string{"go.mod": "go 1.25\n// +heroku goVersion latest\n"}, "gomod", "", "", "go-mod::invalid-version"},
		"directive of no version":  {map[string]string{"go.mod": "// +heroku goVersion\ngo 1.25\n"}, "gomod", "=1.25", "go.mod", ""},
		"go without version":       {map[string]string{"go.mod": "module x\n"}, "gomod", "", "default", ""},
		"range for go":             {map[string]string{"go.mod": "// +heroku goVersion >=1.20,<1.30\ngo 1.20\n"}, "gomod", ">=1.20, <1.30", "go.mod", ""},
		"caret":                    {map[string]string{"go.mod": "// +heroku goVersion 1.22\ngo 1.20\n"}, "gomod", "^1.22", "go.mod", ""},
		"bad go":                   {map[string]string{"go.mod": "module x\ngo banana\n"}, "gomod", "", "", "go-mod::invalid-version"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, err := buildpacks.Detect(t.Context(), tree(c.files), buildpacks.Options{})
			id, _ := failure(t, err)
			got := []string{plan.PackageManager, plan.Version.Requested, plan.Version.Origin, id}
			want := []string{c.manager, c.version, c.origin, c.id}
			if !slices.Equal(got, want) {
				t.Errorf("Detect = %q, want %q", got, want)
			}
		})
	}
}
