package deploy_test

import (
	"bytes"
	"context"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"slipway/buildpacks/build"
	"slipway/internal/state"
)

func tree(names ...string) fstest.MapFS {
	all := fstest.MapFS{}
	for i := 0; i+1 < len(names); i += 2 {
		all[names[i]] = &fstest.MapFile{Data: []byte(names[i+1]), Mode: 0o644}
	}
	return all
}

// What came to the builder, and what the pusher read.
type came struct {
	request build.Request
	said    string
	err     error
}

func (r *buildRig) come(t *testing.T, app fs.FS, options ...string) came {
	t.Helper()
	var c came
	r.builder.run = func(_ context.Context, req build.Request) error {
		c.request = req
		return nil
	}
	var out bytes.Buffer
	c.err = r.pushedTree(t.Context(), app, &out, options...)
	c.said = out.String()
	return c
}

func TestPushesLeaveOutWhatTheAppSays(t *testing.T) {
	t.Parallel()
	r := newBuildRig(t)
	app := tree("package.json", "{}", "Procfile", "web: node x\n", "requirements.txt", "flask\n", "docs/a", "", "docs/b", "", "test/x", "",
		".slugignore", "requirements.txt\n/docs\n", "project.toml", "[_]\nschema-version = '0.2'\n[io.buildpacks]\nexclude = ['test']\n")
	c := r.come(t, app)
	if c.err != nil {
		t.Fatalf("push = %v\n%s", c.err, c.said)
	}
	for _, want := range []string{
		"-----> Deleting 2 files matching .slugignore patterns.\n", "-----> Leaving out 1 file by what project.toml says.\n", "-----> Node.js app detected\n",
	} {
		if !strings.Contains(c.said, want) {
			t.Errorf("the pusher lacks %q:\n%s", want, c.said)
		}
	}
	for _, name := range []string{"docs", "docs/a", "requirements.txt", "test/x"} {
		if _, err := fs.Stat(c.request.Source, name); err == nil {
			t.Errorf("the builder gets %s, which is left out", name)
		}
	}
	if c.request.Project == nil || c.request.Plan.Language != "nodejs" {
		t.Errorf("the builder gets the project %v and the language %q, want one, and nodejs", c.request.Project, c.request.Plan.Language)
	}
}

func TestBadProjectsRejectThePush(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"[_]\nschema-version = '0.2'\n[[[":          " !     Error: project.toml, line 3: this is not TOML",
		"[build]\ninclude = ['a']\nexclude = ['b']": " !     Error: project.toml, line 3: it has both include and exclude",
	} {
		c := newBuildRig(t).come(t, tree("index.html", "", "project.toml", text))
		if c.err == nil || !strings.Contains(c.said, want) || !strings.Contains(c.said, "Push rejected, the source cannot be built.") {
			t.Errorf("push of %q = %v, want %q:\n%s", text, c.err, want, c.said)
		}
	}
}

func TestBuildpacksThatWereSet(t *testing.T) {
	t.Parallel()
	python := tree("requirements.txt", "", "package.json", "{}", "Procfile", "web: x\n")
	unknown := tree("main.frob", "", "bp/buildpack.toml", "")
	const descriptor = "[_]\nschema-version = '0.2'\n[[io.buildpacks.group]]\nid = 'a/b'\n"
	for name, c := range map[string]struct {
		app      fs.FS
		set      []string
		options  []string
		want     []string // that the builder gets
		language string
		says     string // in the transcript
		rejected bool
	}{
		"none": {app: python, language: "python", says: "-----> Determining which buildpack to use for this app\n-----> Python app detected\n"},
		"one": {
			app: python, set: []string{"slipway/python"}, want: []string{"slipway/python"}, language: "python",
			says: "-----> Using buildpack: slipway/python\n-----> Python app detected\n",
		},
		"another language of the app": {
			app: python, set: []string{"heroku/nodejs"}, want: []string{"heroku/nodejs"}, language: "nodejs",
			says: "-----> Using buildpack: heroku/nodejs\n-----> Node.js app detected\n",
		},
		"several": {
			app: python, set: []string{"slipway/nodejs", "slipway/python", "slipway/procfile"}, want: []string{"slipway/nodejs", "slipway/python", "slipway/procfile"}, language: "python",
			says: "-----> Using buildpacks:\n       1. slipway/nodejs\n       2. slipway/python\n       3. slipway/procfile\n-----> Python app detected\n",
		},
		"of an app that nothing else knows":  {app: unknown, set: []string{"./bp"}, want: []string{"./bp"}, says: "-----> Using buildpack: ./bp\n-----> Building here\n"},
		"none, of an app that nothing knows": {app: unknown, says: "No default language could be detected", rejected: true},
		"of an app that is another's by its files": {
			app: python, set: []string{"./bp"}, want: []string{"./bp"}, language: "", says: "-----> Using buildpack: ./bp\n-----> Building here\n",
		},
		"of an app in the wrong language": {
			app: tree("runtime.txt", "python-2.7", "requirements.txt", "", "bp/buildpack.toml", ""), set: []string{"./bp"}, want: []string{"./bp"}, language: "python",
			says: "-----> Using buildpack: ./bp\n-----> Building here\n",
		},
		"of an app whose version is too old": {
			app: tree("runtime.txt", "python-2.7", "requirements.txt", ""), set: []string{"slipway/python"}, says: "end-of-life", rejected: true,
		},
		"named by the push": {
			app: python, set: []string{"slipway/python"}, options: []string{"buildpack=slipway/nodejs", "buildpack=./bp"}, want: []string{"slipway/nodejs", "./bp"}, language: "nodejs",
			says: "1. slipway/nodejs\n",
		},
		"named by project.toml": {app: tree("main.frob", "", "project.toml", descriptor), says: "-----> Building here\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newBuildRig(t)
			r.set.set.Names = c.set
			got := r.come(t, c.app, c.options...)
			if (got.err != nil) != c.rejected || !strings.Contains(got.said, c.says) {
				t.Fatalf("push = %v, want rejected %v and %q:\n%s", got.err, c.rejected, c.says, got.said)
			}
			if c.rejected {
				return
			}
			if !slices.Equal(got.request.Buildpacks, c.want) || got.request.Plan.Language != c.language {
				t.Errorf("the builder gets %q and the language %q, want %q and %q", got.request.Buildpacks, got.request.Plan.Language, c.want, c.language)
			}
		})
	}
}

// A commit that has a slug is built anew once other buildpacks were set.
func TestSetBuildpacksBuildKnownCommitsAnew(t *testing.T) {
	t.Parallel()
	r := newBuildRig(t)
	r.releases.remembers = true
	app := tree("requirements.txt", "")
	if c := r.come(t, app); c.err != nil {
		t.Fatalf("push = %v\n%s", c.err, c.said)
	}
	if c := r.come(t, app); c.err != nil || !strings.Contains(c.said, "has already been built") {
		t.Errorf("push of the same commit = %v, want that it was built already:\n%s", c.err, c.said)
	}
	r.set.set = state.Buildpacks{Set: time.Now().Add(time.Hour)} // buildpacks:clear sets none
	if c := r.come(t, app); c.err != nil || !strings.Contains(c.said, "Building here") {
		t.Errorf("push of the same commit = %v, want that it is built:\n%s", c.err, c.said)
	}
}

func TestIncompatibleBuildpacksSayWhatToDo(t *testing.T) {
	t.Parallel()
	r := newBuildRig(t)
	r.set.set.Names = []string{"a/b"}
	r.builder.run = func(context.Context, build.Request) error {
		return &build.Error{Code: 20, Phase: "DETECTING", UserFault: true, Text: "No buildpack of the builder recognised this app."}
	}
	var out bytes.Buffer
	if err := r.pushed(t.Context(), &out); err == nil || !strings.Contains(out.String(), "slipway buildpacks:clear -a shop") {
		t.Errorf("push = %v, want what to do:\n%s", err, &out)
	}
}

func TestTarballsNameBuildpacks(t *testing.T) {
	t.Parallel()
	r := newBuildRig(t)
	r.set.set.Names = []string{"a/b"}
	got := make(chan build.Request, 1)
	r.builder.run = func(_ context.Context, req build.Request) error {
		got <- req
		return nil
	}
	tarball := packed(t, "index.html", "")
	tarball.Buildpacks = []string{"c/d"}
	if _, err := r.BuildTarball(t.Context(), state.Actor{User: "ann"}, "shop", tarball); err != nil {
		t.Fatal(err)
	}
	if req := <-got; !slices.Equal(req.Buildpacks, []string{"c/d"}) {
		t.Errorf("the builder gets %q, want c/d", req.Buildpacks)
	}
}
