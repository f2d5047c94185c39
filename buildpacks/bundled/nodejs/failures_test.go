package nodejs_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatCannotBeBuiltIsSaid(t *testing.T) {
	t.Parallel()
	registry := newFakeRegistry(t)
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"two lock files": {
			map[string]string{"package.json": `{}`, "package-lock.json": "{}", "yarn.lock": ""},
			[]string{"Error: Two different lockfiles were found.", "make yarn the package manager", "  git rm package-lock.json\n"},
		},
		"two lock files, npm named": {
			map[string]string{"package.json": `{"packageManager":"npm@11.1.0"}`, "package-lock.json": "{}", "pnpm-lock.yaml": ""},
			[]string{"Error: Two different lockfiles were found.", "make npm the package manager", "  git rm pnpm-lock.yaml\n"},
		},
		"a shrinkwrap beside a lock file": {
			map[string]string{"package.json": `{}`, "package-lock.json": "{}", "npm-shrinkwrap.json": "{}"},
			[]string{"Error: Two different lockfiles were found.", "  git rm npm-shrinkwrap.json\n"},
		},
		"broken package.json": {map[string]string{"package.json": `{`}, []string{"Error: Error parsing package.json."}},
		"no such npm": {
			map[string]string{"package.json": `{"engines":{"npm":"99.x"}}`},
			[]string{"Error: No such version of npm.", "engines.npm in package.json asks for:", "11.9.0, 10.2.0, 8.1.0, 6.1.0"},
		},
		"no such pnpm": {
			map[string]string{"package.json": `{"packageManager":"pnpm@1.0.0"}`},
			[]string{"Error: No such version of pnpm.", "packageManager in package.json asks for:", "10.1.0, 9.1.0, 8.15.9, 7.33.0"},
		},
		"another digest": {
			map[string]string{"package.json": `{"packageManager":"pnpm@9.1.0+sha512.` + strings.Repeat("0", 128) + `"}`},
			[]string{"Error: What was downloaded isn't what it should be.", "packageManager in package.json has.", "Expected: 0000", "Found:    " + strings.TrimPrefix(registry.hash("pnpm", "9.1.0"), "sha512.")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, registry.URL, c.files)
			out := p.fail()
			for _, want := range c.want {
				if !strings.Contains(out, want) {
					t.Errorf("bin/build lacks %q:\n%s", want, out)
				}
			}
		})
	}
}

func TestDigestOfThePackageManagerIsTheAppsToo(t *testing.T) {
	t.Parallel()
	registry := newFakeRegistry(t)
	for _, name := range []string{"pnpm@9.1.0", "yarn@1.22.22", "npm@10.1.0"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pkg, version, _ := strings.Cut(name, "@")
			p := newPlatform(t, registry.URL, map[string]string{
				"package.json": `{"packageManager":"` + name + `+` + registry.hash(pkg, version) + `"}`,
			})
			if out := p.Build(); !strings.Contains(out, "Downloading and installing "+pkg+" ("+version+")") {
				t.Errorf("bin/build does not install %s:\n%s", name, out)
			}
		})
	}
}

func TestTroubleOfThePackageManagerIsExplained(t *testing.T) {
	t.Parallel()
	registry := newFakeRegistry(t)
	const npm, yarn, pnpm = "package-lock.json", "yarn.lock", "pnpm-lock.yaml"
	for name, c := range map[string]struct {
		lock, fails, says string
		want              []string
	}{
		"npm's lock":  {npm, "ci", "npm error `npm ci` can only install packages when your package.json and package-lock.json are in sync.", []string{"Error: The lockfile doesn't match package.json.", "  npm install\n", "  git add package-lock.json\n", "Error: Unable to install dependencies."}},
		"Yarn's lock": {yarn, "install", "error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.", []string{"Error: The lockfile doesn't match package.json.", "  git add yarn.lock\n"}},
		"pnpm's lock": {pnpm, "install", " ERR_PNPM_OUTDATED_LOCKFILE  Cannot install", []string{"Error: The lockfile doesn't match package.json.", "  git add pnpm-lock.yaml\n"}},
		"no way":      {npm, "ci", "npm error code ENOTFOUND", []string{"Error: The npm registry couldn't be reached.", "--build-env NPM_CONFIG_REGISTRY=http://HOST:PORT/"}},
		"no package":  {npm, "ci", "npm error code E404", []string{"Error: A package doesn't exist in the registry."}},
		"no version":  {npm, "ci", "npm error code ETARGET", []string{"Error: A package has no version such as package.json asks for."}},
		"other files": {pnpm, "install", " ERR_PNPM_TARBALL_INTEGRITY", []string{"Error: A package isn't what the lockfile says."}},
		"compiler":    {npm, "ci", "npm error gyp ERR! build error", []string{"Error: A package with native code couldn't be compiled."}},
		"anything":    {npm, "ci", "oh no", []string{"Error: Unable to install dependencies.", "'npm ci --include=dev' failed."}},
		"script":      {npm, "run build", "x", []string{"Error: The script 'build' failed.", "'npm run build' exited"}},
		"script without a tool": {
			npm, "run build", "sh: 1: vite: not found", []string{"Error: A module or a program is missing.", "Error: The script 'build' failed."},
		},
		"memory": {npm, "run build", "FATAL ERROR: JavaScript heap out of memory", []string{"Error: Node.js ran out of memory."}},
		"old webpack": {
			npm, "run build", "  code: 'ERR_OSSL_EVP_UNSUPPORTED'", []string{"Error: A tool of the build is too old for this Node.js."},
		},
		"prune":    {npm, "prune", "x", []string{"Error: Unable to prune devDependencies.", "slipway config:set NPM_CONFIG_PRODUCTION=true"}},
		"prebuild": {npm, "run heroku-prebuild", "x", []string{"Error: The script 'heroku-prebuild' failed."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, registry.URL, map[string]string{
				"package.json": `{"engines":{"` + strings.Split(c.lock, "-")[0] + `":"*"},"scripts":{"build":"x","heroku-prebuild":"x"}}`, c.lock: "",
			})
			if c.lock != pnpm {
				p.Write(p.App, map[string]string{"package.json": `{"scripts":{"build":"x","heroku-prebuild":"x"}}`})
			}
			p.Env["FAIL"], p.Env["SAY"] = c.fails, c.says
			out := p.fail()
			for _, want := range c.want {
				if !strings.Contains(out, want) {
					t.Errorf("bin/build lacks %q:\n%s", want, out)
				}
			}
		})
	}
}

func TestUsageOfNPMIsLeftOut(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, newFakeRegistry(t).URL, map[string]string{"package.json": "{}", "package-lock.json": "{}"})
	p.Env["FAIL"] = "ci"
	p.Env["SAY"] = "npm error Invalid: lock file\nnpm error Usage:\nnpm error npm ci\nnpm error\nnpm error A complete log\nnpm error later\nnpm error Usage:\nother"
	out := p.fail()
	if strings.Contains(out, "npm error npm ci") || strings.Contains(out, "Usage") {
		t.Errorf("bin/build shows npm's usage:\n%s", out)
	}
	for _, want := range []string{"lock file\n", "A complete log\n", "npm error later\n", "       other\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("bin/build lacks %q:\n%s", want, out)
		}
	}
}

func TestRegistryOutOfReach(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ registry, want string }{
		"nobody there": {"http://user:secret@127.0.0.1:1/", "connect: connection refused"},
		"no address":   {"not an address with secret", "Error: The address of the npm registry can't be used."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, c.registry, map[string]string{"package.json": "{}"})
			out := p.fail()
			if !strings.Contains(out, c.want) || !strings.Contains(out, "slipway serve --build-env NPM_CONFIG_REGISTRY=http://HOST:PORT/") {
				t.Errorf("bin/build lacks %q or what to do:\n%s", c.want, out)
			}
			if strings.Contains(out, "secret") {
				t.Errorf("bin/build shows the password:\n%s", out)
			}
		})
	}
}

func TestBadAnswersOfTheRegistry(t *testing.T) {
	t.Parallel()
	file := "/" + nodePackage + "/-/24.2.0.tgz"
	set := func(r *fakeRegistry, change func(*fakePackage)) {
		p := r.packages[nodePackage]["24.2.0"]
		change(&p)
		r.packages[nodePackage]["24.2.0"] = p
	}
	for name, c := range map[string]struct {
		change func(*fakeRegistry)
		want   string
	}{
		"not there":  {func(r *fakeRegistry) { r.status["/"+nodePackage] = http.StatusNotFound }, "Error: The npm registry doesn't give out " + nodePackage + "."},
		"forbidden":  {func(r *fakeRegistry) { r.status[file] = http.StatusForbidden }, "it answers 403 Forbidden"},
		"broken":     {func(r *fakeRegistry) { r.status[file] = http.StatusBadGateway }, "it answers 502 Bad Gateway"},
		"other file": {func(r *fakeRegistry) { set(r, func(p *fakePackage) { p.file = tarball(nil) }) }, "Error: What was downloaded isn't what it should be."},
		"no digest":  {func(r *fakeRegistry) { set(r, func(p *fakePackage) { p.Dist["integrity"] = "sha1-AAAA" }) }, "the registry has no SHA-512 of it"},
		"no address": {func(r *fakeRegistry) { set(r, func(p *fakePackage) { p.Dist["tarball"] = "x" }) }, "read the address of " + nodePackage + " 24.2.0"},
		"leads out": {func(r *fakeRegistry) {
			r.add(nodePackage, "24.2.0", map[string]string{"bin/../../../../out": "x"}, fakePackage{})
		}, "lies outside"},
		"no package": {func(r *fakeRegistry) { r.packages["npm"]["11.1.0"].Bin["npm"] = "../../x" }, `link "npm" of npm: it lies outside`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			registry := newFakeRegistry(t)
			registry.change(func() { c.change(registry) })
			p := newPlatform(t, registry.URL, map[string]string{"package.json": "{}"})
			if out := p.fail(); !strings.Contains(out, c.want) {
				t.Errorf("bin/build lacks %q:\n%s", c.want, out)
			}
			if _, err := os.Stat(filepath.Join(p.Dir, "out")); err == nil {
				t.Error("a file was written outside")
			}
			left, err := filepath.Glob(filepath.Join(p.Layers, ".fetch-*"))
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

func TestOtherFileOfNodejsOrg(t *testing.T) {
	t.Parallel()
	registry := newFakeRegistry(t)
	for path := range registry.dist {
		if strings.HasSuffix(path, ".gz") {
			registry.dist[path] = tarball(nil)
		}
	}
	p := newPlatform(t, registry.URL, map[string]string{"package.json": `{"engines":{"node":"23"}}`})
	if out := p.fail(); !strings.Contains(out, "Error: What was downloaded isn't what it should be.") {
		t.Errorf("bin/build = \n%s", out)
	}
}

// A registry that is slow to be well is asked again.
func TestRegistryIsAskedAgain(t *testing.T) {
	t.Parallel()
	registry := newFakeRegistry(t)
	fails := 1
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fails > 0 {
			fails--
			http.Error(w, "no", http.StatusServiceUnavailable)
			return
		}
		registry.serve(w, r)
	}))
	defer srv.Close()
	p := newPlatform(t, srv.URL, map[string]string{"package.json": "{}"})
	p.Build()
}

func TestNextBuildFetchesNothing(t *testing.T) {
	t.Parallel()
	registry := newFakeRegistry(t)
	p := newPlatform(t, registry.URL, map[string]string{"package.json": `{"packageManager":"pnpm@9.1.0"}`, "pnpm-lock.yaml": ""})
	p.Build()
	registry.asked()

	p.NextBuild()
	out := p.Build()
	if got := strings.Join(registry.asked(), " "); got != "/"+nodePackage {
		t.Errorf("the second build asked for %s, want the list of Node.js only", got)
	}
	if !strings.Contains(out, "Using cached node 24.2.0 and npm 11.1.0\n") || !strings.Contains(out, "Using cached pnpm 9.1.0\n") {
		t.Errorf("the second build = \n%s", out)
	}

	registry.change(func() {
		registry.add(nodePackage, "24.3.0", map[string]string{"bin/node": nodeScript}, fakePackage{})
		registry.add("npm", "11.2.0", map[string]string{"bin/npm-cli.js": managerScript, "package.json": "{}"}, fakePackage{Bin: map[string]string{"npm": "bin/npm-cli.js"}})
	})
	p.NextBuild()
	if out := p.Build(); !strings.Contains(out, "Downloading and installing node 24.3.0") || !strings.Contains(out, "Using default npm version: 11.2.0") {
		t.Errorf("a newer Node.js is not taken:\n%s", out)
	}

	// Nothing new is needed, so the registry need not be there.
	registry.change(func() { registry.status["/"+nodePackage] = http.StatusServiceUnavailable })
	p.NextBuild()
	if out := p.Build(); !strings.Contains(out, "so its versions at the last build are used") || !strings.Contains(out, "Using cached node 24.3.0") {
		t.Errorf("bin/build = \n%s", out)
	}
}

func TestBuildGoesOnWithoutTheRegistry(t *testing.T) {
	t.Parallel()
	registry := newFakeRegistry(t)
	srv := httptest.NewServer(http.HandlerFunc(registry.serve))
	p := newPlatform(t, srv.URL, map[string]string{"package.json": `{}`, "package-lock.json": ""})
	p.Build()
	srv.Close()
	p.NextBuild()
	if out := p.Build(); !strings.Contains(out, "The npm registry can't be reached, so its versions at the last build are used") {
		t.Errorf("bin/build = \n%s", out)
	}
}

func TestYarnOneReadsTheMirror(t *testing.T) {
	t.Parallel()
	registry := newFakeRegistry(t)
	const lock = "a@1:\n  version \"1.0.0\"\n  resolved \"https://registry.yarnpkg.com/a/-/a-1.0.0.tgz#00\"\n" +
		"b@1:\n  resolved \"https://registry.npmjs.org/b/-/b-1.0.0.tgz\"\nc@1:\n  resolved \"https://other.example/c.tgz\"\n"
	p := newPlatform(t, registry.URL, map[string]string{"package.json": "{}", "yarn.lock": lock})
	p.Env["YARN"] = "1"
	out := p.Build()
	for _, want := range []string{`resolved "` + registry.URL + `a/-/a-1.0.0.tgz#00"`, `resolved "` + registry.URL + `b/-/b-1.0.0.tgz"`, `resolved "https://other.example/c.tgz"`} {
		if strings.Count(out, want) != 2 { // to install, and to prune
			t.Errorf("yarn does not read %s twice:\n%s", want, out)
		}
	}
	if got, err := os.ReadFile(filepath.Join(p.App, "yarn.lock")); err != nil || string(got) != lock {
		t.Errorf("yarn.lock after the build = %q, %v, want as before", got, err)
	}
	p.NextBuild()
	p.Env["FAIL"] = "install"
	p.fail()
	if got, err := os.ReadFile(filepath.Join(p.App, "yarn.lock")); err != nil || string(got) != lock {
		t.Errorf("yarn.lock after a failed build = %q, %v, want as before", got, err)
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	registry := newFakeRegistry(t)
	p := newPlatform(t, registry.URL, map[string]string{"package.json": "{}"})
	p.Env["NPM_CONFIG__AUTH"], p.Env["NPM_TOKEN"], p.Env["NODE_AUTH_TOKEN"] = "secret-1", "secret-2", "secret-3"
	if out := p.Build(); strings.Contains(out, "secret") {
		t.Errorf("bin/build shows a secret:\n%s", out)
	}
	files, err := filepath.Glob(filepath.Join(p.Layers, "*", "env*", "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if data, err := os.ReadFile(file); err != nil || strings.Contains(string(data), "secret") {
			t.Errorf("%s = %q, %v, want no secret", file, data, err)
		}
	}
}

func TestCacheOfDownloadsEnds(t *testing.T) {
	t.Parallel()
	registry := newFakeRegistry(t)
	for name, c := range map[string]struct {
		change func(*platform)
		kept   bool
	}{
		"kept": {func(*platform) {}, true},
		"another manager": {func(p *platform) {
			p.Write(p.App, map[string]string{"package.json": `{"packageManager":"pnpm@9.1.0"}`})
		}, false},
		"another npm":  {func(p *platform) { p.Write(p.App, map[string]string{"package.json": `{"engines":{"npm":"10"}}`}) }, false},
		"switched off": {func(p *platform) { p.Env["NODE_MODULES_CACHE"] = "false" }, false},
		"used for a long time": {func(p *platform) {
			l := p.Layer("downloads")
			data, _ := json.Marshal(l.Metadata["for"])
			p.Write(p.Layers, map[string]string{"downloads.toml": "[metadata]\nfor = " + string(data) + "\nuses = \"50\"\n"})
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, registry.URL, map[string]string{"package.json": "{}"})
			p.Build()
			p.Write(p.Layers, map[string]string{"downloads/npm/something": "x"})
			p.NextBuild()
			c.change(p)
			p.Build()
			if _, err := os.Stat(filepath.Join(p.Layers, "downloads/npm/something")); (err == nil) != c.kept {
				t.Errorf("stat of what was kept = %v, want kept %v", err, c.kept)
			}
		})
	}
}
