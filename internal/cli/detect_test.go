package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/internal/cli"
)

// detect runs slipway detect, which needs no server.
func detect(t *testing.T, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	root := cli.New(cli.Config{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, CacheDir: t.TempDir(), ConfigDir: t.TempDir(),
		Environ: []string{"TAKEN=over"},
	})
	code := cli.Run(t.Context(), root, append([]string{"detect"}, args...))
	return result{code, out.String(), errs.String()}
}

// tree writes files and returns their directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o600)
		if strings.HasPrefix(content, "#!") {
			mode = 0o700
		}
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestDetectComplainsOfWrongUsage(t *testing.T) {
	t.Parallel()
	env := tree(t, map[string]string{"open.env": "A='b\n"})
	for _, c := range []struct {
		args string
		want string
		code int
	}{
		{"--compare a", "--compare takes two builders: write --compare A B", 2},
		{"dir --compare a", "--compare takes two builders", 2},
		{"--compare a b --update", "--compare and --update exclude each other", 2},
		{"--shrink --test tree", "--shrink is for directories", 2},
		{"--shrink-to x --html y", "--junit and --html are for detection", 2},
		{"--watch --update", "--watch goes with neither", 2},
		{"--memory lots", `--memory "lots" is no size`, 2},
		{"--timeout 0s", "must be positive", 2},
		{"--jobs -1", "--jobs cannot be negative", 2},
		{"--env =x", "write each variable as --env NAME=VALUE", 2},
		{"--env ../x=y", "write each variable as --env NAME=VALUE", 2},
		{"--env GONE", "the environment has no such variable", 2},
		{"--env-file " + filepath.Join(env, "none"), "no such file", 2},
		{"--env-file " + filepath.Join(env, "open.env"), "line 1: the quote is not closed", 1},
		{"--with x", "write FILE=CONTENT", 2},
		{"--without ../x", "it leads out of the app", 2},
		{"--nonsense", "see slipway detect --help", 2},
	} {
		got := detect(t, strings.Fields(c.args)...)
		if got.code != c.code || !strings.Contains(got.stderr, c.want) || got.stdout != "" {
			t.Errorf("slipway detect %s exits with %d and prints %q, want %d and %q", c.args, got.code, got.stdout+got.stderr, c.code, c.want)
		}
	}
}

// demo is three apps: Python with a Procfile and Node.js beside it, one whose
// Python is at its end, and one that nothing recognises.
func demo(t *testing.T) string {
	t.Helper()
	return tree(t, map[string]string{
		"shop/requirements.txt": "", "shop/runtime.txt": "python-3.13\n", "shop/package.json": `{"name":"shop"}`, "shop/Procfile": "web: run\n",
		"old/requirements.txt": "", "old/runtime.txt": "python-2.7.18\n",
		"none/README": "\x1b[2J",
	})
}

// pack writes a buildpack with a bin/detect.
func pack(t *testing.T, id, script string) string {
	t.Helper()
	return tree(t, map[string]string{
		"buildpack.toml": "api = \"0.10\"\n[buildpack]\nid = \"" + id + "\"\nversion = \"1.0\"\n[[targets]]\nos = \"linux\"\n",
		"bin/detect":     "#!/bin/sh\n" + script, "bin/build": "#!/bin/sh\n",
	})
}

func TestDetectShowsWhatABuilderMakesOfApps(t *testing.T) {
	t.Parallel()
	dir := demo(t)
	shop, old, none := filepath.Join(dir, "shop"), filepath.Join(dir, "old"), filepath.Join(dir, "none")
	one := detect(t, shop)
	for _, want := range []string{
		"=== " + shop + ": python 3.13.", "asked for by line 1 of runtime.txt", "also matches     nodejs",
		"slipway/python@", "→ passes and is taken: slipway/", "provided by slipway/python@", "files read       ",
	} {
		if !strings.Contains(one.stdout, want) || one.code != 0 {
			t.Errorf("slipway detect exits with %d and prints\n%s\nwant 0 and %q", one.code, one.stdout+one.stderr, want)
		}
	}
	several := detect(t, shop, old, none, filepath.Join(dir, "gone"))
	pattern := "✓ " + shop + ": python 3.13.*\n✗ " + old + ": python that cannot be built: *end-of-life*\n✗ " + none + ": No default language could be detected*\n✗ " +
		dir + "/gone: *\n\n4 directories: 1 detected, 3 not, in *\n"
	if several.code != 1 || !like(several.stdout, pattern) {
		t.Errorf("slipway detect of four directories exits with %d and prints\n%s\nwant 1 and\n%s", several.code, several.stdout, pattern)
	}
}

func TestDetectWritesJSONLines(t *testing.T) {
	t.Parallel()
	dir := demo(t)
	shop, gone := filepath.Join(dir, "shop"), filepath.Join(dir, "gone")
	got := detect(t, "--json", shop, gone, filepath.Join(dir, "old"), "--without", "package.json", "--env", "TAKEN")
	if got.code != 1 {
		t.Errorf("slipway detect --json exits with %d, want 1", got.code)
	}
	want := []map[string]any{
		{"dir": shop, "language": "python", "package_manager": "pip", "version_requested": "3.13", "version_origin": "runtime.txt", "error": nil, "exit_code": 0.0, "ok": true},
		{"dir": gone, "language": nil, "ok": false, "exit_code": 1.0},
		{"dir": filepath.Join(dir, "old"), "error": "python-version::eol", "ok": false, "exit_code": 0.0},
	}
	lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
	if len(lines) != len(want) {
		t.Fatalf("slipway detect --json prints %d lines, want %d: %s", len(lines), len(want), got.stdout)
	}
	for i, line := range lines {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("line %d is no JSON: %v", i+1, err)
		}
		for key, value := range want[i] {
			if object[key] != value {
				t.Errorf("line %d has %s %v, want %v", i+1, key, object[key], value)
			}
		}
		if also, ok := object["also_matches"].([]any); !ok || len(also) != 0 {
			t.Errorf("line %d has also_matches %v, want none without package.json", i+1, object["also_matches"])
		}
		if _, ok := object["remarks"].([]any); !ok {
			t.Errorf("line %d has no list of remarks", i+1)
		}
	}
}

func TestDetectRunsBuildpacks(t *testing.T) {
	t.Parallel()
	app := tree(t, map[string]string{"pom.xml": ""})
	jdk := pack(t, "acme/jdk", `printf '[[provides]]\nname = "jdk"\n' >"$CNB_BUILD_PLAN_PATH"`)
	maven := pack(t, "acme/maven", `test -f pom.xml || exit 100; printf '[[requires]]\nname = "jdk"\n' >"$CNB_BUILD_PLAN_PATH"; cat "$CNB_PLATFORM_DIR/env/GOAL" 2>/dev/null || true`)
	late := detect(t, "--buildpack", maven, "--buildpack", jdk, app)
	for _, want := range []string{"no group passes (exit code 20)", "jdk is unmet", "hint: put acme/jdk@1.0 before acme/maven@1.0"} {
		if late.code != 1 || !strings.Contains(late.stdout, want) {
			t.Errorf("detect with the wrong order exits with %d and prints\n%s\nwant 1 and %q", late.code, late.stdout+late.stderr, want)
		}
	}
	env := tree(t, map[string]string{"env": "GOAL=file\n"})
	good := detect(t, "--buildpack", jdk, "--buildpack", maven, app, "--env-file", filepath.Join(env, "env"), "--env", "GOAL=package")
	if good.code != 0 || !strings.Contains(good.stdout, "group 1 passes: acme/jdk@1.0, acme/maven@1.0") || !strings.Contains(good.stdout, " package\n") {
		t.Errorf("detect with the right order exits with %d and prints\n%s", good.code, good.stdout+good.stderr)
	}
	// What a buildpack prints never reaches the terminal as it is.
	loud := detect(t, "-v", "--buildpack", pack(t, "acme/loud", `printf '\033]0;owned\007'`), app)
	if strings.Contains(loud.stdout, "\x1b") || !strings.Contains(loud.stdout, `| \x1b]0;owned\x07`) {
		t.Errorf("detect prints %q", loud.stdout)
	}
}

// As in a push of it.
func TestDetectUsesWhatProjectTomlChooses(t *testing.T) {
	t.Parallel()
	app := tree(t, map[string]string{
		"project.toml":      "[_]\nschema-version = \"0.2\"\n[[io.buildpacks.group]]\nuri = \"./bp\"\n[[io.buildpacks.group]]\nid = \"slipway/python\"\n",
		"bp/buildpack.toml": "api = \"0.10\"\n[buildpack]\nid = \"acme/own\"\nversion = \"1\"\n",
		"bp/bin/detect":     "#!/bin/sh\nexit 0\n",
		"requirements.txt":  "", "Procfile": "web: python app.py\n",
	})
	got := detect(t, app)
	want := "passes and is taken: acme/own@1, slipway/python@"
	if got.code != 0 || !strings.Contains(got.stdout, want) || !strings.Contains(got.stdout, ", slipway/procfile@") {
		t.Errorf("detect = %d, want 0 with %q and the Procfile's:\n%s%s", got.code, want, got.stdout, got.stderr)
	}
	gone := tree(t, map[string]string{
		"project.toml":     "[_]\nschema-version = \"0.2\"\n[io.buildpacks]\nbuilder = \"127.0.0.1:1/builder\"\n",
		"requirements.txt": "",
	})
	if got := detect(t, gone); got.code != 0 || !strings.Contains(got.stderr, "127.0.0.1:1/builder, which cannot be used here") || !strings.Contains(got.stdout, "slipway/python") {
		t.Errorf("detect with a builder that cannot be had = %d, want 0 with the bundled builder:\n%s%s", got.code, got.stdout, got.stderr)
	}
	if got := detect(t, "--builder", "bundled", app); strings.Contains(got.stdout, "acme/own") {
		t.Errorf("detect --builder bundled uses project.toml's buildpacks:\n%s", got.stdout)
	}
}

func TestDetectWritesFilesForOthers(t *testing.T) {
	t.Parallel()
	dir, out := demo(t), t.TempDir()
	junit, page := filepath.Join(out, "junit.xml"), filepath.Join(out, "page.html")
	got := detect(t, filepath.Join(dir, "shop"), filepath.Join(dir, "old"), "--junit", junit, "--html", page)
	if got.code != 1 {
		t.Errorf("slipway detect exits with %d, want 1: %s", got.code, got.stderr)
	}
	for file, want := range map[string]string{
		junit: `tests="2" failures="1" errors="0"`,
		page:  "<b>1</b> not detected",
	} {
		data, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s has no %q, %v", filepath.Base(file), want, err)
		}
	}
	if left, _ := os.ReadDir(out); len(left) != 2 {
		t.Errorf("%v are left in the directory, want two files", left)
	}
	missing := detect(t, filepath.Join(dir, "shop"), "--html", filepath.Join(out, "none", "x.html"))
	if missing.code != 1 || !strings.Contains(missing.stderr, "write --html: ") {
		t.Errorf("detect --html of a directory that is not there exits with %d and prints %q", missing.code, missing.stderr)
	}
}

func TestDetectTestsTrees(t *testing.T) {
	t.Parallel()
	dir, out := demo(t), t.TempDir()
	shop := filepath.Join(dir, "shop")
	if got := detect(t, "--update", shop); got.code != 0 || !like(got.stdout, "+ "+shop+": wrote *\n1 case: 0 passed, 1 new, in *\n") {
		t.Fatalf("detect --update exits with %d and prints %q", got.code, got.stdout+got.stderr)
	}
	if got := detect(t, "--test", dir); got.code != 0 || !like(got.stdout, "1 case: 1 passed, in *\n") {
		t.Errorf("detect --test exits with %d and prints %q", got.code, got.stdout+got.stderr)
	}
	junit := filepath.Join(out, "junit.xml")
	got := detect(t, "--test", dir, "--without", "runtime.txt", "--junit", junit)
	if got.code != 1 || !strings.Contains(got.stdout, "✗ "+shop+": ") || !strings.Contains(got.stdout, `    -  "version_origin": "runtime.txt"`) ||
		!strings.Contains(got.stdout, "1 case: 0 passed, 1 different, in ") {
		t.Errorf("detect --test of another tree exits with %d and prints %q", got.code, got.stdout+got.stderr)
	}
	if data, err := os.ReadFile(junit); err != nil || !strings.Contains(string(data), `-  "version_origin": "runtime.txt"`) {
		t.Errorf("--junit has no diff, %v", err)
	}
	if got := detect(t, "--test", filepath.Join(dir, "none")); got.code != 2 || !strings.Contains(got.stderr, "make one with slipway detect --update") {
		t.Errorf("detect --test without cases exits with %d and prints %q", got.code, got.stderr)
	}
}

func TestDetectComparesAndShrinks(t *testing.T) {
	t.Parallel()
	dir := demo(t)
	shop := filepath.Join(dir, "shop")
	builder := filepath.Join(pack(t, "acme/any", "exit 0"), "..", "builder.toml")
	anyPack := pack(t, "acme/any", "exit 0")
	if err := os.WriteFile(builder, []byte("[[buildpacks]]\nuri = \""+anyPack+"\"\n[[order]]\n[[order.group]]\nid = \"acme/any\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, order := range [][]string{{shop, "--compare", "bundled", builder}, {"--compare", "bundled", builder, shop}} {
		if got := detect(t, order...); got.code != 1 || !strings.Contains(got.stdout, "≠ "+shop) || !strings.Contains(got.stdout, "1 of 1 apps change from bundled to "+builder) {
			t.Errorf("slipway detect %q exits with %d and prints %q", order, got.code, got.stdout+got.stderr)
		}
	}
	if got := detect(t, "--compare", "bundled", "bundled", shop); got.code != 0 || !strings.Contains(got.stdout, "0 of 1 apps change") {
		t.Errorf("detect --compare of equals exits with %d and prints %q", got.code, got.stdout+got.stderr)
	}
	small := filepath.Join(t.TempDir(), "small")
	if got := detect(t, "--shrink-to", small, filepath.Join(dir, "old")); got.code != 0 || !strings.Contains(got.stdout, "2 of 2 files keep this verdict:") {
		t.Errorf("detect --shrink-to exits with %d and prints %q", got.code, got.stdout+got.stderr)
	}
	if _, err := os.Stat(filepath.Join(small, "runtime.txt")); err != nil {
		t.Errorf("detect --shrink-to has not written the app: %v", err)
	}
}
