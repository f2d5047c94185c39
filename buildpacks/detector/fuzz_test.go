package detector_test

import (
	"path/filepath"
	"testing"

	"slipway/buildpacks/detector"
)

// FuzzPlan gives an extension any plan, which is read without a script.
func FuzzPlan(f *testing.F) {
	f.Add("[[provides]]\nname = \"a\"\n")
	f.Add("[[requires]]\nname = \"a\"\nversion = \"1\"\n")
	f.Add("[[or]]\n[[or.provides]]\nname = \"a\"\n")
	f.Add("or = 1\nrequires = []\n")
	f.Add("[[requires]]\nname = \"a\"\n[requires.metadata]\nx = 1979-05-27\n")
	f.Fuzz(func(t *testing.T, plan string) {
		dir := write(t, filepath.Join(t.TempDir(), "ext"), map[string]string{
			"extension.toml": "api = \"0.10\"\n[extension]\nid = \"a/ext\"\nversion = \"1\"\n", "detect/plan.toml": plan,
		})
		builder := write(t, t.TempDir(), map[string]string{"builder.toml": "[[extensions]]\nuri = \"" + dir + "\"\n[[order]]\n[[order.group]]\nid = \"slipway\"\n[[order-extensions]]\n[[order-extensions.group]]\nid = \"a/ext\"\n"})
		r := detect(t, open(t, detector.Source{Builder: filepath.Join(builder, "builder.toml")}), dir, detector.Options{})
		if r.Passed() || r.ExitCode != 1 || len(r.Groups) == 0 {
			t.Errorf("Detect with the plan %q = %+v, want exit code 1: a buildpack is missing", plan, r)
		}
	})
}

// FuzzDescriptor gives a buildpack any buildpack.toml.
func FuzzDescriptor(f *testing.F) {
	for id, detect := range map[string]string{"a/b": "exit 0"} {
		f.Add(bp(id, detect)["buildpack.toml"])
	}
	f.Add("")
	f.Add("api = \"x\"\n[[stacks]]\nid = \"io.buildpacks.stacks.bionic\"\n")
	f.Add("api = \"0.10\"\n[buildpack]\nid = \"a\"\n[[order]]\n[[order.group]]\nid = \"a\"\n")
	f.Add("api = \"0.10\"\n[buildpack]\nid = \"../../x\"\nversion = \"/..\"\n[[targets]]\nos = \"windows\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		dir := write(t, t.TempDir(), map[string]string{"buildpack.toml": text})
		b, err := detector.Open(t.Context(), detector.Source{Buildpacks: []string{dir}})
		if err != nil {
			t.Fatalf("Open(%q): %v", text, err)
		}
		defer b.Close()
		r := detect(t, b, dir, detector.Options{NoSandbox: true, Jobs: 1})
		if r.Passed() || r.ExitCode == 0 {
			t.Errorf("Detect with %q passed without a bin/detect", text)
		}
	})
}
