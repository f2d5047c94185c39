package detector_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"slipway/buildpacks/detector"
	"slipway/internal/testkit"
)

// samples are buildpacks as the samples of the Cloud Native Buildpacks project
// are: shell scripts that look for a file, and write a plan.
func samples(t *testing.T, c *trialCase) {
	t.Helper()
	byFile := func(file, plan string) string {
		return fmt.Sprintf("[ -f %s ] || exit 100\ncat > \"$2\" <<'EOF'\n%s\nEOF\n", file, plan)
	}
	for id, script := range map[string]string{
		"samples/java":     byFile("pom.xml", "[[provides]]\nname = \"jdk\"\n[[requires]]\nname = \"jdk\"\n[requires.metadata]\nversion = \"21\"\n"),
		"samples/node":     byFile("package.json", "[[provides]]\nname = \"node\"\n[[requires]]\nname = \"node\"\n[[or]]\n[[or.provides]]\nname = \"node\"\n"),
		"samples/python":   byFile("requirements.txt", "[[requires]]\nname = \"cpython\"\n[requires.metadata]\nbuild = true\n"),
		"samples/cpython":  "printf '[[provides]]\\nname = \"cpython\"\\n' > $2",
		"samples/procfile": "[ -f Procfile ] || exit 100",
		"samples/broken":   "[ -f go.mod ] && exit 3; exit 100",
		"samples/late":     byFile("uv.lock", "[[requires]]\nname = \"cpython\"\n"),
	} {
		c.add(t, id, "1.0", bp(id, script))
	}
	c.add(t, "samples/languages", "1.0", map[string]string{
		"buildpack.toml": "api = \"0.10\"\n[buildpack]\nid = \"samples/languages\"\nversion = \"1.0\"\n" + orderOf("late cpython", "java procfile?", "cpython python node?"),
	})
}

// orderOf writes an order of samples: a group a word, "?" for optional.
func orderOf(groups ...string) string {
	var out strings.Builder
	for _, group := range groups {
		out.WriteString("[[order]]\n")
		for el := range strings.FieldsSeq(group) {
			id, optional := strings.CutSuffix(el, "?")
			fmt.Fprintf(&out, "[[order.group]]\nid = \"samples/%s\"\nversion = \"1.0\"\noptional = %v\n", id, optional)
		}
	}
	return out.String()
}

func TestSamplesDetectAsTheLifecycleDoes(t *testing.T) {
	t.Parallel()
	c := newCase(t)
	samples(t, c)
	libcnb := bp("samples/libcnb", "")
	libcnb["buildpack.toml"] = strings.Replace(libcnb["buildpack.toml"], "0.10", "0.8", 1) // as far as libcnb goes
	c.add(t, "samples/libcnb", "1.0", libcnb)
	buildLibcnb(t, filepath.Join(c.dir, "buildpacks/samples_libcnb/1.0/bin/detect"))
	b := open(t, detector.Source{Builder: c.builder(t, orderOf("libcnb procfile?", "languages procfile?", "node", "broken", "procfile"))})
	cases, err := os.ReadDir(filepath.Join(testkit.Shared(t), "corpus/detect"))
	if err != nil || len(cases) < 181 {
		t.Fatalf("read the corpus: %d cases, %v", len(cases), err)
	}
	seen, every := map[string]bool{}, 4
	if testing.Short() {
		every = 20
	}
	for _, entry := range cases {
		app := filepath.Join(testkit.Shared(t), "corpus/detect", entry.Name(), "app")
		names, err := filepath.Glob(filepath.Join(app, "*"))
		if err != nil {
			t.Fatal(err)
		}
		// These buildpacks look at names in the root only: one case of a kind will do.
		root := ""
		for _, name := range names {
			root += filepath.Base(name) + "\n"
		}
		if seen[root] {
			continue
		}
		seen[root] = true
		if len(seen)%every != 0 {
			continue
		}
		c.same(t, b, app, detector.Options{All: len(seen)%2 == 0})
	}
}

// buildLibcnb compiles the buildpack of testdata/libcnb.
func buildLibcnb(t *testing.T, to string) {
	t.Helper()
	os.Remove(to)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", to, "./testdata/libcnb")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
}

func TestOddBuildersDetectAsTheLifecycleDoes(t *testing.T) {
	t.Parallel()
	for name, order := range map[string]string{
		"one that is not there":            orderOf("node", "nowhere"),
		"one whose toml is bad":            orderOf("node", "badtoml"),
		"an API from the future":           orderOf("node", "future"),
		"an API that is none":              orderOf("node", "noapi"),
		"no bin/detect":                    orderOf("nodetect procfile?", "node"),
		"not executable":                   orderOf("notexec? node"),
		"an error where it is optional":    orderOf("broken? node"),
		"an error":                         orderOf("broken node"),
		"another machine":                  orderOf("arm node", "node"),
		"another machine, optional":        orderOf("arm? node"),
		"another distribution":             orderOf("ubuntu node"),
		"this distribution":                orderOf("debian node"),
		"a stack that is gone":             orderOf("bionic node"),
		"a plan that is none":              orderOf("badplan", "node"),
		"a version in the plan":            orderOf("versioned node"),
		"one that kills itself":            orderOf("killed? node"),
		"below a meta-buildpack, missing":  orderOf("metamissing", "node"),
		"below a meta-buildpack, future":   orderOf("metafuture node?", "node"),
		"a meta-buildpack, optional":       orderOf("languages? node"),
		"a meta-buildpack, twice":          orderOf("languages languages? node"),
		"nothing but optional ones":        orderOf("python? procfile?"),
		"the same one twice":               orderOf("node node?"),
		"requires before it is provided":   orderOf("python cpython"),
		"provides what nothing requires":   orderOf("cpython node"),
		"optional, and provides for none":  orderOf("cpython? node"),
		"an empty group":                   orderOf("", "node"),
		"a group behind one that is fatal": orderOf("metamissing node", "node"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCase(t)
			samples(t, c)
			odd(t, c)
			b := open(t, detector.Source{Builder: c.builder(t, order), Target: "linux/amd64"})
			b.SetDistro("debian", "13")
			app := write(t, filepath.Join(c.dir, "app"), map[string]string{"package.json": "{}", "go.mod": "", "requirements.txt": ""})
			c.same(t, b, app, detector.Options{All: len(name)%2 == 0, NoSandbox: len(name)%3 == 0, Jobs: 1})
		})
	}
}

func TestExtensionsDetectAsTheLifecycleDoes(t *testing.T) {
	t.Parallel()
	for name, order := range map[string]string{
		"one that provides":     orderOf("python"),
		"one that is of no use": orderOf("node"),
		"extensions alone":      orderOf("java?"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCase(t)
			samples(t, c)
			c.extend(t, "samples/fails", map[string]string{"bin/detect": "#!/bin/sh\nexit 100\n"})
			c.extend(t, "samples/fixed", map[string]string{"detect/plan.toml": "[[provides]]\nname = \"cpython\"\n", "bin/generate": "#!/bin/sh\n"})
			c.extend(t, "samples/wrong", map[string]string{"bin/detect": "#!/bin/sh\nprintf '[[requires]]\\nname=\"a\"\\n' > $2\n"})
			b := open(t, detector.Source{Builder: c.builder(t, order)})
			app := write(t, filepath.Join(c.dir, "app"), map[string]string{"package.json": "{}", "requirements.txt": ""})
			c.same(t, b, app, detector.Options{All: name[0] == 'e', Jobs: 1})
		})
	}
}

// odd adds buildpacks that are broken in some way, or for other machines.
func odd(t *testing.T, c *trialCase) {
	t.Helper()
	toml := func(id, api, rest string) string {
		return fmt.Sprintf("api = %q\n[buildpack]\nid = \"samples/%s\"\nversion = \"1.0\"\n%s", api, id, rest)
	}
	script := "#!/bin/sh\nexit 0\n"
	for id, files := range map[string]map[string]string{
		"badtoml":     {"buildpack.toml": "api = [", "bin/detect": script},
		"future":      {"buildpack.toml": toml("future", "0.99", ""), "bin/detect": script, "bin/build": script},
		"noapi":       {"buildpack.toml": toml("noapi", "soon", ""), "bin/detect": script, "bin/build": script},
		"nodetect":    {"buildpack.toml": toml("nodetect", "0.10", ""), "bin/build": script},
		"notexec":     {"buildpack.toml": toml("notexec", "0.10", ""), "bin/build": script},
		"arm":         {"buildpack.toml": toml("arm", "0.10", "[[targets]]\nos = \"linux\"\narch = \"arm64\"\n"), "bin/detect": script},
		"ubuntu":      {"buildpack.toml": toml("ubuntu", "0.10", "[[targets]]\nos = \"linux\"\n[[targets.distros]]\nname = \"ubuntu\"\nversion = \"24.04\"\n"), "bin/detect": script},
		"debian":      {"buildpack.toml": toml("debian", "0.10", "[[targets]]\nos = \"linux\"\n[[targets.distros]]\nname = \"debian\"\nversion = \"13\"\n"), "bin/detect": script},
		"bionic":      {"buildpack.toml": toml("bionic", "0.10", "[[stacks]]\nid = \"io.buildpacks.stacks.bionic\"\n"), "bin/detect": script},
		"badplan":     {"buildpack.toml": toml("badplan", "0.10", ""), "bin/detect": "#!/bin/sh\necho 'provides = 1 1' > $2\n", "bin/build": script},
		"versioned":   {"buildpack.toml": toml("versioned", "0.10", ""), "bin/detect": "#!/bin/sh\nprintf '[[requires]]\\nname=\"a\"\\nversion=\"1\"\\n' > $2\n", "bin/build": script},
		"killed":      {"buildpack.toml": toml("killed", "0.10", ""), "bin/detect": "#!/bin/sh\nkill -9 $$\n", "bin/build": script},
		"metamissing": {"buildpack.toml": toml("metamissing", "0.10", orderOf("node nowhere", "procfile"))},
		"metafuture":  {"buildpack.toml": toml("metafuture", "0.10", orderOf("future", "procfile"))},
	} {
		dir := c.add(t, "samples/"+id, "1.0", files)
		if id == "notexec" {
			write(t, dir, map[string]string{"bin/detect": script})
			if err := os.Chmod(filepath.Join(dir, "bin/detect"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestRandomOrdersDetectAsTheLifecycleDoes tries plans that nobody would write.
func TestRandomOrdersDetectAsTheLifecycleDoes(t *testing.T) {
	t.Parallel()
	seeds := 40
	if testing.Short() {
		seeds = 8
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(uint64(seed), 6))
			c := newCase(t)
			var all []string
			for i := range 4 + rnd.IntN(4) {
				all = append(all, fmt.Sprintf("r%d", i))
				c.add(t, "samples/"+all[i], "1.0", bp("samples/"+all[i], randomScript(rnd)))
			}
			for i := range rnd.IntN(3) {
				meta := fmt.Sprintf("m%d", i)
				c.add(t, "samples/"+meta, "1.0", map[string]string{
					"buildpack.toml": "api = \"0.10\"\n[buildpack]\nid = \"samples/" + meta + "\"\nversion = \"1.0\"\n" + randomOrder(rnd, all),
				})
				all = append(all, meta)
			}
			b := open(t, detector.Source{Builder: c.builder(t, randomOrder(rnd, all))})
			app := write(t, filepath.Join(c.dir, "app"), map[string]string{"a": ""})
			c.same(t, b, app, detector.Options{NoSandbox: seed%8 != 0, All: seed%2 == 0, Jobs: 1})
		})
	}
}

func randomOrder(rnd *rand.Rand, from []string) string {
	var groups []string
	for range 1 + rnd.IntN(3) {
		var group []string
		for range 1 + rnd.IntN(4) {
			el := from[rnd.IntN(len(from))]
			if rnd.IntN(3) == 0 {
				el += "?"
			}
			group = append(group, el)
		}
		groups = append(groups, strings.Join(group, " "))
	}
	return orderOf(groups...)
}

// randomScript passes mostly, with a plan over few names, so that they meet.
func randomScript(rnd *rand.Rand) string {
	switch rnd.IntN(10) {
	case 0:
		return "exit 100"
	case 1:
		return fmt.Sprintf("exit %d", 1+rnd.IntN(5))
	}
	section := func(prefix string) string {
		var out strings.Builder
		for range rnd.IntN(3) {
			fmt.Fprintf(&out, "[[%sprovides]]\nname = \"%c\"\n", prefix, 'x'+rnd.IntN(3))
		}
		for i := range rnd.IntN(3) {
			fmt.Fprintf(&out, "[[%srequires]]\nname = \"%c\"\n[%[1]srequires.metadata]\nn = %[3]d\n", prefix, 'x'+rnd.IntN(3), i)
		}
		return out.String()
	}
	plan := section("")
	for range rnd.IntN(3) {
		plan += "[[or]]\n" + section("or.")
	}
	return "cat > $2 <<'EOF'\n" + plan + "EOF"
}
