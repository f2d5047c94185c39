package detector_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/buildpacks/detector"
)

func TestBrokenBuildpacksAreNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		files map[string]string
		mode  os.FileMode // of bin/detect
		exit  int
		want  string
	}{
		{"no bin/detect", map[string]string{"bin/detect": ""}, 0, 21, "it has no bin/detect: add one"},
		{"not executable", nil, 0o644, 21, "its bin/detect is not executable: chmod +x bin/detect"},
		{"no interpreter", map[string]string{"bin/detect": "#!/no/such\n"}, 0o755, 21, "the program that its first line names (#!…) is not there"},
		{"no program", map[string]string{"bin/detect": "hello"}, 0o755, 21, "a script begins with #!"},
		{"bad toml", map[string]string{"buildpack.toml": "api = "}, 0o755, 1, "read buildpack.toml: toml: line 1"},
		{"no id", map[string]string{"buildpack.toml": "api = \"0.10\"\n"}, 0o755, 1, "it has no id"},
		{"an API from the future", map[string]string{"buildpack.toml": "api = \"9.9\"\n[buildpack]\nid = \"a/b\"\nversion=\"1\"\n"}, 0o755, 12, `its api "9.9" is not supported: write one of`},
		{"an API that is none", map[string]string{"buildpack.toml": "api = \"x\"\n[buildpack]\nid = \"a/b\"\nversion=\"1\"\n"}, 0o755, 12, `its api "x" is no version`},
		{"itself", map[string]string{"buildpack.toml": "api = \"0.10\"\n[buildpack]\nid = \"a/b\"\nversion=\"1\"\n[[order]]\n[[order.group]]\nid=\"a/b\"\nversion=\"1\"\n"}, 0o755, 2, "its order leads back to itself: a/b → a/b"},
		{"a plan that is none", map[string]string{"bin/detect": "#!/bin/sh\necho '[[' > $2"}, 0o755, 21, "read the plan that it wrote: toml"},
		{"a long plan", map[string]string{"bin/detect": "#!/bin/sh\nhead -c 2000000 /dev/zero > $2"}, 0o755, 21, "read the plan: it is longer than"},
		{"a plan that is a link", map[string]string{"bin/detect": "#!/bin/sh\nln -sf /etc/passwd $2"}, 0o755, 21, "read the plan"},
		{"hangs", map[string]string{"bin/detect": "#!/bin/sh\nsleep 100"}, 0o755, 21, "timed out after 1s"},
		{"kills itself", map[string]string{"bin/detect": "#!/bin/sh\nkill -9 $$"}, 0o755, 21, "killed by signal 9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "bp")
			write(t, dir, bp("a/b", "exit 0"))
			write(t, dir, c.files)
			file := filepath.Join(dir, "bin/detect")
			if c.mode == 0 {
				os.Remove(file)
			} else if err := os.Chmod(file, c.mode); err != nil {
				t.Fatal(err)
			}
			b := open(t, detector.Source{Buildpacks: []string{dir}})
			r := detect(t, b, t.TempDir(), detector.Options{Timeout: time.Second, Jobs: 1})
			res := r.Groups[0].Results[0]
			if !strings.Contains(res.Err, c.want) || res.Outcome != detector.Error || r.ExitCode != c.exit || r.Passed() {
				t.Errorf("result = %q %q, exit code %d; want an error with %q, and %d", res.Outcome, res.Err, r.ExitCode, c.want, c.exit)
			}
			if r.Groups[0].Why == "" {
				t.Error("nothing says why the group lost")
			}
		})
	}
}

func TestOutputIsBounded(t *testing.T) {
	t.Parallel()
	b := open(t, detector.Source{Buildpacks: pack(t, t.TempDir(), "a/loud", "yes 0123456789 | head -c 200000000; echo end")})
	r := detect(t, b, t.TempDir(), detector.Options{Output: 1000, Timeout: time.Minute})
	if res := r.Groups[0].Results[0]; len(res.Output) != 1000 || res.Dropped != 200000004-1000 || !strings.HasSuffix(string(res.Output), "end\n") {
		t.Errorf("%d bytes kept, %d dropped; want 1000 and the rest", len(res.Output), res.Dropped)
	}
}

func TestCyclesAndCrowdsEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := ""
	meta := func(id, order string) {
		write(t, filepath.Join(dir, id), map[string]string{"buildpack.toml": fmt.Sprintf("api = \"0.10\"\n[buildpack]\nid = \"samples/%s\"\nversion = \"1.0\"\n%s", id, order)})
		text += fmt.Sprintf("[[buildpacks]]\nid = \"samples/%s\"\nversion = \"1.0\"\nuri = %q\n", id, id)
	}
	write(t, filepath.Join(dir, "no"), bp("samples/no", "exit 100"))
	write(t, filepath.Join(dir, "yes"), bp("samples/yes", "exit 0"))
	text += "[[buildpacks]]\nuri = \"no\"\n[[buildpacks]]\nuri = \"yes\"\n"
	meta("one", orderOf("two"))
	meta("two", orderOf("three"))
	meta("three", orderOf("yes", "one"))
	var crowd []string
	for i := range 30 {
		meta(fmt.Sprintf("m%d", i), orderOf("no", "no", "no"))
		crowd = append(crowd, fmt.Sprintf("m%d?", i))
	}
	write(t, dir, map[string]string{
		"cycle.toml": text + orderOf("no", "one", "yes"),
		"crowd.toml": text + orderOf(strings.Join(crowd, " ")+" no"),
	})
	r := detect(t, open(t, detector.Source{Builder: filepath.Join(dir, "cycle.toml")}), dir, detector.Options{All: true})
	if r.ExitCode != 2 || !strings.Contains(r.Err, "samples/one → samples/two → samples/three → samples/one") || !r.Groups[2].Passed || !r.Groups[2].Also {
		t.Errorf("a cycle: exit code %d, %q; want 2, the cycle, and the last group to pass besides", r.ExitCode, r.Err)
	}
	r = detect(t, open(t, detector.Source{Builder: filepath.Join(dir, "crowd.toml")}), dir, detector.Options{})
	if r.ExitCode != 1 || !strings.Contains(r.Err, "gave up after") {
		t.Errorf("a crowd: exit code %d, %q; want 1, and that it gave up", r.ExitCode, r.Err)
	}
	many := "printf '[[requires]]\\nname=\"x\"\\n' > $2\nfor i in 1 2 3 4 5 6 7 8 9; do printf '[[or]]\\n[[or.requires]]\\nname=\"x\"\\n' >> $2; done"
	b := open(t, detector.Source{Builder: builderTOML(t, orderOf("a b c d e"), "samples/a", many, "samples/b", many, "samples/c", many, "samples/d", many, "samples/e", many)})
	if r := detect(t, b, dir, detector.Options{}); r.Passed() || !strings.Contains(r.Groups[0].Why, "in too many ways") {
		t.Errorf("many alternatives: %+v, want the group to lose for them", r.Groups)
	}
	long := "awk 'BEGIN { for (i = 0; i < 10000; i++) printf \"[[provides]]\\nname=\\\"p%d\\\"\\n[[requires]]\\nname=\\\"r%d\\\"\\n\", i, i }' > $2"
	b = open(t, detector.Source{Builder: builderTOML(t, orderOf("a"), "samples/a", long)})
	started := time.Now()
	if r := detect(t, b, dir, detector.Options{}); len(r.Groups[0].Edges) != 20000 || !strings.Contains(r.Groups[0].Why, "and 19997 more") || time.Since(started) > time.Minute {
		t.Errorf("a long plan: %q, %d edges after %s", r.Groups[0].Why, len(r.Groups[0].Edges), time.Since(started))
	}
}

func TestOddApps(t *testing.T) {
	t.Parallel()
	b := open(t, detector.Source{Buildpacks: pack(t, t.TempDir(), "a/walker", "find . | wc -l; cat closed 2>&1; cat loop 2>&1; exit 0")})
	app := write(t, t.TempDir(), map[string]string{"closed": "secret", "package.json": "{}"})
	if err := os.Chmod(filepath.Join(app, "closed"), 0); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"loop": "loop", "up": "..", "nowhere": "/no/such", "around": "."} {
		if err := os.Symlink(target, filepath.Join(app, name)); err != nil {
			t.Fatal(err)
		}
	}
	r := detect(t, b, app, detector.Options{})
	if out := string(r.Groups[0].Results[0].Output); !r.Passed() || !strings.HasPrefix(out, "7\n") || r.Sandbox.How != "none" && !strings.Contains(out, "Permission denied") {
		t.Errorf("a walk through links = %q, want 7 names, and no secret", out)
	}
	if _, err := b.Detect(t.Context(), filepath.Join(app, "package.json"), detector.Options{}); err == nil {
		t.Error("Detect of a file: no error")
	}
	if _, err := b.Detect(t.Context(), filepath.Join(app, "no"), detector.Options{}); err == nil {
		t.Error("Detect of nothing: no error")
	}
}

func TestManyFilesCostLittle(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("100,000 files")
	}
	app := t.TempDir()
	for i := range 200 {
		dir := write(t, filepath.Join(app, fmt.Sprint(i)), map[string]string{"0": ""})
		for j := 1; j < 500; j++ {
			if err := os.Link(filepath.Join(dir, "0"), filepath.Join(dir, fmt.Sprint(j))); err != nil {
				t.Fatal(err)
			}
		}
	}
	b := open(t, detector.Source{Buildpacks: pack(t, t.TempDir(), "a/walker", "find . -type f | wc -l; exit 0")})
	r := detect(t, b, app, detector.Options{Timeout: time.Minute})
	if out := string(r.Groups[0].Results[0].Output); out != "100000\n" {
		t.Errorf("a walk found %q files, want 100000", out)
	}
}

func TestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, detector.Source{Buildpacks: pack(t, dir, "a/slow", "sleep 1000")})
	for _, plain := range []bool{false, true} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		started := time.Now()
		_, err := b.Detect(ctx, dir, detector.Options{Timeout: time.Hour, NoSandbox: plain})
		cancel()
		if err == nil || time.Since(started) > 20*time.Second {
			t.Errorf("plain %v: Detect = %v after %s, want the context's error at once", plain, err, time.Since(started))
		}
	}
}

func TestBadSources(t *testing.T) {
	t.Parallel()
	dir := write(t, t.TempDir(), map[string]string{
		"bad.toml": "order = [", "empty.toml": "", "unknown.toml": "[[buildpax]]\n", "http.toml": "[[buildpacks]]\nuri = \"https://example.com/a.tgz\"\n" + orderOf("a"),
		"bad.tgz": "this is no archive", "app/file": "x",
	})
	for _, c := range []struct {
		source detector.Source
		want   string
	}{
		{detector.Source{Builder: filepath.Join(dir, "bad.toml")}, "bad.toml"},
		{detector.Source{Builder: filepath.Join(dir, "empty.toml")}, "there is no order"},
		{detector.Source{Builder: filepath.Join(dir, "unknown.toml")}, "buildpax"},
		{detector.Source{Builder: filepath.Join(dir, "http.toml")}, "cannot be fetched"},
		{detector.Source{Builder: filepath.Join(dir, "no.toml")}, "there is no such file"},
		{detector.Source{Builder: filepath.Join(dir, "app")}, "neither the directory of an OCI layout"},
		{detector.Source{Builder: filepath.Join(dir, "bad.tgz")}, "it has to be a tar file"},
		{detector.Source{Buildpacks: []string{filepath.Join(dir, "bad.tgz")}}, "it has to be a tar file"},
		{detector.Source{Buildpacks: []string{"./nowhere"}}, "there is no such file"},
		{detector.Source{Buildpacks: []string{"UPPER case"}}, "neither a file here nor the name of an image"},
		{detector.Source{Target: "linux"}, "write it as linux/amd64"},
	} {
		b, err := detector.Open(t.Context(), c.source)
		if err == nil {
			b.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Open(%+v) = %v, want an error with %q", c.source, err, c.want)
		}
	}
}
