package project

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"slipway/buildpacks"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text), Mode: 0o644} }

func files(tree map[string]string) fstest.MapFS {
	all := fstest.MapFS{}
	for name, text := range tree {
		all[name] = file(text)
	}
	return all
}

// flat is a folder of many files.
func flat(n int, prefix string) fstest.MapFS {
	all := fstest.MapFS{}
	for i := range n {
		all[fmt.Sprintf("%s%d", prefix, i)] = file("")
	}
	return all
}

// descriptor is a project.toml with lines in its table io.buildpacks.
func descriptor(lines ...string) string {
	return "[_]\nschema-version = \"0.2\"\n[io.buildpacks]\n" + strings.Join(lines, "\n") + "\n"
}

func names(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var all []string
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, name)
		}
		return err
	})
	if err != nil {
		t.Fatalf("walk: %v", err)
	}
	return all
}

func TestOpen(t *testing.T) {
	t.Parallel()
	app := map[string]string{
		"app.py": "", "README.md": "", "docs/a.md": "", "docs/b.txt": "", "test/unit/x.py": "", "src/lib/y.py": "", "src/z.js": "", "big.psd": "",
	}
	for name, c := range map[string]struct {
		add     map[string]string
		kept    string
		leftOut string
		warned  string
	}{
		"nothing is said": {kept: "README.md app.py big.psd docs/a.md docs/b.txt src/lib/y.py src/z.js test/unit/x.py"},
		"slugignore": {
			add:  map[string]string{".slugignore": "*.psd\n/test\n# a comment\n\nnothing-like-it\n"},
			kept: ".slugignore README.md app.py docs/a.md docs/b.txt src/lib/y.py src/z.js", leftOut: "Deleting 2 files matching .slugignore patterns.",
		},
		"slugignore that matches nothing": {
			add:  map[string]string{".slugignore": "nothing-like-it\n"},
			kept: ".slugignore README.md app.py big.psd docs/a.md docs/b.txt src/lib/y.py src/z.js test/unit/x.py",
		},
		"negation in slugignore does nothing": {
			add:  map[string]string{".slugignore": "*.md\n!README.md\n"},
			kept: ".slugignore app.py big.psd docs/b.txt src/lib/y.py src/z.js test/unit/x.py", leftOut: "Deleting 2 files matching .slugignore patterns.", warned: `"!README.md"`,
		},
		"exclude": {
			add:  map[string]string{"project.toml": descriptor(`exclude = ["/docs/*", "!/docs/b.txt", "*.psd", "test/"]`)},
			kept: "README.md app.py docs/b.txt project.toml src/lib/y.py src/z.js", leftOut: "Leaving out 3 files by what project.toml says.",
		},
		"include": {
			add:  map[string]string{"project.toml": descriptor(`include = ["app.py", "/src", "!*.js", "**/unit"]`)},
			kept: "app.py src/lib/y.py test/unit/x.py", leftOut: "Leaving out 6 files by what project.toml says.",
		},
		"the older schema": {
			add:  map[string]string{"project.toml": "[build]\nexclude = [\"docs\"]\n"},
			kept: "README.md app.py big.psd project.toml src/lib/y.py src/z.js test/unit/x.py", leftOut: "Leaving out 1 file by what project.toml says.",
		},
		"both": {
			add:  map[string]string{"project.toml": descriptor(`exclude = ["src"]`), ".slugignore": "docs\n"},
			kept: ".slugignore README.md app.py big.psd project.toml test/unit/x.py", leftOut: "Deleting 1 file matching .slugignore patterns. Leaving out 1 file by what project.toml says.",
		},
		"slugignore takes project.toml": {
			add:  map[string]string{"project.toml": descriptor(`exclude = ["*"]`), ".slugignore": "project.toml\ndocs\nsrc\ntest\n*.psd"},
			kept: ".slugignore README.md app.py", leftOut: "Deleting 5 files matching .slugignore patterns.",
		},
		"a table of a newer schema": {
			add:  map[string]string{"project.toml": "[io.buildpacks]\nexclude = [\"*\"]\n"},
			kept: "README.md app.py big.psd docs/a.md docs/b.txt project.toml src/lib/y.py src/z.js test/unit/x.py", warned: "io.buildpacks.exclude",
		},
	} {
		tree := files(app)
		for name, text := range c.add {
			tree[name] = file(text)
		}
		p, err := Open(t.Context(), tree, Limits{})
		if err != nil {
			t.Errorf("%s: Open() = %v", name, err)
			continue
		}
		if got := strings.Join(names(t, p.Tree), " "); got != c.kept {
			t.Errorf("%s: left are %s, want %s", name, got, c.kept)
		}
		var said []string
		for _, l := range p.LeftOut {
			said = append(said, l.String())
		}
		if got := strings.Join(said, " "); got != c.leftOut {
			t.Errorf("%s: left out %q, want %q", name, got, c.leftOut)
		}
		if got := strings.Join(p.Warnings, " "); (got == "") != (c.warned == "") || !strings.Contains(got, c.warned) {
			t.Errorf("%s: warnings %q, want %q", name, got, c.warned)
		}
		if err := fstest.TestFS(p.Tree, strings.Fields(c.kept)...); err != nil {
			t.Errorf("%s: the tree is none: %v", name, err)
		}
	}
}

// What is left out decides nothing: by its name, behind a link, or as a folder.
func TestDetectionSeesWhatIsLeft(t *testing.T) {
	t.Parallel()
	tree := files(map[string]string{
		"requirements.txt": "flask\n", "package.json": "{}", "real/Procfile": "web: a\n", ".slugignore": "requirements.txt\nreal\n",
	})
	tree["Procfile"] = &fstest.MapFile{Data: []byte("real/Procfile"), Mode: fs.ModeSymlink | 0o777}
	p, err := Open(t.Context(), tree, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := buildpacks.Detect(t.Context(), p.Tree, buildpacks.Options{})
	if err != nil || plan.Language != "nodejs" || len(plan.Processes) != 0 {
		t.Errorf("Detect() = %+v, %v, want Node.js without processes", plan, err)
	}
	if _, err := fs.Stat(p.Tree, "real/Procfile"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat(real/Procfile) = %v, want that it is not there", err)
	}
}

func TestBadDescriptors(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("[[io.buildpacks.group]]\nid = \"a/b\"\n", 1000)
	for text, want := range map[string]string{
		"[_]\nschema-version = \"0.2\"\n[[[":                                            "project.toml, line 3: this is not TOML",
		"[_]\nschema-version = \"9\"\n":                                                 "project.toml, line 2: there is no schema version \"9\": write 0.2.",
		descriptor(`exclude = "a"`):                                                     "project.toml, line 4: it cannot be read: \"io.buildpacks.exclude\": incompatible types",
		descriptor(`include = ["a"]`, `exclude = ["b"]`):                                "project.toml, line 5: it has both include and exclude",
		descriptor(`[[io.buildpacks.group]]`, `version = "1"`):                          "buildpack 1 has neither an id nor a uri",
		descriptor(`[[io.buildpacks.pre.group]]`, `uri = "x"`, `version = "1"`):         "project.toml, line 6: buildpack 1 has a uri and a version",
		descriptor(`[[io.buildpacks.group]]`, `id = "x"`, `script = {inline = "true"}`): "spelled out without its api",
		descriptor(many): "it names 1000 buildpacks, 50 can be",
	} {
		_, err := Open(t.Context(), files(map[string]string{"project.toml": text}), Limits{})
		if !errors.As(err, new(*Error)) || !strings.Contains(err.Error(), want) {
			t.Errorf("Open() of %.80q = %v, want %q", text, err, want)
		}
	}
	for _, name := range []string{"project.toml", ".slugignore"} {
		tree := fstest.MapFS{name: {Data: []byte("/etc/passwd"), Mode: fs.ModeSymlink | 0o777}}
		if _, err := Open(t.Context(), tree, Limits{}); err == nil || !strings.Contains(err.Error(), name+": it is not a regular file") {
			t.Errorf("Open() with %s a link = %v, want that it is no file", name, err)
		}
	}
}

func TestDescriptor(t *testing.T) {
	t.Parallel()
	p, err := Open(t.Context(), files(map[string]string{"project.toml": descriptor(`builder = "x/y"`, `[[io.buildpacks.group]]`, `id = "a/b"`,
		`[[io.buildpacks.pre.group]]`, `id = "c"`, `[[io.buildpacks.build.env]]`, `name = "A"`, `value = "1"`)}), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	b := p.Descriptor.Build
	if b.Builder != "x/y" || len(b.Buildpacks) != 1 || len(b.Pre.Buildpacks) != 1 || len(b.Env) != 1 || b.Env[0].Value != "1" || p.Warnings != nil {
		t.Errorf("Descriptor = %+v, warnings %q", b, p.Warnings)
	}
}

func TestOpenIsCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, files(map[string]string{".slugignore": "a"}), Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open() = %v, want that it was canceled", err)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Reference{
		"slipway/nodejs":              {Kind: OfBuilder, Name: "slipway/nodejs", ID: "slipway/nodejs"},
		"a/b@1.2.3":                   {Kind: OfBuilder, Name: "a/b@1.2.3", ID: "a/b", Version: "1.2.3"},
		"google.python.runtime":       {Kind: OfBuilder, Name: "google.python.runtime", ID: "google.python.runtime"},
		"urn:buildpack:heroku/python": {Kind: OfBuilder, Name: "heroku/python", ID: "heroku/python"},
		"urn:cnb:builder:a/b@1":       {Kind: OfBuilder, Name: "a/b@1", ID: "a/b", Version: "1"},
		"./bp":                        {Kind: InApp, Name: "./bp", Path: "bp"},
		"./a/../bp/":                  {Kind: InApp, Name: "./bp", Path: "bp"},
		".":                           {Kind: InApp, Name: ".", Path: "."},
		"https://example.com/bp.tgz":  {Kind: Archive, Name: "https://example.com/bp.tgz", URI: "https://example.com/bp.tgz"},
		"docker://example.com/bp:1":   {Kind: Image, Name: "docker://example.com/bp:1", URI: "docker://example.com/bp:1"},
		"file:///opt/bp":              {Kind: OnServer, Name: "file:///opt/bp", URI: "file:///opt/bp"},
		"https://github.com/heroku/heroku-buildpack-python.git":                    {Kind: OfBuilder, Name: "heroku/python", ID: "heroku/python"},
		"https://github.com/heroku/heroku-buildpack-nodejs":                        {Kind: OfBuilder, Name: "heroku/nodejs", ID: "heroku/nodejs"},
		"https://buildpack-registry.s3.amazonaws.com/buildpacks/heroku/python.tgz": {Kind: OfBuilder, Name: "heroku/python", ID: "heroku/python"},
	} {
		if got, err := Parse(name); err != nil || got != want {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", name, got, err, want)
		}
	}
	for name, want := range map[string]string{
		"":                                   "is empty",
		"a b":                                "spaces",
		"../bp":                              "no name of a buildpack",
		"./../bp":                            "leads out of the app",
		"./a/../../b":                        "leads out of the app",
		"/etc":                               "no name of a buildpack",
		"a\x00b":                             "cannot be seen",
		strings.Repeat("a", maxName+1):       "longer than",
		"https://u:secret@example.com/a.tgz": "has a password",
		"https://example.com/a.git":          "is a repository",
		"https://example.com/a#main":         "is a repository",
		"ftp://u:secret@example.com/a":       "of a kind",
		"https:///a":                         "no address",
	} {
		_, err := Parse(name)
		if !errors.As(err, new(*Error)) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("Parse(%q) = %v, want %q and no secret", name, err, want)
		}
	}
	if got := []string{Ours("heroku/nodejs"), Ours("heroku/ruby"), Ours("slipway/go")}; !slices.Equal(got, []string{"slipway/nodejs", "", ""}) {
		t.Errorf("Ours() = %q", got)
	}
}

func TestBuildpacksThatProjectTOMLChooses(t *testing.T) {
	t.Parallel()
	const group = "[[io.buildpacks.group]]\n"
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"none":           {"", nil},
		"a group":        {group + "id = \"a/b\"\nversion = \"1\"\n" + group + "uri = \"./c\"\n" + group + "id = \"d\"\n", []string{"a/b@1", "./c", "d"}},
		"before":         {"[io.buildpacks.pre]\n[[io.buildpacks.pre.group]]\nuri = \"./c\"\n", []string{"./c", "from=builder"}},
		"after":          {"[io.buildpacks.post]\n[[io.buildpacks.post.group]]\nid = \"d\"\n", []string{"from=builder", "d"}},
		"a script alone": {group + "id = \"s\"\n[io.buildpacks.group.script]\napi = \"0.10\"\ninline = \"true\"\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree := fstest.MapFS{"project.toml": {Data: []byte("[_]\nschema-version = \"0.2\"\n" + c.text)}}
			p, err := Open(t.Context(), tree, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Buildpacks(); !slices.Equal(got, c.want) {
				t.Errorf("Buildpacks() = %q, want %q", got, c.want)
			}
		})
	}
}
