package enginetest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/moby/moby/client"

	"slipway/buildpacks"
	"slipway/buildpacks/build"
)

func (s *suite) testEnv(t *testing.T) {
	b := s.newBuilder(t, func(c *build.Config) {
		c.Env = map[string]string{"INDEX": "operator-index", "COMMON": "operator-common"}
	})
	r, out := s.request("env", `
echo "index: $INDEX common: $COMMON secret: $(cat "$2/env/SECRET" | wc -c)"
test "$SECRET" = "$(cat "$2/env/SECRET")" && echo "secret arrived"
tr '\0' '\n' < /proc/1/environ | grep -c app-secret-val[u]e
echo "lines: $(wc -l < "$2/env/LINES")"
`)
	r.Env = map[string]string{"COMMON": "app-common", "SECRET": "app-secret-value", "LINES": "a\nb\n"}
	img := s.registry.image(t, s.mustBuild(t, b, r))
	out.has(t, "index: operator-index common: app-common secret: 16\n", "secret arrived\n", "lines: 2\n")
	if leak := findIn(t, img, "app-secret-value", "operator-index"); leak != "" {
		t.Errorf("the environment is in the image, in %s", leak)
	}
	r, _ = s.request("env", "true")
	r.Env = map[string]string{"../../etc/passwd": "x"}
	if err := s.fails(t, b, r); !strings.Contains(err.Text, "passwd") {
		t.Errorf("a variable named ../../etc/passwd: %v, want a refusal", err)
	}
}

// findIn returns where in an image one of the texts is.
func findIn(t *testing.T, img v1.Image, texts ...string) string {
	t.Helper()
	cfg, err := img.ConfigFile()
	if err != nil {
		t.Fatalf("read image: %v", err)
	}
	data, err := json.Marshal(cfg)
	if err != nil {
		t.Fatalf("encode configuration: %v", err)
	}
	all := files(t, img)
	all["configuration"] = string(data)
	for name, content := range all {
		for _, text := range texts {
			if strings.Contains(content, text) {
				return name
			}
		}
	}
	return ""
}

// spy prints all that a buildpack can see of its surroundings.
const spy = `
env
cat /proc/self/environ | tr '\0' '\n'
for p in /proc/[0-9]*; do cat $p/environ $p/cmdline 2>/dev/null | tr '\0' '\n'; done
find / -xdev -type f -size -64k \( -path /proc -o -path /sys -o -path /cnb -o -path /bin \) -prune -o -type f -size -64k -print 2>/dev/null | grep -v '^/\(proc\|sys\|cnb\|bin\)' | while read f; do grep -l 's3cret\|czNjcmV0' "$f" 2>/dev/null; done
echo "mounts:"; cat /proc/mounts
ls -la /var/run /run 2>/dev/null
id
`

func spied(t *testing.T, out *output) {
	t.Helper()
	out.has(t, "CNB_STACK_ID", "uid=1002")
	plain := base64.StdEncoding.EncodeToString([]byte("any:" + token))
	out.lacks(t, token, plain, "CNB_REGISTRY_AUTH={", "docker.sock", "s3cret", "uid=0")
}

func (s *suite) testToken(t *testing.T) {
	b := s.newBuilder(t, nil)
	r, out := s.request("token", spy)
	img := s.registry.image(t, s.mustBuild(t, b, r))
	spied(t, out)
	if leak := findIn(t, img, token); leak != "" {
		t.Errorf("the token is in the image, in %s", leak)
	}
}

func (s *suite) testPull(t *testing.T) {
	s.public.push(t, "public/run:1", s.builder.run)
	s.public.push(t, "public/builder:1", s.builder.withRun(t, s.public.addr+"/public/run:1"))
	ref := s.public.addr + "/public/builder:1"
	b := s.newBuilder(t, func(c *build.Config) {
		c.Trusted, c.Allowed, c.Reach = []string{ref}, []string{s.public.addr + "/public/nothing:1"}, []string{s.public.addr}
	})
	for i, pulls := range []bool{true, false} {
		r, out := s.request("pulled", webApp)
		r.Builder = ref
		if i > 0 {
			r.Plan = &buildpacks.Plan{Language: "python", Version: buildpacks.Version{Requested: "3.13", Origin: "runtime.txt"}}
		}
		res := s.build(t, b, r)
		if res.Builder != ref || !strings.HasPrefix(res.RunImage, s.public.addr+"/public/run@sha256:") {
			t.Errorf("Builder, RunImage = %s, %s", res.Builder, res.RunImage)
		}
		if strings.Contains(out.String(), "-----> Pulling "+ref) != pulls {
			t.Errorf("build %d says that it pulls: %v, want %v:\n%s", i+1, !pulls, pulls, out)
		}
		if i > 0 && files(t, s.registry.image(t, r.Image))["workspace/.python-version"] != "3.13\n" {
			t.Errorf("runtime.txt was not translated:\n%s", out)
		}
	}
	r, _ := s.request("pulled", webApp, "project.toml", "[_]\nschema-version = \"0.2\"\n[io.buildpacks]\nbuilder = \""+ref+"\"\n")
	if res := s.build(t, b, r); res.Builder != ref {
		t.Errorf("Builder = %s, want that of project.toml, %s", res.Builder, ref)
	}
	r, _ = s.request("pulled", webApp)
	r.Builder = s.public.addr + "/public/other:1"
	if err := s.fails(t, b, r); !errors.Is(err, build.ErrRefused) || !strings.Contains(err.Text, "public/other") {
		t.Errorf("a builder that is not allowed: %v, want a refusal with its name", err)
	}
	r, _ = s.request("pulled", webApp)
	r.Builder = s.public.addr + "/public/nothing:1"
	if err := s.fails(t, b, r); !err.UserFault || !strings.Contains(err.Text, "public/nothing") {
		t.Errorf("a builder that is not there: %v, want the user's fault with its name", err)
	}
}

func (s *suite) testUntrusted(t *testing.T) {
	s.public.push(t, "public/run:2", s.builder.run)
	s.public.push(t, "public/lifecycle:"+lifecycleVersion, s.builder.lifecycle)
	s.public.push(t, "public/builder:2", s.builder.withRun(t, s.public.addr+"/public/run:2"))
	lifecycle := s.public.addr + "/public/lifecycle:" + lifecycleVersion
	allowed, reach := []string{s.public.addr + "/public/builder:2"}, []string{s.public.addr}
	b := s.newBuilder(t, func(c *build.Config) { c.LifecycleImage, c.Allowed, c.Reach = lifecycle, allowed, reach })
	r, out := s.request("untrusted", "echo building; "+spy+cachedApp, "detect.sh", spy)
	r.Builder = s.public.addr + "/public/builder:2"
	r.Env = map[string]string{"COLOUR": "app-green"}
	r.Trace = true
	img := s.registry.image(t, s.mustBuild(t, b, r))
	spied(t, out)
	out.has(t, "COLOUR=app-green", "deps: cold", lifecycle)
	if leak := findIn(t, img, "app-green", token); leak != "" {
		t.Errorf("a secret is in the image, in %s", leak)
	}
	// Without an image for it, the bundled builder's lifecycle is used.
	b = s.newBuilder(t, func(c *build.Config) { c.Allowed, c.Reach = allowed, reach })
	r, out = s.request("untrusted", cachedApp)
	r.Builder = s.public.addr + "/public/builder:2"
	s.build(t, b, r)
	out.has(t, "deps: warm")
	out.lacks(t, "===>", "[builder]")
	r, out = s.request("untrusted", "echo oops; exit 4")
	r.Builder = s.public.addr + "/public/builder:2"
	if err := s.fails(t, b, r); err.Code != 51 || err.Phase != "BUILDING" {
		t.Errorf("Error = %+v, want code 51 in BUILDING", err)
	}
	out.has(t, "oops\n")
	s.nothingLeft(t, "")
}

func (s *suite) testExtensions(t *testing.T) {
	img := s.builder.withRun(t, s.public.addr+"/public/run:3")
	cfg, err := img.ConfigFile()
	if err != nil {
		t.Fatalf("read builder: %v", err)
	}
	cfg = cfg.DeepCopy()
	cfg.Config.Labels["io.buildpacks.buildpack.order-extensions"] = `[{"group":[{"id":"test/extension","version":"1.0.0"}]}]`
	if img, err = mutate.ConfigFile(img, cfg); err != nil {
		t.Fatalf("change builder: %v", err)
	}
	s.public.push(t, "public/builder:3", img)
	b := s.newBuilder(t, func(c *build.Config) { c.Allowed = []string{s.public.addr + "/public/builder:3"} })
	r, _ := s.request("extended", "echo never")
	r.Builder = s.public.addr + "/public/builder:3"
	if err := s.fails(t, b, r); !errors.Is(err, build.ErrRefused) || !strings.Contains(err.Text, "extensions") {
		t.Errorf("a builder with extensions: %v, want a refusal in words", err)
	}
}

func (s *suite) testSweep(t *testing.T) {
	r, _ := s.request("sweep", "true")
	s.build(t, s.newBuilder(t, nil), r) // loads the bundled builder
	const left = "pack.local/builder/left:latest"
	if _, err := s.engine.ImageTag(t.Context(), client.ImageTagOptions{Source: "slipway/builder:test", Target: left}); err != nil {
		t.Fatalf("tag image: %v", err)
	}
	dir := filepath.Join(s.dir, "builds", "b0-killed")
	if err := os.MkdirAll(filepath.Join(dir, "app"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "images"), []byte(left+"\nslipway/builder:test\npack.local/gone:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.newBuilder(t, nil)
	s.nothingLeft(t, "")
	if _, err := s.engine.ImageInspect(t.Context(), left); !errdefs.IsNotFound(err) {
		t.Errorf("the image that a killed build made is still there: %v", err)
	}
	if _, err := s.engine.ImageInspect(t.Context(), "slipway/builder:test"); err != nil {
		t.Errorf("the bundled builder is gone: %v", err)
	}
}
