package enginetest

import (
	"archive/zip"
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"slipway/buildpacks"
	"slipway/buildpacks/build"
)

// says is a buildpack that prints its name.
func says(id string) shellBuildpack {
	return shellBuildpack{id: id, detect: "exit 0\n", build: "echo from " + id + "\n"}
}

// files are those of a buildpack in an app, as request takes them.
func (bp shellBuildpack) files(dir string) []string {
	return []string{dir + "/buildpack.toml", bp.toml(), dir + "/bin/detect", "#!/bin/sh\n" + bp.detect, dir + "/bin/build", "#!/bin/sh\n" + bp.build}
}

func (bp shellBuildpack) zip(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	all := bp.files("bp-main")
	for i := 0; i < len(all); i += 2 {
		h := &zip.FileHeader{Name: all[i], Method: zip.Deflate}
		h.SetMode(0o755)
		f, err := w.CreateHeader(h)
		if err == nil {
			_, err = f.Write([]byte(all[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// testBuildpacks has apps choose their buildpacks: from the builder, the app, an
// archive and an image, in their own order.
func (s *suite) testBuildpacks(t *testing.T) {
	archive := says("test/archived").zip(t)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(archive) // the client is there, or the test fails otherwise
	}))
	defer srv.Close()
	s.public.push(t, "public/bp:1", packaged(t, says("test/imaged")))
	uri, img := srv.URL+"/bp.zip", "docker://"+s.public.addr+"/public/bp:1"
	b := s.newBuilder(t, func(c *build.Config) {
		c.Allowed, c.Reach = []string{uri, img}, []string{s.public.addr, strings.TrimPrefix(srv.URL, "http://")}
	})
	r, out := s.request("chosen", "echo from the app", says("test/inside").files("tools/bp")...)
	r.Buildpacks = []string{"./tools/bp", uri, "test/shell", img}
	s.build(t, b, r)
	var order []string
	for line := range strings.Lines(out.String()) {
		if from, is := strings.CutPrefix(line, "from "); is {
			order = append(order, strings.TrimSpace(from))
		}
	}
	if got := strings.Join(order, ", "); got != "test/inside, test/archived, the app, test/imaged" {
		t.Errorf("buildpacks ran as %q:\n%s", got, out)
	}
	out.lacks(t, token)
	s.nothingLeft(t, "")
	s.incompatible(t, b)
}

// incompatible chooses buildpacks that do not detect the app.
func (s *suite) incompatible(t *testing.T, b *build.Builder) {
	t.Helper()
	no := shellBuildpack{id: "test/no", detect: "echo there is no frob here >&2; exit 100\n"}
	r, out := s.request("chosen", "echo never", no.files("no")...)
	r.Buildpacks = []string{"./no", "test/shell"}
	if err := s.fails(t, b, r); err.Code != 20 || !err.UserFault {
		t.Errorf("Error = %+v, want code 20, the user's fault", err)
	}
	out.has(t, "-----> App not compatible with buildpack: test/no@1.0.0\n", "\n       there is no frob here\n")
	out.lacks(t, "test/shell@1.0.0\n", "===", token)
	r, _ = s.request("chosen", "echo never")
	r.Buildpacks = []string{"test/none"}
	if err := s.fails(t, b, r); !errors.Is(err, build.ErrRefused) || !strings.Contains(err.Text, "It has: test/shell") {
		t.Errorf("a buildpack that is not there: %v, want what there is", err)
	}
	s.nothingLeft(t, "")
}

// What other people's Python buildpacks read, and what they fail on.
var others = []struct {
	bp   shellBuildpack
	want string
}{
	{shellBuildpack{id: "heroku/python", detect: "test -f requirements.txt || exit 100\n", build: `
if test -f runtime.txt; then echo "runtime.txt is not supported"; exit 1; fi
echo "version: $(cat .python-version 2>/dev/null || echo default)"
`}, "version: 3.13\n"},
	{shellBuildpack{id: "paketo-buildpacks/cpython", detect: "test -f requirements.txt || exit 100\n", build: `
echo "version: ${BP_CPYTHON_VERSION:-default}"
`}, "version: 3.13.*\n"},
	{shellBuildpack{id: "google.python.runtime", detect: "test -f requirements.txt || exit 100\n", build: `
echo "version: ${GOOGLE_RUNTIME_VERSION:-$(cat .python-version 2>/dev/null || echo default)}"
`}, "version: 3.13.*\n"},
}

// testOthers has builders of other people build an app with a runtime.txt.
func (s *suite) testOthers(t *testing.T) {
	s.public.push(t, "public/run:others", s.builder.run)
	for _, other := range others {
		name := strings.NewReplacer("/", "-", ".", "-").Replace(other.bp.id)
		ref := s.public.addr + "/public/" + name + ":1"
		s.public.push(t, "public/"+name+":1", s.builder.builderOf(t, s.public.addr+"/public/run:others", other.bp))
		b := s.newBuilder(t, func(c *build.Config) { c.Builder, c.Trusted, c.Reach = ref, []string{ref}, []string{s.public.addr} })
		r, out := s.request("others", "", "requirements.txt", "", "runtime.txt", "python-3.13\n")
		plan, err := buildpacks.Detect(t.Context(), r.Source, buildpacks.Options{})
		if err != nil {
			t.Fatalf("Detect() = %v", err)
		}
		r.Plan = plan
		img := s.registry.image(t, s.mustBuild(t, b, r))
		out.has(t, other.want, "-----> Translating runtime.txt for "+ref)
		if content := files(t, img); content["workspace/runtime.txt"] != "" != (other.bp.id != "heroku/python") {
			t.Errorf("%s: runtime.txt in the image is %q", other.bp.id, content["workspace/runtime.txt"])
		}
	}
	s.nothingLeft(t, "")
}
