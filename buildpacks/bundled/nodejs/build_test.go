package nodejs_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"slipway/buildpacks"
	"slipway/buildpacks/bundled/nodejs"
)

func TestDetectPassesForNodeAndForAssets(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		want  bool
	}{
		"package.json":              {map[string]string{"package.json": "{}"}, true},
		"a package.json that is no": {map[string]string{"package.json": "{"}, true}, // bin/build says why
		"server.js alone":           {map[string]string{"server.js": ""}, true},
		"Python":                    {map[string]string{"requirements.txt": ""}, false},
		"Python and a build script": {map[string]string{"requirements.txt": "", "package.json": `{"scripts":{"build":"x"}}`}, true},
		"Python and heroku-postbuild": {
			map[string]string{"requirements.txt": "", "package.json": `{"scripts":{"heroku-postbuild":"x"}}`}, true,
		},
		"Python and packages":        {map[string]string{"requirements.txt": "", "package.json": `{"dependencies":{"x":"1"}}`}, true},
		"Python and tools":           {map[string]string{"requirements.txt": "", "package.json": `{"devDependencies":{"x":"1"},"scripts":{"test":"x"}}`}, false},
		"Python and broken JSON":     {map[string]string{"requirements.txt": "", "package.json": `{`}, false},
		"Python and odd types":       {map[string]string{"requirements.txt": "", "package.json": `{"scripts":[1],"dependencies":"x"}`}, false},
		"Python and a list":          {map[string]string{"requirements.txt": "", "package.json": `[]`}, false},
		"Python and server.js alone": {map[string]string{"requirements.txt": "", "server.js": ""}, false},
		"Go and a build script":      {map[string]string{"go.mod": "module x\n", "package.json": `{"scripts":{"build":"x"}}`}, true},
		"Ruby and a build script":    {map[string]string{"Gemfile": "", "package.json": `{"scripts":{"build":"x"}}`}, false},
		"nothing":                    {map[string]string{"README": ""}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := fstest.MapFS{}
			for name, data := range c.files {
				fsys[name] = &fstest.MapFile{Data: []byte(data)}
			}
			plan, _ := buildpacks.Detect(t.Context(), fsys, buildpacks.Options{}) // some have no language
			got := nodejs.Detect(fsys, plan)
			if got.Pass != c.want || got.Pass != (len(got.Provides) == 1 && len(got.Requires) == 1) {
				t.Errorf("Detect = %+v, want pass %v", got, c.want)
			}
			p := newPlatform(t, "", c.files)
			if out, code := p.Run("detect"); (code == 0) != c.want || !c.want && code != 100 {
				t.Errorf("bin/detect = %d, want as Detect:\n%s", code, out)
			}
		})
	}
}

func TestVersionOfNodeIsTheNewestInRange(t *testing.T) {
	t.Parallel()
	registry := newFakeRegistry(t)
	const end, none = "has reached its end-of-life", "Error: No such version of Node.js."
	for name, c := range map[string]struct{ asked, want, also string }{
		"nothing":         {"", "24.2.0", "-----> Creating"},
		"major":           {"22", "22.10.0", ""},
		"x":               {"22.x", "22.10.0", ""},
		"caret":           {"^22.1", "22.10.0", ""},
		"tilde":           {"~22.9.0", "22.9.0", ""},
		"exact":           {"22.9.0", "22.9.0", ""},
		"exact with v":    {"v22.9.0", "22.9.0", ""},
		"between":         {">=20 <24", "22.10.0", ""},
		"or":              {"18.x || 20.x", "20.1.0", end},
		"hyphen":          {"18 - 22", "22.10.0", ""},
		"anything":        {"*", "25.0.0", end},
		"latest":          {"latest", "25.0.0", ""},
		"old":             {"16.x", "16.20.2", end},
		"suffix, exactly": {"26.0.0-rc.1", "26.0.0-rc.1", ""},
		"suffix, range":   {">=26", "", none},
		"unknown":         {"21.x", "", none},
		"of nodejs.org":   {"23.x", "23.1.0", "Using default npm version: 10.9.0"},
		"of no platform":  {"27.x", "", none},
		"no range":        {"whatever", "24.2.0", "Warning: Invalid Node.js version in package.json."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, registry.URL, map[string]string{"package.json": `{"engines":{"node":"` + c.asked + `"}}`})
			out, code := p.Run("build")
			if c.want == "" {
				if code != 1 || !strings.Contains(out, c.also) || !strings.Contains(out, "25.0.0, 24.2.0, 22.10.0, 20.1.0, 18.20.1, 16.20.2") {
					t.Errorf("bin/build = %d, want 1, %q and what there is:\n%s", code, c.also, out)
				}
				return
			}
			if code != 0 || !strings.Contains(out, "Downloading and installing node "+c.want+"...") || !strings.Contains(out, c.also) {
				t.Errorf("bin/build = %d, want 0, node %s and %q:\n%s", code, c.want, c.also, out)
			}
		})
	}
}

// commands are the lines that the fake package managers print.
func commands(out string) []string {
	var found []string
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if name, _, _ := strings.Cut(line, " "); slices.Contains([]string{"npm", "npm-cli.js", "yarn", "yarn.js", "pnpm", "pnpm.cjs"}, name) {
			found = append(found, line)
		}
	}
	return found
}

func TestPackageManagerIsAskedTo(t *testing.T) {
	t.Parallel()
	registry := newFakeRegistry(t)
	const berryLock = "__metadata:\n  version: 8\n"
	for name, c := range map[string]struct {
		pkg   string
		files map[string]string
		env   map[string]string
		want  []string
	}{
		"npm": {`{"scripts":{"build":"x"}}`, map[string]string{"package-lock.json": "{}"}, nil, []string{
			"npm ci --include=dev", "npm run build", "npm prune --omit=dev",
		}},
		"npm without a lock": {`{}`, nil, nil, []string{"npm install --no-package-lock --include=dev", "npm prune --omit=dev --no-package-lock"}},
		"old npm":            {`{"engines":{"node":"16","npm":"6.x"}}`, map[string]string{"npm-shrinkwrap.json": "{}"}, nil, []string{"npm ci --production=false", "npm prune --production"}},
		"npm, production":    {`{}`, map[string]string{"package-lock.json": "{}"}, map[string]string{"NPM_CONFIG_PRODUCTION": "true"}, []string{"npm ci --omit=dev"}},
		"npm, staging":       {`{}`, map[string]string{"package-lock.json": "{}"}, map[string]string{"NODE_ENV": "staging"}, []string{"npm ci --include=dev"}},
		"npm, build flags": {`{"scripts":{"build":"x"}}`, map[string]string{"package-lock.json": "{}"}, map[string]string{"NODE_BUILD_FLAGS": "--prod -v"}, []string{
			"npm ci --include=dev", "npm run build -- --prod -v", "npm prune --omit=dev",
		}},
		"all scripts": {`{"scripts":{"heroku-prebuild":"x","build":"x","heroku-postbuild":"x","heroku-cleanup":"x"}}`, map[string]string{"package-lock.json": "{}"}, nil, []string{
			"npm run heroku-prebuild", "npm ci --include=dev", "npm run heroku-postbuild", "npm prune --omit=dev", "npm run heroku-cleanup",
		}},
		"Yarn 1": {`{"scripts":{"build":"x"}}`, map[string]string{"yarn.lock": ""}, nil, []string{
			"yarn install --ignore-engines --prefer-offline --non-interactive --production=false --frozen-lockfile", "yarn run build",
			"yarn install --ignore-engines --ignore-scripts --prefer-offline --non-interactive --production=true --frozen-lockfile",
		}},
		"Yarn 1, kept":   {`{}`, map[string]string{"yarn.lock": ""}, map[string]string{"YARN_PRODUCTION": "false"}, []string{"yarn install --ignore-engines --prefer-offline --non-interactive --production=false --frozen-lockfile"}},
		"Yarn 4":         {`{"packageManager":"yarn@4.1.0"}`, map[string]string{"yarn.lock": berryLock}, nil, []string{"yarn install --inline-builds --immutable", "yarn workspaces focus --all --production"}},
		"Yarn 4 by lock": {`{}`, map[string]string{"yarn.lock": berryLock}, nil, []string{"yarn install --inline-builds --immutable", "yarn workspaces focus --all --production"}},
		"Yarn 4, with archives": {`{"engines":{"yarn":">=1"}}`, map[string]string{"yarn.lock": berryLock, ".yarn/cache/a.zip": ""}, nil, []string{
			"yarn install --inline-builds --immutable --immutable-cache", "yarn workspaces focus --all --production",
		}},
		"Yarn 3": {`{"packageManager":"yarn@3.8.0"}`, map[string]string{"yarn.lock": berryLock}, nil, []string{"yarn install --inline-builds --immutable"}},
		"Yarn 3 with its plugin": {`{"packageManager":"yarn@3.8.0"}`, map[string]string{"yarn.lock": berryLock, ".yarn/plugins/@yarnpkg/plugin-workspace-tools.cjs": ""}, nil, []string{
			"yarn install --inline-builds --immutable", "yarn workspaces focus --all --production",
		}},
		"Yarn of the app": {`{}`, map[string]string{"yarn.lock": berryLock, ".yarnrc.yml": "yarnPath: .yarn/releases/yarn-4.1.0.cjs\n", ".yarn/releases/yarn-4.1.0.cjs": managerScript}, map[string]string{"YARN2_SKIP_PRUNING": "true"}, []string{
			"yarn-4.1.0.cjs install --inline-builds --immutable",
		}},
		"pnpm": {`{"packageManager":"pnpm@9.1.0","scripts":{"build":"x"}}`, map[string]string{"pnpm-lock.yaml": ""}, nil, []string{
			"pnpm install --reporter=append-only --prod=false --frozen-lockfile", "pnpm run build", "pnpm prune --prod --ignore-scripts",
		}},
		"old pnpm with a script": {`{"engines":{"pnpm":"7"},"scripts":{"prepare":"x"}}`, map[string]string{"pnpm-lock.yaml": ""}, nil, []string{
			"pnpm install --reporter=append-only --prod=false --frozen-lockfile",
		}},
		"pnpm, kept": {`{"engines":{"pnpm":"9"}}`, map[string]string{"pnpm-lock.yaml": ""}, map[string]string{"PNPM_SKIP_PRUNING": "true"}, []string{
			"pnpm install --reporter=append-only --prod=false --frozen-lockfile",
		}},
		"no packages at all": {`{"scripts":{"heroku-cleanup":"x"}}`, nil, map[string]string{"NODE_ENV": "test"}, []string{"npm install --no-package-lock --include=dev", "npm run heroku-cleanup"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, registry.URL, c.files)
			p.Write(p.App, map[string]string{"package.json": c.pkg})
			maps.Copy(p.Env, c.env)
			out := p.Build()
			got := commands(out)
			if strings.Contains(name, "of the app") {
				got = nil
				for line := range strings.Lines(out) {
					if strings.HasPrefix(strings.TrimSpace(line), "yarn-4.1.0.cjs ") {
						got = append(got, strings.TrimSpace(line))
					}
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("bin/build ran %q, want %q:\n%s", got, c.want, out)
			}
		})
	}
}

func TestPnpmWorkspaceIsInstalledAnew(t *testing.T) {
	t.Parallel()
	registry := newFakeRegistry(t)
	for name, c := range map[string]struct{ script, want string }{
		"without scripts": {"{}", "pnpm install --prod --prefer-offline --frozen-lockfile"},
		"with a script":   {`{"scripts":{"postinstall":"x"}}`, "Skipping because pnpm would run the script 'postinstall' of packages/a/package.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, registry.URL, map[string]string{
				"package.json": `{"packageManager":"pnpm@9.1.0"}`, "pnpm-lock.yaml": "", "pnpm-workspace.yaml": "packages: [packages/*]\n",
				"packages/a/package.json": c.script, "packages/a/node_modules/tool/x": "",
			})
			p.Write(p.App, map[string]string{"projects.json": `[{"path":"` + p.App + `"},{"path":"` + p.App + `/packages/a"},{"path":"/etc"}]`})
			out := p.Build()
			if !strings.Contains(out, c.want) {
				t.Errorf("bin/build lacks %q:\n%s", c.want, out)
			}
			if _, err := os.Stat(filepath.Join(p.App, "packages/a/node_modules")); (err == nil) != (c.script != "{}") {
				t.Errorf("stat of the package's node_modules = %v", err)
			}
		})
	}
}

func TestDefaultWebProcess(t *testing.T) {
	t.Parallel()
	registry := newFakeRegistry(t)
	const none = "Warning: This app may not specify any way to start a node process."
	for name, c := range map[string]struct {
		files map[string]string
		want  string // of launch.toml, or the warning
	}{
		"npm start":       {map[string]string{"package.json": `{"scripts":{"start":"x"}}`, "server.js": ""}, `command = "npm start"`},
		"yarn start":      {map[string]string{"package.json": `{"scripts":{"start":"x"}}`, "yarn.lock": ""}, `command = "yarn start"`},
		"server.js":       {map[string]string{"package.json": `{}`, "server.js": "", "index.js": ""}, `command = "node server.js"`},
		"index.js alone":  {map[string]string{"index.js": ""}, `command = "node index.js"`},
		"nothing":         {map[string]string{"package.json": `{}`}, none},
		"a Procfile":      {map[string]string{"package.json": `{}`, "Procfile": "web: node x\n"}, ""},
		"for Python":      {map[string]string{"package.json": `{"scripts":{"start":"x","build":"x"}}`, "requirements.txt": ""}, ""},
		"worker Procfile": {map[string]string{"package.json": `{}`, "Procfile": "worker: node x\n"}, none},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, registry.URL, c.files)
			out := p.Build()
			launch, _ := os.ReadFile(filepath.Join(p.Layers, "launch.toml")) // not there without a process
			switch {
			case c.want == none && strings.Contains(out, none) && len(launch) == 0:
			case c.want == "" && !strings.Contains(out, none) && len(launch) == 0:
			case c.want != "" && strings.Contains(string(launch), c.want) && strings.Contains(string(launch), "default = true"):
			default:
				t.Errorf("want %q:\n%s\n%s", c.want, launch, out)
			}
		})
	}
}
