package build

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	projectTypes "github.com/buildpacks/pack/pkg/project/types"
)

func TestWhichBuildersMayBeUsed(t *testing.T) {
	cfg := Config{Registry: "r:1", Builder: "x/mine", Trusted: []string{"x/trusted"}, Allowed: []string{"x/allowed"}}.withDefaults()
	with := &Builder{cfg: cfg, bundle: &bundle{ref: "slipway/builder:1"}}
	without := &Builder{cfg: cfg}
	for asked, want := range map[string]string{
		"": "x/mine", "x/mine": "x/mine", "x/trusted": "x/trusted", "x/allowed": "x/allowed", Bundled: "slipway/builder:1",
	} {
		j, err := with.newJob(Request{ID: "b1", App: "a", Source: fstest.MapFS{}, Image: "r:1/a:1", Builder: asked, Progress: io.Discard})
		if err != nil || j.builder != want {
			t.Errorf("builder %q: %v, want %s", asked, err, want)
		}
	}
	_, err := with.newJob(Request{ID: "b1", App: "a", Source: fstest.MapFS{}, Image: "r:1/a:1", Builder: "evil/builder", Progress: io.Discard})
	var told *Error
	if !errors.As(err, &told) || !told.UserFault || !errors.Is(err, ErrRefused) || !strings.Contains(told.Text, "evil/builder") {
		t.Errorf("builder that is not allowed: %v, want a refusal that names it", err)
	}
	if _, err := without.mayUse(Bundled, "x"); !errors.Is(err, ErrNoBundled) {
		t.Errorf("bundled builder that is not there: %v, want ErrNoBundled", err)
	}
}

func TestWhenTheBundledBuilderIsNeeded(t *testing.T) {
	bundled := &bundle{ref: "slipway/builder:1"}
	var adds projectTypes.Descriptor
	adds.Build.Buildpacks = []projectTypes.Buildpack{{URI: "file:///bp"}}
	for name, c := range map[string]struct {
		builder, lifecycle string
		bundle             *bundle
		project            projectTypes.Descriptor
		want               bool
	}{
		"it is the builder":                   {builder: bundled.ref, bundle: bundled, want: true},
		"a trusted builder":                   {builder: "x/trusted", bundle: bundled},
		"a trusted builder, and none bundled": {builder: "x/trusted"},
		"another, and none bundled":           {builder: "x/other"},
		"another":                             {builder: "x/other", bundle: bundled, want: true},
		"another, with a lifecycle":           {builder: "x/other", bundle: bundled, lifecycle: "x/lifecycle"},
		"a trusted one with more buildpacks":  {builder: "x/trusted", bundle: bundled, project: adds, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := &Builder{cfg: Config{Trusted: []string{"x/trusted"}, LifecycleImage: c.lifecycle}, bundle: c.bundle}
			j := &job{b: b, builder: c.builder, project: c.project}
			if got := j.needsBundled(); got != c.want {
				t.Errorf("needsBundled() = %v, want %v", got, c.want)
			}
		})
	}
}

// A server without the bundled builder prepares builds with another one.
func TestPrepareWithoutBundled(t *testing.T) {
	cfg := Config{Trusted: []string{"x/trusted"}, Env: map[string]string{"A": "1"}}.withDefaults()
	for _, builder := range []string{"x/trusted", "x/other"} {
		j := &job{
			b: &Builder{cfg: cfg}, builder: builder, dir: t.TempDir(), t: newTranscript(io.Discard, false),
			r: Request{Source: fstest.MapFS{"a": {}}, Env: map[string]string{"B": "2"}},
		}
		if err := j.prepare(t.Context()); err != nil || j.env["A"] != "1" || j.env["B"] != "2" {
			t.Errorf("prepare() for %s = %v, environment %v", builder, err, j.env)
		}
	}
}

func TestOwnCode(t *testing.T) {
	for _, c := range []struct {
		uri  string
		want bool
	}{{"from=builder", true}, {"from=builder:a/b", true}, {"urn:cnb:builder:a/b@1", true}, {"https://x.test/bp.tgz", false}, {"from=builderx", false}, {"/builds/b1/app/bp", true}, {"/builds/b1/app", true}, {"/builds/b1/fetched/bp", false}, {"/builds/b1/apple", false}} {
		var d projectTypes.Descriptor
		d.Build.Buildpacks = []projectTypes.Buildpack{{URI: c.uri}, {ID: "me/inline", Script: projectTypes.Script{API: "0.10", Inline: "true"}}}
		if got, err := unfoldInline(t.TempDir(), &d, (&job{dir: "/builds/b1"}).ownCode); err != nil || got != c.want {
			t.Errorf("unfoldInline(%s) = %v, %v, want %v", c.uri, got, err, c.want)
		}
	}
}
