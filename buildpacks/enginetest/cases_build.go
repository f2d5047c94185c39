package enginetest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/buildpacks/build"
)

// webApp makes a layer and a process.
const webApp = `
echo "-----> Building in $(pwd)"
mkdir -p "$1/tool/bin"
echo '[types]
launch = true' > "$1/tool.toml"
echo hello > "$1/tool/bin/hello"
cat > "$1/launch.toml" <<'TOML'
[[processes]]
type = "web"
command = ["/bin/sh"]
args = ["-c", "serve on $PORT"]
default = true
TOML
`

func (s *suite) testPublish(t *testing.T) {
	b := s.newBuilder(t, nil)
	r, out := s.request("publish", webApp, "static/index.html", "<p>hi")
	res := s.build(t, b, r)
	out.has(t, "-----> Building in /workspace\n")
	out.lacks(t, "===>", "Adding layer", "ANALYZING", "Saving ")
	img := s.registry.image(t, r.Image)
	if d, err := img.Digest(); err != nil || d.String() != res.Digest {
		t.Errorf("Digest = %s, want %s (%v)", res.Digest, d, err)
	}
	describes(t, res)
	content := files(t, img)
	if content["workspace/static/index.html"] != "<p>hi" || content["layers/test_shell/tool/bin/hello"] != "hello\n" {
		t.Errorf("the image lacks the app's or the buildpack's files")
	}
	if got := b.PythonVersions(); len(got) != 2 || got[0] != "3.14.6" {
		t.Errorf("PythonVersions() = %v", got)
	}
	s.nothingLeft(t, "")
}

// describes checks that a result says all about a build of webApp.
func describes(t *testing.T, res *build.Result) {
	t.Helper()
	if len(res.Processes) != 1 || res.Processes[0].Type != "web" || !res.Processes[0].Default ||
		strings.Join(res.Processes[0].Command, " ") != "/bin/sh" || res.Processes[0].Buildpack != "test/shell" {
		t.Errorf("Processes = %+v, want one default web process of test/shell", res.Processes)
	}
	if res.Size == 0 || res.Took <= 0 || res.BuildpacksTook <= 0 || res.BuildpacksTook >= res.Took {
		t.Errorf("Size, Took, BuildpacksTook = %d, %v, %v, want all of them, the last the smallest", res.Size, res.Took, res.BuildpacksTook)
	}
	if res.RunTop == "" || res.Builder == "" {
		t.Errorf("RunTop, Builder = %q, %q, want both", res.RunTop, res.Builder)
	}
}

func (s *suite) testReproducible(t *testing.T) {
	b := s.newBuilder(t, nil)
	r1, _ := s.request("same", webApp, "a.txt", "a")
	r2, _ := s.request("same", webApp, "a.txt", "a")
	r3, _ := s.request("same-elsewhere", webApp, "a.txt", "a")
	first := s.build(t, b, r1)
	r2.Previous = r1.Image
	for _, r := range []build.Request{r2, r3} {
		if again := s.build(t, b, r); again.Digest != first.Digest {
			t.Errorf("Digest = %s, then %s", first.Digest, again.Digest)
		}
	}
}

const cachedApp = `
if test -f "$1/deps/stamp"; then echo "deps: warm"; else echo "deps: cold"; mkdir -p "$1/deps"; date=1; echo stamp > "$1/deps/stamp"; fi
echo '[types]
cache = true
launch = true' > "$1/deps.toml"
`

func (s *suite) testCache(t *testing.T) {
	b := s.newBuilder(t, nil)
	r1, out1 := s.request("cached", cachedApp, "v", "1")
	s.build(t, b, r1)
	out1.has(t, "deps: cold\n")
	r2, out2 := s.request("cached", cachedApp, "v", "2")
	r2.Previous = r1.Image
	s.build(t, b, r2)
	out2.has(t, "deps: warm\n")
	r3, out3 := s.request("cached-other", cachedApp)
	s.build(t, b, r3)
	out3.has(t, "deps: cold\n")
	if err := b.ForgetCache(t.Context(), "cached"); err != nil {
		t.Fatalf("ForgetCache() = %v", err)
	}
	r4, out4 := s.request("cached", cachedApp)
	s.build(t, b, r4)
	out4.has(t, "deps: cold\n")
}

func (s *suite) testNoCache(t *testing.T) {
	b := s.newBuilder(t, nil)
	r1, _ := s.request("nocache", cachedApp)
	s.build(t, b, r1)
	r2, out2 := s.request("nocache", cachedApp)
	r2.NoCache = true
	s.build(t, b, r2)
	out2.has(t, "deps: cold\n")
	r3, out3 := s.request("nocache", cachedApp)
	s.build(t, b, r3)
	out3.has(t, "deps: warm\n")
}

func (s *suite) testLastLine(t *testing.T) {
	b := s.newBuilder(t, nil)
	for range 5 {
		r, out := s.request("lastline", `seq 1 5000; echo "err: broken" >&2; echo "no newline at the end" | tr -d '\n'; exit 7`)
		err := s.fails(t, b, r)
		if err.Code != 51 || !err.UserFault || err.Phase != "BUILDING" {
			t.Errorf("Error = %+v, want code 51 in BUILDING, the user's fault", err)
		}
		out.has(t, "\n4999\n5000\n", "err: broken\n", "no newline at the end\n")
		out.lacks(t, "ERROR: failed to build")
	}
	s.nothingLeft(t, "")
}

func (s *suite) testExitCodes(t *testing.T) {
	b := s.newBuilder(t, nil)
	r, out := s.request("nothing", "", "README", "not an app")
	if err := s.fails(t, b, r); err.Code != 20 || !err.UserFault || err.Phase != "DETECTING" {
		t.Errorf("an app that nothing recognises: %+v, want code 20 in DETECTING, the user's fault", err)
	}
	out.has(t, "test/shell")
	r, out = s.request("detect-error", "true", "detect.sh", "echo why it broke; exit 3")
	if err := s.fails(t, b, r); err.Code != 21 && err.Code != 20 || err.Phase != "DETECTING" {
		t.Errorf("a detect that errs: %+v, want code 20 or 21 in DETECTING", err)
	}
	out.has(t, "why it broke")
	r, out = s.request("no-token", "echo building")
	r.Token = "wrong"
	err := s.fails(t, b, r)
	if err.UserFault {
		t.Errorf("a registry that refuses: %+v, want the server's fault", err)
	}
	if !strings.Contains(out.String(), "401") && !strings.Contains(err.Error(), "401") {
		t.Errorf("neither the error %v nor the output says 401:\n%s", err, out)
	}
	out.lacks(t, "wrong")
}

func (s *suite) testTrace(t *testing.T) {
	b := s.newBuilder(t, nil)
	r, out := s.request("trace", webApp)
	r.Trace = true
	s.build(t, b, r)
	out.has(t, "===> ANALYZING", "===> DETECTING", "===> BUILDING", "===> EXPORTING", "Adding layer")
	out.lacks(t, token)
}

func (s *suite) testProject(t *testing.T) {
	b := s.newBuilder(t, nil)
	const listing = "echo files: *; echo colour: $COLOUR\n"
	r, out := s.request("project", listing, "secret.txt", "x", "kept.txt", "y", "project.toml", `
[_]
schema-version = "0.2"
[io.buildpacks]
exclude = ["secret.txt"]
[[io.buildpacks.build.env]]
name = "COLOUR"
value = "green"
`)
	img := s.registry.image(t, s.mustBuild(t, b, r))
	out.has(t, "kept.txt", "colour: green\n")
	out.lacks(t, "secret.txt")
	for name, text := range files(t, img) {
		if strings.Contains(name, "COLOUR") || strings.Contains(text, "green") && !strings.HasSuffix(name, "project.toml") {
			t.Errorf("the environment of project.toml is in the image, in %s", name)
		}
	}
	r, out = s.request("inline", "echo from the app", "project.toml", `
[_]
schema-version = "0.2"
[[io.buildpacks.group]]
uri = "from=builder:test/shell"
[[io.buildpacks.group]]
id = "me/inline"
[io.buildpacks.group.script]
api = "0.10"
inline = "echo from the inline buildpack"
`)
	s.build(t, b, r)
	out.has(t, "from the app\n", "from the inline buildpack\n")
	s.nothingLeft(t, "")
	s.projectAdds(t)
	for name, descriptor := range map[string]string{
		"builder":   "[_]\nschema-version = \"0.2\"\n[io.buildpacks]\nbuilder = \"evil/builder\"\n",
		"buildpack": "[_]\nschema-version = \"0.2\"\n[[io.buildpacks.group]]\nuri = \"https://evil.test/bp.tgz\"\n",
		"unknown":   "[_]\nschema-version = \"0.2\"\n[[io.buildpacks.group]]\nid = \"evil/bp\"\n",
	} {
		r, _ := s.request("project", "echo never", "project.toml", descriptor)
		err := s.fails(t, b, r)
		if !errors.Is(err, build.ErrRefused) || !err.UserFault || !strings.Contains(err.Text, "evil") {
			t.Errorf("project.toml with a %s: %v, want a refusal that names it", name, err)
		}
	}
	r, _ = s.request("project", "echo never", "project.toml", "[[[")
	if err := s.fails(t, b, r); !errors.Is(err, build.ErrSource) {
		t.Errorf("project.toml that is not TOML: %v, want ErrSource", err)
	}
}

// projectAdds has a project.toml add a buildpack that is allowed and not
// trusted, to a trusted builder: the bundled lifecycle holds the token.
func (s *suite) projectAdds(t *testing.T) {
	t.Helper()
	dir := filepath.Join(s.dir, "added") // not in what is looked through for leftovers
	for name, f := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"buildpack.toml": {strings.ReplaceAll(buildpackTOML, "test/shell", "test/added"), 0o644},
		"bin/detect":     {"#!/bin/sh\n", 0o755},
		"bin/build":      {"#!/bin/sh\necho from the added buildpack\nenv\n", 0o755},
	} {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(f.text), f.mode)); err != nil {
			t.Fatalf("write buildpack: %v", err)
		}
	}
	uri := "file://" + dir
	b := s.newBuilder(t, func(c *build.Config) { c.Allowed = []string{uri} })
	r, out := s.request("added", "echo from the app", "project.toml", `
[_]
schema-version = "0.2"
[[io.buildpacks.group]]
id = "test/shell"
[[io.buildpacks.group]]
uri = "`+uri+`"
`)
	s.build(t, b, r)
	out.has(t, "from the app\n", "from the added buildpack\n")
	out.lacks(t, "Pulling", token)
	s.nothingLeft(t, "")
}

// mustBuild builds and returns the image by digest.
func (s *suite) mustBuild(t *testing.T, b *build.Builder, r build.Request) string {
	t.Helper()
	res := s.build(t, b, r)
	return r.Image[:strings.LastIndex(r.Image, ":")] + "@" + res.Digest
}
